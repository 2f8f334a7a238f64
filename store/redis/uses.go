package redis

import (
	"context"
	"slices"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/store"
)

// The use of a token is a hash in the shard of its id, beside the pointer to
// the record. It is written only while there is a pointer, and deleted with it.

// maxUsesOfScript is the number of uses that one script records, so that a
// server is not blocked for long.
const maxUsesOfScript = 256

// recordUsesScript records uses. KEYS contains for each use the pointer of the
// token, the hash, and the index of the shard; ARGV the fields of the use.
// Numbers are exact, because they are less than 2^53.
var recordUsesScript = newScript(`
local call = redis.call
for n = 0, #KEYS / 3 - 1 do
	local k, a = 3 * n, 6 * n
	if call('EXISTS', KEYS[k + 1]) == 1 then
		local use = KEYS[k + 2]
		local old = call('HMGET', use, 'at', 'count')
		local count = tonumber(ARGV[a + 6]) + tonumber(old[2] or '0')
		call('HSET', use, 'count', string.format('%.0f', math.min(count, ` + maxCount + `)))
		if tonumber(ARGV[a + 2]) >= tonumber(old[1] or '0') then
			call('HSET', use, 'at', ARGV[a + 2], 'address', ARGV[a + 3], 'service', ARGV[a + 4], 'interface', ARGV[a + 5])
		end
		call('ZADD', KEYS[k + 3], '0', ARGV[a + 1])
	end
end
return 0`)

var maxCount = strconv.FormatInt(store.MaxUseCount, 10)

// RecordUses implements [store.Uses]. In a Cluster the shards are written one
// after the other, so a call that fails may have recorded some of the uses.
func (s driver) RecordUses(ctx context.Context, uses []store.Use) error {
	for _, batch := range s.batchesOf(uses) {
		keys, args := make([]string, 0, 3*len(batch)), make([]string, 0, 6*len(batch))
		for _, u := range batch {
			keys = append(keys, s.pointerKey(tokenPointer, u.TokenID), s.useKey(u.TokenID), s.usesKey(u.TokenID))
			args = append(args, u.TokenID, decimal(u.At), u.Address, u.Service, u.Interface, decimal(u.Count))
		}
		if _, err := s.execute(ctx, recordUsesScript, keys, args); err != nil {
			return err
		}
	}
	return nil
}

// batchesOf splits the uses into those that one script may record.
func (s *Store) batchesOf(uses []store.Use) (batches [][]store.Use) {
	shard := func(store.Use) string { return "" }
	if s.isCluster() {
		shard = func(u store.Use) string { return tagOf(u.TokenID) }
	}
	byShard := make(map[string][]store.Use)
	for _, u := range uses {
		byShard[shard(u)] = append(byShard[shard(u)], u)
	}
	for _, of := range byShard {
		batches = slices.AppendSeq(batches, slices.Chunk(of, maxUsesOfScript))
	}
	return batches
}

func (s driver) LastUses(ctx context.Context, ids []string) (found []store.Use, err error) {
	all, err := s.usesOf(ctx, ids)
	for _, u := range all {
		if !u.IsZero() {
			found = append(found, u)
		}
	}
	return found, err
}

// usesOf returns the uses of the tokens, zero for none.
func (s *Store) usesOf(ctx context.Context, ids []string) ([]store.Use, error) {
	commands := make([]rueidis.Completed, len(ids))
	for i, id := range ids {
		commands[i] = s.client.B().Hmget().Key(s.useKey(id)).Field("at", "address", "service", "interface", "count").Build().Pin()
	}
	uses := make([]store.Use, len(ids))
	for i, result := range s.client.DoMulti(ctx, commands...) {
		fields, err := textsOf(result, 5)
		if err != nil {
			return nil, err
		}
		if fields[0] == "" {
			continue
		}
		at, atErr := strconv.ParseInt(fields[0], 10, 64)
		count, countErr := strconv.ParseInt(fields[4], 10, 64)
		uses[i] = store.Use{
			TokenID: ids[i], At: at, Address: fields[1], Service: fields[2], Interface: fields[3], Count: count,
		}
		if atErr != nil || countErr != nil || uses[i].Validate() != nil {
			return nil, errFormat
		}
	}
	return uses, nil
}

// useKey returns the key of the use, in the shard of the pointer.
func (s *Store) useKey(id string) string { return s.pointerKey(useKind, id) }

// usesKey returns the key of the index with the use.
func (s *Store) usesKey(id string) string { return s.key(allUses, tagOf(id), "") }

// dropUse deletes the use of a token.
func (s *Store) dropUse(id string) []op {
	return []op{write("DEL", s.useKey(id)), write("ZREM", s.usesKey(id), id)}
}

// putUse replaces the use of a token.
func (s *Store) putUse(u store.Use) []op {
	return []op{
		write("HSET", s.useKey(u.TokenID), "at", decimal(u.At), "address", u.Address, "service", u.Service,
			"interface", u.Interface, "count", decimal(u.Count)),
		write("ZADD", s.usesKey(u.TokenID), "0", u.TokenID),
	}
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// use plans the write of a use, unless its token is unknown.
func (p *plan) use(u store.Use) error {
	at, err := p.pointer(tokenPointer, u.TokenID)
	if err != nil {
		return err
	}
	tag := tagOf(u.TokenID)
	if p.batch.Tokens[u.TokenID] == nil {
		if at.revision == "" {
			return nil
		}
		p.add(writing, tag, hasRevision(p.store.pointerKey(tokenPointer, u.TokenID), at.revision, errStale))
	}
	p.add(writing, tag, p.store.putUse(u)...)
	return nil
}
