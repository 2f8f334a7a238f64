package redis_test

import (
	"context"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/formerrelease"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

func TestCallsBeforeMigrateAreRejected(t *testing.T) {
	t.Parallel()
	s := redis.New(newSingleClient(t), redis.Options{Prefix: redistest.Prefix()})
	for _, c := range calls(s)[1:] {
		err := c.do(t.Context())
		requireOperational(t, err, c.name)
		require.ErrorIs(t, err, store.ErrSchema, c.name)
	}
	require.ErrorIs(t, s.Watch(t.Context(), func(store.Change) {}), store.ErrSchema)
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Migrate(t.Context()), "the second time")
	fill(t, s)
}

func TestNewerSchemaIsRejected(t *testing.T) {
	t.Parallel()
	client := newSingleClient(t)
	o := redis.Options{Prefix: redistest.Prefix()}
	for _, version := range []string{"2", "10", "", "one"} {
		mark := client.B().Set().Key(o.Prefix + "schema").Value(version).Build()
		require.NoError(t, client.Do(t.Context(), mark).Error())
		s := redis.New(client, o)
		err := s.Migrate(t.Context())
		requireOperational(t, err)
		require.ErrorIs(t, err, store.ErrSchema)
		for _, c := range calls(s)[1:] {
			require.ErrorIs(t, c.do(t.Context()), store.ErrSchema, c.name)
		}
		_, err = redis.Open(t.Context(), redistest.URL(t), o)
		require.ErrorIs(t, err, store.ErrSchema)
	}
	keys, err := client.Do(t.Context(), client.B().Keys().Pattern(o.Prefix+"*").Build()).AsStrSlice()
	require.NoError(t, err)
	require.Equal(t, []string{o.Prefix + "schema"}, keys, "something was written")
}

// TestRecordsOfTheReleaseBefore reads keys that it wrote, and upgrades them one
// by one.
func TestRecordsOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	client := newSingleClient(t)
	o := redis.Options{Prefix: redistest.Prefix()}
	for line := range strings.Lines(formerrelease.Redis) {
		name, quoted, _ := strings.Cut(strings.TrimSpace(line), " ")
		command := client.B().Arbitrary(name)
		for quoted != "" {
			prefix, err := strconv.QuotedPrefix(quoted)
			require.NoError(t, err)
			arg, err := strconv.Unquote(prefix)
			require.NoError(t, err)
			command = command.Args(strings.Replace(arg, "onezone:", o.Prefix, 1))
			quoted = strings.TrimSpace(quoted[len(prefix):])
		}
		require.NoError(t, client.Do(t.Context(), command.Build()).Error(), line)
	}
	s := redis.New(client, o)
	require.NoError(t, s.Migrate(t.Context()))
	formerrelease.RequireMigrated(t, s)
}

func TestPrefixWithBracesIsRejected(t *testing.T) {
	t.Parallel()
	client := newSingleClient(t)
	for _, prefix := range []string{"{", "}", "a{b}c", "{}"} {
		err := redis.New(client, redis.Options{Prefix: prefix}).Migrate(t.Context())
		require.ErrorIs(t, err, errors.IDBadData, "prefix %q", prefix)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	url, prefix := redistest.URL(t), redistest.Prefix()
	s, err := redis.Open(t.Context(), url, redis.Options{Prefix: prefix})
	require.NoError(t, err)
	require.ErrorIs(t, second(s.CreateToken(t.Context(), newToken("a"), 0)), store.ErrSchema, "before Migrate")
	require.NoError(t, s.Migrate(t.Context()))
	fill(t, s)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closed already")

	again, err := redis.Open(t.Context(), url, redis.Options{Prefix: prefix})
	require.NoError(t, err)
	defer again.Close()
	token, err := again.GetToken(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, newToken("a"), token)

	const password = "top-secret"
	for _, bad := range []string{"", "http://localhost", "redis://user:" + password + "@local host", "redis://:" + password + "@localhost/x"} {
		_, err := redis.Open(t.Context(), bad, redis.Options{})
		require.ErrorIs(t, err, errors.IDBadData, "URL %q", bad)
		require.NotContains(t, err.Error(), password)
	}
	_, err = redis.Open(t.Context(), url, redis.Options{Prefix: "{"})
	require.ErrorIs(t, err, errors.IDBadData)
	_, err = redis.Open(t.Context(), "redis://:"+password+"@127.0.0.1:1", redis.Options{})
	requireOperational(t, err)
	require.NotContains(t, err.Error(), password)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = redis.Open(done, url, redis.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := redis.Open(ctx, "redis://"+silent.Addr().String(), redis.Options{})
		ended <- err
	}()
	conn, err := silent.Accept()
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, await(t, ended, "Open ends, though the server says nothing"), context.Canceled)
	require.NoError(t, conn.Close())
	require.NoError(t, silent.Close())
}

func TestCloseEndsCallsAndFeeds(t *testing.T) {
	t.Parallel()
	client := newSingleClient(t)
	s := newStore(t, client, redis.Options{})
	fill(t, s)
	up, ended := make(chan store.Change, 10), make(chan error, 1)
	go func() { ended <- s.Watch(context.Background(), func(c store.Change) { up <- c }) }()
	await(t, up, "the feed is connected")
	require.NoError(t, s.Close())
	require.ErrorIs(t, await(t, ended, "the feed ends"), store.ErrClosed)
	require.Equal(t, store.FeedDown, await(t, up, "the feed disconnects").Kind)
	for _, c := range calls(s) {
		err := c.do(t.Context())
		requireOperational(t, err, c.name)
		require.ErrorIs(t, err, store.ErrClosed, c.name)
	}
	require.NoError(t, client.Do(t.Context(), client.B().Ping().Build()).Error(), "the client of the caller was closed")
}

// Not parallel, because it counts the goroutines of the process.
func TestNothingRunsAfterClose(t *testing.T) {
	url := redistest.URL(t)
	before := runtime.NumGoroutine()
	for range 3 {
		s := open(t, url, redis.Options{Prefix: redistest.Prefix()})
		fill(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error)
		for _, ctx := range []context.Context{ctx, t.Context()} {
			up := make(chan struct{}, 100)
			go func() { ended <- s.Watch(ctx, func(store.Change) { up <- struct{}{} }) }()
			await(t, up, "the feed is connected")
		}
		for _, c := range calls(s) {
			require.NoError(t, c.do(t.Context()), c.name)
		}
		cancel()
		await(t, ended, "the feed ends with its context")
		require.NoError(t, s.Close())
		await(t, ended, "the feed ends with the store")
	}
	eventually(t, func() bool { return runtime.NumGoroutine() <= before }, "goroutines end")
}

func TestErrorsOfTheServerContainNoSecret(t *testing.T) {
	t.Parallel()
	// A server quotes the arguments of an unknown command.
	server := redistest.New(t, "--rename-command", "EVALSHA", "", "--rename-command", "EVAL", "")
	s := open(t, "redis://"+server.Addr, redis.Options{Prefix: "p"})
	secret := store.NewSecret("the-secret")
	token := newToken("t")
	token.Secret = secret
	_, rotateErr := s.RotateTemporaryKey(t.Context(), alice, secret)
	for _, err := range []error{rotateErr, second(s.CreateToken(t.Context(), token, 0))} {
		requireOperational(t, err)
		require.Contains(t, strings.ToLower(err.Error()), "unknown command")
		require.NotContains(t, err.Error(), secret.Reveal())
	}
}

func TestFullServerWritesAllOrNothing(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	s := open(t, "redis://"+server.Addr, redis.Options{})
	fill(t, s)
	_, err := server.Do("CONFIG", "SET", "maxmemory", "1")
	require.NoError(t, err)
	requireOperational(t, second(s.CreateToken(t.Context(), newToken("b"), 0)))
	requireOperational(t, s.UpdateToken(t.Context(), "a", revoke))
	requireSound(t, s)
	_, err = server.Do("CONFIG", "SET", "maxmemory", "0")
	require.NoError(t, err)
	require.Len(t, listAll(t, s, store.Query{}), 1)
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("b"), 0)))
	requireSound(t, s)
}

// The clock of the server is not used, and that of the writer only orders
// listings.
func TestClockGoesBackwards(t *testing.T) {
	t.Parallel()
	s := newStore(t, newSingleClient(t), redis.Options{})
	var want []string
	for i := range 10 {
		token := newToken(string(rune('a' + i)))
		token.Created -= int64(i) * 3600
		require.NoError(t, second(s.CreateToken(t.Context(), token, 0)))
		require.NoError(t, s.UpdateToken(t.Context(), token.ID, revoke))
		key, err := s.NamedKey(t.Context(), token.ID)
		require.NoError(t, err)
		require.True(t, key.Revoked)
		want = append([]string{token.ID}, want...)
	}
	var got []string
	for _, token := range listAll(t, s, store.Query{Limit: 3}) {
		got = append(got, token.ID)
	}
	require.Equal(t, want, got)
}
