package redis

import (
	"context"
	"crypto/sha1"
	"fmt"

	"github.com/redis/rueidis"
)

// script is a Lua script. A script that writes returns 0, or the number of the
// reason why it wrote nothing. It accesses only the given keys.
type script struct {
	text string
	sum  string
	lua  *rueidis.Lua // sends the text to servers that do not know it
}

func newScript(text string) script {
	return script{text, fmt.Sprintf("%x", sha1.Sum([]byte(text))), rueidis.NewLuaScript(text)}
}

// commitScript runs the operations of a step. KEYS[k] is the key of the k-th
// operation. ARGV contains for each operation its name, the number of its
// arguments, and the arguments. Checks come first, and then publications, which
// the server may reject: it writes all or nothing. It returns the number of the
// first check that fails, or 0.
var commitScript = newScript(`
local call, a = redis.call, 1
for k = 1, #KEYS do
	local op, n = ARGV[a], tonumber(ARGV[a + 1])
	if op == 'REVISION' then
		if call('GETRANGE', KEYS[k], 0, 7) ~= ARGV[a + 2] then return k end
	elseif op == 'FIELD' then
		if (call('HGET', KEYS[k], ARGV[a + 2]) or '') ~= ARGV[a + 3] then return k end
	else
		call(op, KEYS[k], unpack(ARGV, a + 2, a + 1 + n))
	end
	a = a + 2 + n
end
return 0`)

// createScript writes a new token on a server that has both pointer and record.
// It does the same as commitScript in half the time. It writes nothing if the
// id (1) or the name (2) is taken, if the identity of the subject does not have
// the given prefix (3), or if the server rejects the publication. A token with
// a parent has an eighth key.
var createScript = newScript(`
local call = redis.call
if ARGV[7] ~= '' and call('GETRANGE', KEYS[7], 8, 9) ~= ARGV[7] then return 3 end
if not call('SET', KEYS[1], ARGV[1], 'NX') then return 1 end
if call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 0 then
	call('DEL', KEYS[1])
	return 2
end
local published = redis.pcall('SPUBLISH', KEYS[6], ARGV[6])
if type(published) == 'table' then
	call('HDEL', KEYS[2], ARGV[2])
	call('DEL', KEYS[1])
	return published
end
call('SET', KEYS[3], ARGV[4])
call('ZADD', KEYS[4], '0', ARGV[5])
call('ZADD', KEYS[5], '0', ARGV[5])
if KEYS[8] then call('ZADD', KEYS[8], '0', ARGV[5]) end
return 0`)

// lookUpScript follows the pointer to a named token on a server that has both
// pointer and record. ARGV contains the prefix of keys and the id of the token.
// It returns the pointer, the record, and the identity of its subject, with
// false for missing ones.
var lookUpScript = newScript(`
local pointer = redis.call('GET', KEYS[1])
if not pointer then return {false, false, false} end
local subject = string.sub(pointer, 10)
local values = redis.call('MGET',
	ARGV[1] .. 't' .. string.match(subject, '^{%w+}') .. ARGV[2], ARGV[1] .. 'i' .. subject)
return {pointer, values[1], values[2]}`)

// runReadOnly runs a script that only reads.
func (s *Store) runReadOnly(ctx context.Context, script script, keys, args []string) rueidis.RedisResult {
	n, b := int64(len(keys)), s.client.B
	result := s.client.Do(ctx, b().EvalshaRo().Sha1(script.sum).Numkeys(n).Key(keys...).Arg(args...).Build().Pin())
	if err, ok := rueidis.IsRedisErr(result.Error()); ok && err.IsNoScript() {
		return s.client.Do(ctx, b().EvalRo().Script(script.text).Numkeys(n).Key(keys...).Arg(args...).Build().Pin())
	}
	return result
}

// execute runs the script on the server of the keys, and retries while they
// move.
func (s *Store) execute(ctx context.Context, script script, keys, args []string) (reason int64, err error) {
	for b := newBackoff(); ; {
		reason, err = s.runOnce(ctx, script, keys, args)
		if !isRedirected(err) {
			return reason, err
		}
		if err := b.Pause(ctx); err != nil {
			return 0, err
		}
	}
}

// runOnce runs the script and waits for replicas if WaitReplicas is set.
func (s *Store) runOnce(ctx context.Context, script script, keys, args []string) (reason int64, err error) {
	if s.o.WaitReplicas <= 0 {
		return script.lua.Exec(ctx, s.client, keys, args).AsInt64()
	}
	// WAIT counts the replicas that have the writes of this connection.
	c, err := dedicate(ctx, s.client)
	if err != nil {
		return 0, err
	}
	defer c.release()
	results := c.DoMulti(ctx,
		c.B().Eval().Script(script.text).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build(),
		c.B().Wait().Numreplicas(int64(s.o.WaitReplicas)).Timeout(s.o.WaitTimeout.Milliseconds()).Build(),
	)
	if reason, err = results[0].AsInt64(); err != nil || reason > 0 {
		return reason, err
	}
	replicas, err := results[1].AsInt64()
	if err == nil && replicas < int64(s.o.WaitReplicas) {
		err = fmt.Errorf("%d replicas received the write, but %d are required", replicas, s.o.WaitReplicas)
	}
	return reason, err
}

// dedicated is a connection for one caller.
type dedicated struct {
	rueidis.DedicatedClient
	release func() // returns it to the client
}

// dedicate returns a connection, or the error of ctx if that is done first.
func dedicate(ctx context.Context, client rueidis.Client) (dedicated, error) {
	return await(ctx, func() (dedicated, error) {
		conn, release := client.Dedicate()
		return dedicated{conn, release}, nil
	}, func(d dedicated) { d.release() })
}

// isRedirected reports whether a server of a Cluster did nothing because the
// keys are on another server or moving there. The client learns the new server
// from the error, and repeats some of these commands itself.
func isRedirected(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	if !ok {
		return false
	}
	_, moved := e.IsMoved()
	_, moves := e.IsAsk()
	return moved || moves || e.IsTryAgain()
}
