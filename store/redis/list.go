package redis

import (
	"cmp"
	"context"
	"slices"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/store"
)

// ListTokens implements [store.Lists]. A page of a subject costs two round
// trips. A page of all tokens, or of those with a parent, reads every shard and
// merges them.
func (s driver) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	if q.Name != "" {
		page, err = s.listNamed(ctx, q)
		return page, next, err
	}
	locations, next, err := s.locations(ctx, q)
	if err == nil {
		page, err = s.presentTokens(ctx, locations, q)
	}
	return page, next, err
}

// ListTokenIDs implements [store.Lists]. A page of a subject costs one round
// trip: it reads sorted sets, and a record only for a query by name.
func (s driver) ListTokenIDs(ctx context.Context, q store.Query) (ids []string, next store.Cursor, err error) {
	if q.Name != "" {
		page, err := s.listNamed(ctx, q)
		for _, t := range page {
			ids = append(ids, t.ID)
		}
		return ids, next, err
	}
	locations, next, err := s.locations(ctx, q)
	for _, p := range locations {
		ids = append(ids, p.ID)
	}
	return ids, next, err
}

func (s driver) CountTokens(ctx context.Context, subject caveat.Subject) (int64, error) {
	return s.client.Do(ctx, s.client.B().Zcard().Key(s.subjectKey(listKind, subject)).Build().Pin()).AsInt64()
}

// locations returns the locations of the records of the page, and the cursor of
// the next page.
func (s *Store) locations(ctx context.Context, q store.Query) (locations []tokenLocation, next store.Cursor, err error) {
	if q.Subject.IsZero() {
		locations, err = s.locationsInShards(ctx, q)
	} else {
		locations, err = s.locationsOf(ctx, q)
	}
	if len(locations) > q.Limit {
		locations = locations[:q.Limit]
		next = locations[q.Limit-1].Cursor
	}
	return locations, next, err
}

// locationsOf returns the locations of a subject's page, and one more if there
// is another page.
func (s *Store) locationsOf(ctx context.Context, q store.Query) ([]tokenLocation, error) {
	of := s.rangeAfter(s.subjectKey(listKind, q.Subject), memberOf(q.After), q.Limit+1)
	members, err := s.client.Do(ctx, of).AsStrSlice()
	if err != nil {
		return nil, err
	}
	return parseLocations(tagOf(q.Subject.String()), members)
}

// listNamed returns the token with the name, if it comes after the cursor.
func (s *Store) listNamed(ctx context.Context, q store.Query) ([]store.Token, error) {
	names := s.subjectKey(namesKind, q.Subject)
	for before := ""; ; {
		id, err := text(s.client.Do(ctx, s.client.B().Hget().Key(names).Field(q.Name).Build().Pin()))
		if id == "" || id == before || err != nil {
			return nil, err
		}
		before = id
		found, err := s.tokensAt(ctx, []tokenLocation{{tagOf(q.Subject.String()), store.Cursor{ID: id}}})
		if err != nil {
			return nil, err
		}
		// Otherwise it was renamed or deleted between the two reads: look the
		// name up again. If the id is the same as before, the record is
		// missing, as after a loss of data.
		if len(found) == 1 && found[0].Subject == q.Subject && found[0].Name == q.Name {
			t := found[0]
			if !q.After.IsZero() && compareCursors(q.After, store.Cursor{Created: t.Created, ID: t.ID}) >= 0 {
				return nil, nil
			}
			return found, nil
		}
	}
}

// locationsInShards merges the lists of the shards: those of all tokens, or of
// tokens with the parent. It reads a few tokens of each, and more when these
// are used up.
func (s *Store) locationsInShards(ctx context.Context, q store.Query) (locations []tokenLocation, err error) {
	kind := allTokens
	if q.Parent != "" {
		kind = mintedKind
	}
	chunk := 2*q.Limit/shards + 2
	lists := make([]*shardList, shards)
	for i, tag := range tags {
		lists[i] = &shardList{tag: tag, key: s.key(kind, tag, q.Parent), after: memberOf(q.After)}
	}
	for len(locations) <= q.Limit {
		if err := s.refill(ctx, lists, chunk); err != nil {
			return nil, err
		}
		first := slices.MinFunc(lists, compareHeads)
		if len(first.locations) == 0 {
			break // all lists are empty
		}
		locations = append(locations, first.locations[0])
		first.locations = first.locations[1:]
	}
	return locations, nil
}

// shardList is the part of a listing in one shard.
type shardList struct {
	tag, key  string
	locations []tokenLocation // read and not yet used, in order
	after     string          // the last member that was read
	ended     bool
}

// compareHeads orders lists by their first elements, with empty lists last.
func compareHeads(a, b *shardList) int {
	if len(a.locations) == 0 || len(b.locations) == 0 {
		return cmp.Compare(len(b.locations), len(a.locations))
	}
	return compareCursors(a.locations[0].Cursor, b.locations[0].Cursor)
}

// refill reads the next tokens of the shards with empty lists.
func (s *Store) refill(ctx context.Context, lists []*shardList, chunk int) error {
	var empty []*shardList
	var commands []rueidis.Completed
	for _, l := range lists {
		if len(l.locations) == 0 && !l.ended {
			empty = append(empty, l)
			commands = append(commands, s.rangeAfter(l.key, l.after, chunk))
		}
	}
	for i, result := range s.client.DoMulti(ctx, commands...) {
		members, err := result.AsStrSlice()
		if err != nil {
			return err
		}
		if empty[i].locations, err = parseLocations(empty[i].tag, members); err != nil {
			return err
		}
		if empty[i].ended = len(members) < chunk; !empty[i].ended {
			empty[i].after = members[chunk-1]
		}
	}
	return nil
}

// rangeAfter returns the command that reads up to limit members after the given
// one. "" is the beginning.
func (s *Store) rangeAfter(key, after string, limit int) rueidis.Completed {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	return s.client.B().Zrangebylex().Key(key).Min(from).Max("+").Limit(0, int64(limit)).Build().Pin()
}

// tokenLocation is the location of a named token: its shard, and its position
// in a listing.
type tokenLocation struct {
	tag string
	store.Cursor
}

func parseLocations(tag string, members []string) ([]tokenLocation, error) {
	locations := make([]tokenLocation, len(members))
	for i, member := range members {
		cursor, err := parseListMember(member)
		if err != nil {
			return nil, err
		}
		locations[i] = tokenLocation{tag, cursor}
	}
	return locations, nil
}

// memberOf returns the member of a sorted set at the cursor, "" for the
// beginning.
func memberOf(c store.Cursor) string {
	if c.IsZero() {
		return ""
	}
	return listMember(c.Created, c.ID)
}

func compareCursors(a, b store.Cursor) int {
	return cmp.Or(cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
}

// presentTokens returns the records at the locations, except deleted and
// replaced ones. If the query has a subject or parent, it returns only tokens
// with it.
func (s *Store) presentTokens(ctx context.Context, locations []tokenLocation, q store.Query) ([]store.Token, error) {
	found, err := s.tokensAt(ctx, locations)
	if err != nil {
		return nil, err
	}
	created := make(map[string]int64, len(locations))
	for _, p := range locations {
		created[p.ID] = p.Created
	}
	return slices.DeleteFunc(found, func(t store.Token) bool {
		return t.Created != created[t.ID] || !q.Subject.IsZero() && t.Subject != q.Subject ||
			q.Parent != "" && t.Parent != q.Parent
	}), nil
}

// tokensAt returns the records that exist, in the order of the locations. It
// ignores their creation times.
func (s *Store) tokensAt(ctx context.Context, locations []tokenLocation) ([]store.Token, error) {
	keys := make([]string, len(locations))
	for i, p := range locations {
		keys[i] = s.key(tokenKind, p.tag, p.ID)
	}
	return readEach(ctx, s, keys, func(i int, value string) (store.Token, error) { return decodeToken(locations[i].ID, value) })
}
