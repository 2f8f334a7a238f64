package redis

import (
	"context"
	"crypto/sha1"
	"fmt"

	"github.com/redis/rueidis"
)

// script is a Lua script. One that writes returns 0, or the number of the reason
// why it wrote nothing, and touches the keys that it is given and no others.
type script struct {
	text string
	sum  string
	lua  *rueidis.Lua // which sends the text to servers that do not know it yet
}

func newScript(text string) script {
	return script{text, fmt.Sprintf("%x", sha1.Sum([]byte(text))), rueidis.NewLuaScript(text)}
}

// commitScript does what a step says. KEYS[k] is the key of the k-th operation;
// in ARGV there is for each its name, the number of its arguments and these.
// Checks come before writes, and so does what is published, which the server may
// refuse: it writes all or nothing. It returns the
// number of the first check that does not hold, or 0.
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

// createScript writes a new token where pointer and record are on the same
// server: what commitScript can do as well, in half the time. It is not done if
// the id (1) or the name (2) is taken, if the subject's identity does not have
// the head that is given (3), or if the server refuses to publish.
var createScript = newScript(`
local call = redis.call
if ARGV[7] ~= '' and call('GETRANGE', KEYS[7], 8, 9) ~= ARGV[7] then return 3 end
if not call('SET', KEYS[1], ARGV[1], 'NX') then return 1 end
if call('HSETNX', KEYS[2], ARGV[2], ARGV[3]) == 0 then
	call('DEL', KEYS[1])
	return 2
end
local told = redis.pcall('SPUBLISH', KEYS[6], ARGV[6])
if type(told) == 'table' then
	call('HDEL', KEYS[2], ARGV[2])
	call('DEL', KEYS[1])
	return told
end
call('SET', KEYS[3], ARGV[4])
call('ZADD', KEYS[4], '0', ARGV[5])
call('ZADD', KEYS[5], '0', ARGV[5])
return 0`)

// lookUpScript follows the pointer to a named token where pointer and record are
// on the same server. ARGV has the prefix of keys and the id of the token. It
// returns the pointer, the record, and the identity of its subject, with false for
// what is not there.
var lookUpScript = newScript(`
local pointer = redis.call('GET', KEYS[1])
if not pointer then return {false, false, false} end
local place = string.sub(pointer, 10)
local values = redis.call('MGET',
	ARGV[1] .. 't' .. string.match(place, '^{%w+}') .. ARGV[2], ARGV[1] .. 'i' .. place)
return {pointer, values[1], values[2]}`)

// ask runs a script that only reads.
func (s *Store) ask(ctx context.Context, script script, keys, args []string) rueidis.RedisResult {
	n, b := int64(len(keys)), s.client.B
	result := s.client.Do(ctx, b().EvalshaRo().Sha1(script.sum).Numkeys(n).Key(keys...).Arg(args...).Build().Pin())
	if err, ok := rueidis.IsRedisErr(result.Error()); ok && err.IsNoScript() {
		return s.client.Do(ctx, b().EvalRo().Script(script.text).Numkeys(n).Key(keys...).Arg(args...).Build().Pin())
	}
	return result
}

// execute runs the script where the keys are.
func (s *Store) execute(ctx context.Context, script script, keys, args []string) (reason int64, err error) {
	for b := newBackoff(); ; {
		reason, err = s.try(ctx, script, keys, args)
		if !isElsewhere(err) {
			return reason, err
		}
		if err := b.Pause(ctx); err != nil {
			return 0, err
		}
	}
}

// try runs the script, and waits for replicas if that is asked for.
func (s *Store) try(ctx context.Context, script script, keys, args []string) (reason int64, err error) {
	if s.o.WaitReplicas <= 0 {
		return script.lua.Exec(ctx, s.client, keys, args).AsInt64()
	}
	// The server counts the replicas that have what this connection wrote.
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
		err = fmt.Errorf("the write is on %d replicas, not on %d", replicas, s.o.WaitReplicas)
	}
	return reason, err
}

// dedicated is a connection that nobody else uses.
type dedicated struct {
	rueidis.DedicatedClient
	release func() // gives it back
}

// dedicate gives up when ctx is done.
func dedicate(ctx context.Context, client rueidis.Client) (dedicated, error) {
	return await(ctx, func() (dedicated, error) {
		conn, release := client.Dedicate()
		return dedicated{conn, release}, nil
	}, func(d dedicated) { d.release() })
}

// isElsewhere reports whether a server of a Cluster did nothing because the keys
// are on another, or on their way there. The client learns where from that, and
// repeats some of these commands itself.
func isElsewhere(err error) bool {
	e, ok := rueidis.IsRedisErr(err)
	if !ok {
		return false
	}
	_, moved := e.IsMoved()
	_, moves := e.IsAsk()
	return moved || moves || e.IsTryAgain()
}
