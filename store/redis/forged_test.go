package redis_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/internal/testing/retention"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/redis"
)

func TestLookUpsKeepNoTokensInMemory(t *testing.T) {
	t.Parallel()
	s := newStore(t, newSingleClient(t), redis.Options{})
	fill(t, s)
	for _, name := range []string{"a", "alice", "unknown"} {
		id, kept := retention.Within(name)
		_, _ = s.NamedKey(t.Context(), id)
		_, _ = s.TemporaryKey(t.Context(), caveat.User(id))
		require.Eventually(t, func() bool { return !kept() }, testTimeout, 10*time.Millisecond, name)
	}
}

// TestInvalidKeysAreNotLookedUp makes look-ups like those of forged tokens.
func TestInvalidKeysAreNotLookedUp(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	s := open(t, "redis://"+server.Addr, redis.Options{})
	fill(t, s)
	long := strings.Repeat("x", 2000)
	before, err := server.Do("INFO", "commandstats")
	require.NoError(t, err)
	for name, call := range map[string]func() error{
		"NamedKey":              func() error { _, err := s.NamedKey(t.Context(), long); return err },
		"TemporaryKey":          func() error { _, err := s.TemporaryKey(t.Context(), caveat.User(long)); return err },
		"GetToken":              func() error { _, err := s.GetToken(t.Context(), long); return err },
		"UpdateToken":           func() error { return s.UpdateToken(t.Context(), long, revoke) },
		"DeleteToken":           func() error { return s.DeleteToken(t.Context(), long) },
		"GetIdentity":           func() error { _, err := s.GetIdentity(t.Context(), caveat.User(long)); return err },
		"GetIdentityByUsername": func() error { _, err := s.GetIdentityByUsername(t.Context(), long); return err },
		"DeleteIdentity":        func() error { return s.DeleteIdentity(t.Context(), caveat.User(long)) },
	} {
		require.ErrorIs(t, call(), errors.IDNotFound, name)
	}
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), caveat.User(long)))
	require.Empty(t, listAll(t, s, store.Query{Subject: caveat.User(long)}))
	require.Empty(t, listAll(t, s, store.Query{Subject: alice, Name: long}))
	after, err := server.Do("INFO", "commandstats")
	require.NoError(t, err)
	withoutInfo := func(stats string) string {
		return regexp.MustCompile(`(?m)^cmdstat_(info|client).*\n`).ReplaceAllString(stats, "")
	}
	require.Equal(t, withoutInfo(before), withoutInfo(after))
}

// TestNameOfALostTokenIsNotListed loses the record of a token, as in a crash of
// a server that did not wait for its disk.
func TestNameOfALostTokenIsNotListed(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	s := open(t, "redis://"+server.Addr, redis.Options{})
	fill(t, s)
	_, err := server.Do("DEL", s.TokenKey(alice, "a"))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	page, _, err := s.ListTokens(ctx, store.Query{Subject: alice, Name: newToken("a").Name})
	require.NoError(t, err)
	require.Empty(t, page)
}

// trackedKeys returns the number of keys that the server tracks for clients.
func trackedKeys(t *testing.T, server *redistest.Server) int {
	t.Helper()
	stats, err := server.Do("INFO", "stats")
	require.NoError(t, err)
	n, err := strconv.Atoi(regexp.MustCompile(`tracking_total_keys:(\d+)`).FindStringSubmatch(stats)[1])
	require.NoError(t, err)
	return n
}

// TestTheServerDoesNotTrackLookUps looks up existing and missing keys, like
// forged tokens do.
func TestTheServerDoesNotTrackLookUps(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	s := open(t, "redis://"+server.Addr, redis.Options{})
	fill(t, s)
	for i := range 100 {
		id := fmt.Sprint("forged ", i)
		_, err := s.NamedKey(t.Context(), id)
		require.ErrorIs(t, err, errors.IDNotFound)
		_, err = s.TemporaryKey(t.Context(), caveat.User(id))
		require.ErrorIs(t, err, errors.IDNotFound)
		_, err = s.GetIdentity(t.Context(), caveat.User(id))
		require.ErrorIs(t, err, errors.IDNotFound)
	}
	_, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	_, err = s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	require.Zero(t, trackedKeys(t, server))
}

// TestUsersWithoutChannelsWriteNothing makes a server reject a command in the
// middle of a script.
func TestUsersWithoutChannelsWriteNothing(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	_, err := server.Do("ACL", "SETUSER", "app", "on", ">pw", "~*", "resetchannels", "+@all")
	require.NoError(t, err)
	full := open(t, "redis://"+server.Addr, redis.Options{})
	limited := open(t, "redis://app:pw@"+server.Addr, redis.Options{})
	user, a, b := newUser("alice"), newToken("a"), newToken("b")
	requireOperational(t, second(limited.CreateToken(t.Context(), a, 0)))
	requireOperational(t, limited.CreateIdentity(t.Context(), user))
	requireOperational(t, limited.Import(t.Context(), []store.Record{{Identity: &user}, {Token: &a}, {Token: &b}}))
	_, err = limited.RotateTemporaryKey(t.Context(), alice, store.NewSecret("s"))
	requireOperational(t, err)
	keys, err := server.List("KEYS", "*")
	require.NoError(t, err)
	require.Len(t, keys, 1, "%v beside the mark of the schema", keys)

	fill(t, full)
	requireOperational(t, limited.UpdateToken(t.Context(), "a", revoke))
	requireOperational(t, limited.DeleteToken(t.Context(), "a"))
	requireSound(t, full)
}

// TestConnectingEndsWithTheContext uses a server that accepts connections and
// does not answer.
func TestConnectingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	proxy := newProxy(t)
	s := newStore(t, newProxyClient(t, proxy), redis.Options{Prefix: "p", WaitReplicas: 1})
	proxy.Hold()
	t.Cleanup(proxy.Release)
	for name, call := range map[string]func(ctx context.Context) error{
		"CreateToken": func(ctx context.Context) error { return second(s.CreateToken(ctx, newToken("a"), 0)) },
		"Watch":       func(ctx context.Context) error { return s.Watch(ctx, func(store.Change) {}) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, call(ctx), context.DeadlineExceeded, name)
		require.Less(t, time.Since(began), 3*time.Second, name)
	}
}

func TestAnObserverThatPanicsLeavesNoSubscription(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	s := open(t, "redis://"+server.Addr, redis.Options{})
	clients := func() int {
		list, err := server.Do("CLIENT", "LIST", "TYPE", "pubsub")
		require.NoError(t, err)
		return strings.Count(list, "\n")
	}
	require.Panics(t, func() { _ = s.Watch(t.Context(), func(store.Change) { panic("observer") }) })
	eventually(t, func() bool { return clients() == 0 }, "the subscription ends")
}
