package memory_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}

var alice = caveat.User("alice")

func newToken(id string) store.Token {
	return store.Token{
		ID: id, Name: "name of " + id, Version: 2, Subject: alice, Type: "act",
		Secret: store.NewSecret("secret of " + id), Created: 1_600_000_000,
	}
}

// A verification must not combine the token and the holder of different
// moments. Here the token is revoked whenever its holder is not blocked.
func TestNamedKeyIsAtomic(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := memory.New()
	require.NoError(t, s.CreateIdentity(ctx, store.Identity{Subject: alice, Blocked: true}))
	require.NoError(t, second(s.CreateToken(ctx, newToken("a"), 0)))
	block := func(blocked bool) error {
		return s.UpdateIdentity(ctx, alice, func(i *store.Identity) error {
			i.Blocked = blocked
			return nil
		})
	}
	revoke := func(revoked bool) error {
		return s.UpdateToken(ctx, "a", func(t *store.Token) error {
			t.Revoked = revoked
			return nil
		})
	}
	var done atomic.Bool
	var impossible, failed atomic.Int64
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for !done.Load() {
				key, err := s.NamedKey(ctx, "a")
				if err != nil {
					failed.Add(1)
				}
				if !key.Revoked && key.Holder == store.HolderActive {
					impossible.Add(1)
				}
			}
		})
	}
	for range 20_000 {
		require.NoError(t, errors.Join(revoke(true), block(false), block(true), revoke(false)))
	}
	done.Store(true)
	readers.Wait()
	require.Zero(t, failed.Load())
	require.Zero(t, impossible.Load(), "keys of a token that is good in the hands of an active holder")
}

// A token that an import replaces is always found.
func TestImportNeverHidesAToken(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := memory.New()
	require.NoError(t, second(s.CreateToken(ctx, newToken("a"), 0)))
	var done atomic.Bool
	var failed atomic.Int64
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for !done.Load() {
				if _, err := s.NamedKey(ctx, "a"); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	var want int64
	for i := range int64(5000) {
		token := newToken("a")
		token.Created = i
		require.NoError(t, s.Import(ctx, []store.Record{{Token: &token}}))
		// An update right after the import must not be lost on the replaced
		// record.
		require.NoError(t, s.UpdateToken(ctx, "a", func(t *store.Token) error {
			t.UsageCount++
			return nil
		}))
		got, err := s.GetToken(ctx, "a")
		require.NoError(t, err)
		require.EqualValues(t, 1, got.UsageCount)
		want = i
	}
	done.Store(true)
	readers.Wait()
	require.Zero(t, failed.Load(), "look-ups that missed the token")
	got, _, err := s.ListTokens(ctx, store.Query{})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, want, got[0].Created)
}

func TestExportRejectsInvalidPositions(t *testing.T) {
	t.Parallel()
	s := memory.New()
	for _, c := range []struct {
		kind  store.RecordKind
		after string
	}{
		{0, ""}, {99, ""}, {store.IdentityRecords, "alice"}, {store.TemporaryRecords, "alice"},
		{store.TokenRecords, "x"}, {store.TokenRecords, "12"}, {store.TokenRecords, "x y"},
	} {
		_, _, err := s.Export(t.Context(), c.kind, c.after, 1)
		require.ErrorIs(t, err, errors.IDBadData, "%+v", c)
	}
}

func TestClosedStoreRejectsEveryCall(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := memory.New()
	require.NoError(t, second(s.CreateToken(ctx, newToken("a"), 0)))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "the second time")
	for what, err := range map[string]error{
		"NamedKey":               second(s.NamedKey(ctx, "a")),
		"TemporaryKey":           second(s.TemporaryKey(ctx, alice)),
		"EnsureTemporaryKey":     second(s.EnsureTemporaryKey(ctx, alice, store.NewSecret("x"))),
		"RotateTemporaryKey":     second(s.RotateTemporaryKey(ctx, alice, store.NewSecret("x"))),
		"ReplaceTemporarySecret": second(s.ReplaceTemporarySecret(ctx, alice, store.NewSecret("x"), store.NewSecret("y"))),
		"DeleteTemporaryKey":     s.DeleteTemporaryKey(ctx, alice),
		"CreateToken":            second(s.CreateToken(ctx, newToken("b"), 0)),
		"GetToken":               second(s.GetToken(ctx, "a")),
		"UpdateToken":            s.UpdateToken(ctx, "a", func(*store.Token) error { return nil }),
		"DeleteToken":            s.DeleteToken(ctx, "a"),
		"CreateIdentity":         s.CreateIdentity(ctx, store.Identity{Subject: alice}),
		"GetIdentity":            second(s.GetIdentity(ctx, alice)),
		"GetByUsername":          second(s.GetIdentityByUsername(ctx, "alice")),
		"UpdateIdentity":         s.UpdateIdentity(ctx, alice, func(*store.Identity) error { return nil }),
		"DeleteIdentity":         s.DeleteIdentity(ctx, alice),
		"Import":                 s.Import(ctx, nil),
		"Watch":                  s.Watch(ctx, func(store.Change) {}),
		"ListTokens":             third(s.ListTokens(ctx, store.Query{})),
		"ListTokenIDs":           third(s.ListTokenIDs(ctx, store.Query{})),
		"CountTokens":            second(s.CountTokens(ctx, alice)),
		"Export":                 third(s.Export(ctx, store.TokenRecords, "", 0)),
	} {
		require.ErrorIs(t, err, store.ErrClosed, what)
		_, catalogued := errors.AsType[*errors.Error](err)
		require.False(t, catalogued, what)
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case v := <-ch:
		return v
	case <-ctx.Done():
		require.FailNow(t, "gave up waiting")
	}
	panic("not reached")
}

func TestCloseEndsWatch(t *testing.T) {
	t.Parallel()
	s := memory.New()
	changes, ended := make(chan store.Change, 2), make(chan error, 1)
	go func() { ended <- s.Watch(t.Context(), func(c store.Change) { changes <- c }) }()
	require.Equal(t, store.FeedUp, receive(t, changes).Kind)
	require.NoError(t, s.Close())
	require.Equal(t, store.FeedDown, receive(t, changes).Kind)
	require.ErrorIs(t, receive(t, ended), store.ErrClosed)
}

// A slow observer is notified that it missed changes, and receives all later
// ones.
func TestSlowObserverIsNotifiedOfMissedChanges(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := memory.New()
	changes, ended := make(chan store.Change), make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, func(c store.Change) {
			select {
			case changes <- c:
			case <-ctx.Done():
			}
		})
	}()
	require.Equal(t, store.FeedUp, receive(t, changes).Kind)
	const written = 10_000 // more than are queued
	for i := range written {
		require.NoError(t, second(s.CreateToken(ctx, newToken(fmt.Sprint(i)), 0)))
	}
	reported := 0
	for receive(t, changes).Kind == store.TokenChanged {
		reported++
	}
	require.Less(t, reported, written, "changes were lost")
	require.Equal(t, store.FeedUp, receive(t, changes).Kind, "after FeedDown")
	require.NoError(t, s.DeleteToken(ctx, "0"))
	// The queue may have overflowed a second time before it was read.
	for receive(t, changes) != (store.Change{Kind: store.TokenChanged, TokenID: "0"}) {
	}

	cancel()
	require.ErrorIs(t, receive(t, ended), context.Canceled)
}

func TestCallsWithoutEffectReportNoChange(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := memory.New()
	changes := make(chan store.Change, 10)
	go func() { _ = s.Watch(ctx, func(c store.Change) { changes <- c }) }()
	require.Equal(t, store.FeedUp, receive(t, changes).Kind)

	require.NoError(t, s.DeleteTemporaryKey(ctx, alice))
	require.Error(t, s.DeleteToken(ctx, "a"))
	require.Error(t, s.DeleteIdentity(ctx, alice))
	require.Error(t, second(s.CreateToken(ctx, store.Token{}, 0)))
	want := store.Change{Kind: store.TemporaryChanged, Subject: alice}
	for range 3 {
		_, err := s.EnsureTemporaryKey(ctx, alice, store.NewSecret("x"))
		require.NoError(t, err)
	}
	require.Equal(t, want, receive(t, changes))
	require.NoError(t, s.DeleteTemporaryKey(ctx, alice))
	require.Equal(t, want, receive(t, changes))
	require.NoError(t, second(s.CreateToken(ctx, newToken("a"), 0)))
	require.Equal(t, store.Change{Kind: store.TokenChanged, TokenID: "a"}, receive(t, changes), "an ensure that made nothing was reported")
}

// The change functions of these tests violate the contract, to force another
// write during the update.
func TestUpdateIsRetriedAfterAConcurrentWrite(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	replaced := newToken("a")
	replaced.Name, replaced.UsageCount = "replaced", 10
	for about, write := range map[string]func(s *memory.Store) error{
		"update": func(s *memory.Store) error {
			return s.UpdateToken(ctx, "a", func(t *store.Token) error {
				t.UsageCount = 10
				return nil
			})
		},
		"delete and create": func(s *memory.Store) error {
			return errors.Join(s.DeleteToken(ctx, "a"), second(s.CreateToken(ctx, replaced, 0)))
		},
		"import": func(s *memory.Store) error { return s.Import(ctx, []store.Record{{Token: &replaced}}) },
	} {
		s := memory.New()
		require.NoError(t, second(s.CreateToken(ctx, newToken("a"), 0)))
		calls := 0
		require.NoError(t, s.UpdateToken(ctx, "a", func(token *store.Token) error {
			if calls++; calls == 1 {
				require.NoError(t, write(s))
			}
			token.UsageCount++
			return nil
		}), about)
		require.Equal(t, 2, calls, about)
		got, err := s.GetToken(ctx, "a")
		require.NoError(t, err)
		require.EqualValues(t, 11, got.UsageCount, about)
	}

	s := memory.New()
	require.NoError(t, second(s.CreateToken(ctx, newToken("a"), 0)))
	err := s.UpdateToken(ctx, "a", func(*store.Token) error { return s.DeleteToken(ctx, "a") })
	require.ErrorIs(t, err, errors.IDNotFound)
	require.NoError(t, second(s.CreateToken(ctx, newToken("a"), 0)), "the name is taken by a token that is gone")
}

func TestUpdateIdentityIsRetriedAfterAConcurrentWrite(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := memory.New()
	require.NoError(t, s.CreateIdentity(ctx, store.Identity{Subject: alice}))
	calls := 0
	require.NoError(t, s.UpdateIdentity(ctx, alice, func(i *store.Identity) error {
		if calls++; calls == 1 {
			require.NoError(t, s.UpdateIdentity(ctx, alice, func(i *store.Identity) error {
				i.Blocked = true
				return nil
			}))
		}
		i.FullName = "Alice"
		return nil
	}))
	got, err := s.GetIdentity(ctx, alice)
	require.NoError(t, err)
	require.Equal(t, store.Identity{Subject: alice, FullName: "Alice", Blocked: true}, got)

	err = s.UpdateIdentity(ctx, alice, func(*store.Identity) error { return s.DeleteIdentity(ctx, alice) })
	require.ErrorIs(t, err, errors.IDNotFound)
}

// Another call may write between the check and the write.
func TestEnsureTemporaryKeyIsAtomic(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for range 3000 {
		s := memory.New()
		var keys [3]store.Key
		var ready atomic.Int64
		var callers sync.WaitGroup
		for i := range keys {
			callers.Go(func() {
				for ready.Add(1); ready.Load() < int64(len(keys)); {
					runtime.Gosched()
				}
				keys[i], _ = s.EnsureTemporaryKey(ctx, alice, store.NewSecret(fmt.Sprint(i)))
			})
		}
		callers.Wait()
		kept, err := s.TemporaryKey(ctx, alice)
		require.NoError(t, err)
		require.Equal(t, [3]store.Key{kept, kept, kept}, keys)
	}
}

// Keys share the tails, so their capacity must not allow two callers to append
// to the same memory.
func TestTailsOfKeyHaveNoSpareCapacity(t *testing.T) {
	t.Parallel()
	s := memory.New()
	token := newToken("a")
	for i := range 5 {
		token.RevokedTails = append(token.RevokedTails, store.Tail{byte(i)})
	}
	require.NoError(t, second(s.CreateToken(t.Context(), token, 0)))
	for range 100 { // however the lists grew
		require.NoError(t, s.UpdateToken(t.Context(), "a", func(t *store.Token) error {
			t.RevokedTails = append(t.RevokedTails, store.Tail{})
			return nil
		}))
		key, err := s.NamedKey(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, len(key.RevokedTails), cap(key.RevokedTails))
	}
}

func TestVerificationDoesNotAllocate(t *testing.T) {
	ctx := t.Context()
	s := memory.New()
	token := newToken("a")
	token.RevokedTails = []store.Tail{{1}}
	require.NoError(t, second(s.CreateToken(ctx, token, 0)))
	_, err := s.EnsureTemporaryKey(ctx, alice, store.NewSecret("x"))
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.NamedKey(ctx, "a") }))
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.TemporaryKey(ctx, alice) }))
}
