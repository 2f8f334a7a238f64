package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

var watcherChecks = []check{
	{"a feed starts with FeedUp and ends with the context", ofFeed(watchEnds)},
	{"every kind of change is reported", ofFeed(watchReports)},
	{"a change is reported when look-ups see it", ofFeed(watchAfterWrite)},
	{"every watcher is notified", ofFeed(watchMany)},
	{"a blocked observer does not block writers", ofFeed(watchHangs)},
	{"a nil observer is refused", ofFeed(watchNobody)},
}

// ofFeed returns a check for stores with a feed. For a store without a feed it
// checks only that Watch reports that.
func ofFeed(run func(*testing.T, func() store.Store)) func(*testing.T, func() store.Store) {
	return func(t *testing.T, open func() store.Store) {
		if hasFeed(t, open()) {
			run(t, open)
		}
	}
}

// hasFeed reports whether the store has a feed. A store without one must return
// errors.ErrUnsupported from Watch.
func hasFeed(t *testing.T, s store.Store) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up, ended := make(chan error), make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, func(store.Change) {
			select {
			case up <- nil:
			case <-ctx.Done():
			}
		})
	}()
	select {
	case err := <-ended:
		requireOperational(t, err, errors.ErrUnsupported, "a feed that ended before its context")
		return false
	case <-up:
	case <-time.After(limitOf(t)):
		require.FailNow(t, "timeout: Watch neither reported FeedUp nor returned errors.ErrUnsupported")
	}
	cancel()
	await(t, ended, "the feed ends with its context")
	return true
}

// feed is a running call of Watch.
type feed struct {
	changes chan store.Change
	ended   chan error
	cancel  context.CancelFunc
}

// watch starts a feed and returns when it is connected.
func watch(t *testing.T, s store.Store) feed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := feed{make(chan store.Change), make(chan error, 1), cancel}
	go func() {
		f.ended <- s.Watch(ctx, func(c store.Change) {
			select {
			case f.changes <- c:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(cancel)
	first := await(t, f.changes, "the feed is connected")
	require.Equal(t, store.Change{Kind: store.FeedUp}, first, "the first change of the feed")
	return f
}

// until waits for the change and skips others, up to a limit.
func (f feed) until(t *testing.T, want store.Change) {
	t.Helper()
	for range 1000 {
		if await(t, f.changes, fmt.Sprintf("the change %+v", want)) == want {
			return
		}
	}
	require.FailNow(t, "the change is not among those reported", "%+v", want)
}

func watchEnds(t *testing.T, open func() store.Store) {
	s := open()
	f := watch(t, s)
	f.cancel()
	requireOperational(t, await(t, f.ended, "the feed ends with its context"), context.Canceled)
	createTokens(t, s, newToken("a")) // no observer is left
	again := watch(t, s)
	createTokens(t, s, newToken("b"))
	again.until(t, store.Change{Kind: store.TokenChanged, TokenID: "b"})
}

func watchReports(t *testing.T, open func() store.Store) {
	s := open()
	f := watch(t, s)
	token := store.Change{Kind: store.TokenChanged, TokenID: "a"}
	identity := store.Change{Kind: store.IdentityChanged, Subject: alice}
	temporary := store.Change{Kind: store.TemporaryChanged, Subject: alice}

	createTokens(t, s, newToken("a"))
	f.until(t, token)
	updateToken(t, s, "a", func(token *store.Token) { token.Revoked = true })
	f.until(t, token)
	require.NoError(t, s.DeleteToken(t.Context(), "a"))
	f.until(t, token)

	createIdentities(t, s, newUser("alice"))
	f.until(t, identity)
	updateIdentity(t, s, alice, func(i *store.Identity) { i.Blocked = true })
	f.until(t, identity)
	require.NoError(t, s.DeleteIdentity(t.Context(), alice))
	f.until(t, identity)

	ensure(t, s, alice, "first")
	f.until(t, temporary)
	rotateTo(t, s, alice, "second")
	f.until(t, temporary)
	requireReplaced(t, s, alice, "second", "third")
	f.until(t, temporary)
	require.NoError(t, s.DeleteTemporaryKey(t.Context(), alice))
	f.until(t, temporary)

	require.NoError(t, s.Import(t.Context(), goodRecords()))
	missing := map[store.Change]bool{token: true, identity: true, temporary: true}
	for len(missing) > 0 {
		delete(missing, await(t, f.changes, fmt.Sprintf("the imported changes %v", missing)))
	}
}

// watchAfterWrite reads the store from within the observer, as a cache does.
func watchAfterWrite(t *testing.T, open func() store.Store) {
	s := open()
	createTokens(t, s, newToken("a"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	up := make(chan struct{})
	var once sync.Once
	seen := make(chan bool, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, func(c store.Change) {
			switch c.Kind {
			case store.FeedUp:
				once.Do(func() { close(up) })
			case store.TokenChanged:
				key, err := s.NamedKey(ctx, "a")
				select {
				case seen <- err == nil && key.Revoked:
				default:
				}
			}
		})
	}()
	await(t, up, "the feed stands")
	updateToken(t, s, "a", func(token *store.Token) { token.Revoked = true })
	require.True(t, await(t, seen, "the change is reported"), "the change was reported, but look-ups did not see it")
	cancel()
	await(t, ended, "the feed ends with its context")
}

func watchMany(t *testing.T, open func() store.Store) {
	s := open()
	first, second := watch(t, s), watch(t, s)
	want := store.Change{Kind: store.TokenChanged, TokenID: "a"}
	createTokens(t, s, newToken("a"))
	second.until(t, want)
	first.until(t, want)
	second.cancel()
	requireOperational(t, await(t, second.ended, "the feed ends with its context"), context.Canceled)
	updateToken(t, s, "a", func(token *store.Token) { token.Revoked = true })
	first.until(t, want)
}

func watchHangs(t *testing.T, open func() store.Store) {
	s := open()
	f := watch(t, s) // no one receives from this point
	written := make(chan error, 1)
	go func() {
		for i := range 200 {
			if err := createToken(t.Context(), s, newToken(fmt.Sprint("token", i))); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	require.NoError(t, await(t, written, "writers go on while an observer hangs"))
	last := store.Change{Kind: store.TokenChanged, TokenID: "token199"}
	for {
		c := await(t, f.changes, "the last change, or that the feed was lost and stands again")
		if c == last || c.Kind == store.FeedUp {
			return
		}
	}
}

func watchNobody(t *testing.T, open func() store.Store) {
	s := open()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	require.ErrorIs(t, s.Watch(ctx, nil), errors.IDBadData)
}
