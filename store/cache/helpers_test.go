package cache_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

var (
	alice = caveat.User("alice")
	bob   = caveat.User("bob")
)

var errDown = errors.New("the database is down")

// backend is a memory store whose feed is controlled by the test, and whose
// look-ups can be counted, stopped before they return, and made to fail.
type backend struct {
	*memory.Store
	lookUps atomic.Int64
	watches atomic.Int64
	fails   atomic.Bool
	before  func()

	mu      sync.Mutex
	stopped chan *lookUp
	feed    chan store.Change
}

// lookUp has read the backend and not yet returned.
type lookUp struct{ release chan struct{} }

func (l *lookUp) goOn() { close(l.release) }

// stop makes later look-ups stop after their read; the channel returns them.
func (b *backend) stop() chan *lookUp {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = make(chan *lookUp, 100)
	return b.stopped
}

func (b *backend) run() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = nil
}

func (b *backend) wait(ctx context.Context) error {
	b.lookUps.Add(1)
	b.mu.Lock()
	stopped := b.stopped
	b.mu.Unlock()
	if stopped != nil {
		l := &lookUp{make(chan struct{})}
		stopped <- l
		select {
		case <-l.release:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if b.fails.Load() {
		return errDown
	}
	return nil
}

func (b *backend) NamedKey(ctx context.Context, id string) (store.Key, error) {
	key, err := b.Store.NamedKey(ctx, id)
	return key, errors.Join(err, b.wait(ctx))
}

func (b *backend) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	key, err := b.Store.TemporaryKey(ctx, subject)
	return key, errors.Join(err, b.wait(ctx))
}

// Watch reports the changes that the test sends.
func (b *backend) Watch(ctx context.Context, observe func(store.Change)) error {
	b.watches.Add(1)
	b.mu.Lock()
	feed := b.feed
	b.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case change, more := <-feed:
			if !more {
				return errDown
			}
			observe(change)
		}
	}
}

// nextFeed sets the feed of the next call of Watch.
func (b *backend) nextFeed(feed chan store.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.feed = feed
}

// Writes call before immediately before they write.

func (b *backend) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	b.before()
	return b.Store.EnsureTemporaryKey(ctx, subject, secret)
}

func (b *backend) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	b.before()
	return b.Store.RotateTemporaryKey(ctx, subject, secret)
}

func (b *backend) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	b.before()
	return b.Store.DeleteTemporaryKey(ctx, subject)
}

func (b *backend) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	b.before()
	return b.Store.CreateToken(ctx, t, require)
}

func (b *backend) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	b.before()
	return b.Store.UpdateToken(ctx, id, change)
}

func (b *backend) DeleteToken(ctx context.Context, id string) error {
	b.before()
	return b.Store.DeleteToken(ctx, id)
}

func (b *backend) CreateIdentity(ctx context.Context, i store.Identity) error {
	b.before()
	return b.Store.CreateIdentity(ctx, i)
}

func (b *backend) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	b.before()
	return b.Store.UpdateIdentity(ctx, subject, change)
}

func (b *backend) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	b.before()
	return b.Store.DeleteIdentity(ctx, subject)
}

func (b *backend) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	b.before()
	return b.Store.ReplaceTemporarySecret(ctx, subject, old, secret)
}

func (b *backend) Import(ctx context.Context, records []store.Record) error {
	b.before()
	return b.Store.Import(ctx, records)
}

// newBackend returns a backend with the token "a", the identity of alice and
// her temporary secret.
func newBackend(t testing.TB) *backend {
	t.Helper()
	b := &backend{Store: memory.New(), feed: make(chan store.Change), before: func() {}}
	fill(t, b.Store)
	return b
}

func fill(t testing.TB, s store.Store) {
	t.Helper()
	require.NoError(t, s.CreateIdentity(t.Context(), store.Identity{Subject: alice, Username: "alice"}))
	require.NoError(t, second(s.CreateToken(t.Context(), token("a"), 0)))
	_, err := s.EnsureTemporaryKey(t.Context(), alice, store.NewSecret("temporary"))
	require.NoError(t, err)
}

func token(id string) store.Token {
	return store.Token{ID: id, Name: id, Version: 2, Subject: alice, Type: "act", Secret: store.NewSecret("secret of " + id)}
}

// clock is a manual clock.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time { return time.Unix(0, c.now.Load()) }

func (c *clock) move(d time.Duration) { c.now.Add(int64(d)) }

// open returns a cache with a manual clock, and closes it at the end of the
// test.
func open(t testing.TB, b store.Store, o cache.Options) (cache.Store, *clock) {
	t.Helper()
	moved := new(clock)
	o.Clock = moved.Now
	c, err := cache.New(b, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c, moved
}

// plain is a store without a feed.
type plain struct{ store.Store }

func (plain) Watch(ctx context.Context, _ func(store.Change)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.ErrUnsupported
}

// namedKey requires that the key exists.
func namedKey(t testing.TB, s store.Store) store.Key {
	t.Helper()
	key, err := s.NamedKey(t.Context(), "a")
	require.NoError(t, err)
	return key
}

// found is the result of a look-up in another goroutine.
type found struct {
	key store.Key
	err error
}

func goNamedKey(ctx context.Context, s store.Store) <-chan found {
	ch := make(chan found, 1)
	go func() {
		key, err := s.NamedKey(ctx, "a")
		ch <- found{key, err}
	}()
	return ch
}

func temporaryKey(t testing.TB, s store.Store) store.Key {
	t.Helper()
	key, err := s.TemporaryKey(t.Context(), alice)
	require.NoError(t, err)
	return key
}

func revoke(t testing.TB, s store.Store) {
	t.Helper()
	require.NoError(t, s.UpdateToken(t.Context(), "a", func(t *store.Token) error { t.Revoked = true; return nil }))
}

func block(t testing.TB, s store.Store) {
	t.Helper()
	require.NoError(t, s.UpdateIdentity(t.Context(), alice, func(i *store.Identity) error { i.Blocked = true; return nil }))
}

func requireEnvironment(t testing.TB, err, target error) {
	t.Helper()
	require.ErrorIs(t, err, target)
	_, catalogued := errors.AsType[*errors.Error](err)
	require.False(t, catalogued, "%v", err)
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
