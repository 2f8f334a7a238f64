package sqlite_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/sqlite"
)

// TestCallsThatWaitEndWithTheirContext locks the file, so that each call waits
// until its deadline has passed.
func TestCallsThatWaitEndWithTheirContext(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	s := newOver(t, newHandle(t, path), sqlite.Options{BusyTimeout: time.Hour})
	populate(t, s)
	before := contents(t, s)
	other := newHandle(t, path)
	other.SetMaxOpenConns(1)
	for _, c := range append(calls(s), call{"the first call", false, func(ctx context.Context) error {
		return second(sqlite.New(newHandle(t, path), sqlite.Options{BusyTimeout: time.Hour}).NamedKey(ctx, "a"))
	}}) {
		execute(t, other, "BEGIN EXCLUSIVE")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		err := c.do(ctx)
		cancel()
		requireOperational(t, err, c.name)
		require.ErrorIs(t, err, context.DeadlineExceeded, c.name)
		execute(t, other, "ROLLBACK")
		require.Equal(t, before, contents(t, s), c.name)
	}
}

// countdown is a context that is canceled at the nth check.
type countdown struct {
	context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

func newCountdown(ctx context.Context, n int) *countdown {
	c := new(countdown)
	c.Context, c.cancel = context.WithCancel(ctx)
	c.left.Store(int64(n))
	return c
}

func (c *countdown) Done() <-chan struct{} {
	c.count()
	return c.Context.Done()
}

func (c *countdown) Err() error {
	c.count()
	return c.Context.Err()
}

func (c *countdown) count() {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
}

// TestCanceledCallsAreAtomic cancels each call at each check of its context. Then
// either the whole change is done or nothing.
func TestCanceledCallsAreAtomic(t *testing.T) {
	t.Parallel()
	open := func() *sqlite.Store {
		s := openAt(t, newPath(t), sqlite.Options{Synchronous: sqlite.Off})
		populate(t, s)
		return s
	}
	for i, named := range calls(open()) {
		t.Run(named.name, func(t *testing.T) {
			t.Parallel()
			s := open()
			before := contents(t, s)
			require.NoError(t, calls(s)[i].do(t.Context()))
			after := contents(t, s)

			s = open()
			for n := 1; ; n++ {
				require.Less(t, n, 1000, "the call never completes")
				ctx := newCountdown(t.Context(), n)
				err := calls(s)[i].do(ctx)
				ctx.cancel()
				if err == nil {
					require.Greater(t, n, 1, "the context was not checked")
					require.Equal(t, after, contents(t, s), "canceled at %d: it was acknowledged", n)
					break
				}
				requireOperational(t, err, "canceled at %d", n)
				require.ErrorIs(t, err, context.Canceled, "canceled at %d", n)
				if now := contents(t, s); now != before {
					require.Equal(t, after, now, "canceled at %d: half of it was done", n)
					s = open()
				}
			}
		})
	}
}

// TestCanceledMigrationIsAtomic does the same to the migration of an empty file:
// afterwards it has all tables or none.
func TestCanceledMigrationIsAtomic(t *testing.T) {
	t.Parallel()
	const tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'onezone!_%' ESCAPE '!'"
	reader, _ := openAt(t, newPath(t), sqlite.Options{}).Handles()
	all := ask[int](t, reader, tables)
	for n := 1; ; n++ {
		require.Less(t, n, 1000, "the call never completes")
		s, err := sqlite.Open(t.Context(), newPath(t), sqlite.Options{Synchronous: sqlite.Off})
		require.NoError(t, err)
		ctx := newCountdown(t.Context(), n)
		err = s.Migrate(ctx)
		ctx.cancel()
		if err == nil {
			require.Greater(t, n, 1, "the context was not checked")
			require.NoError(t, s.Close())
			return
		}
		require.ErrorIs(t, err, context.Canceled, "canceled at %d", n)
		reader, _ := s.Handles()
		require.Contains(t, []int{0, all}, ask[int](t, reader, tables), "canceled at %d", n)
		require.NoError(t, s.Migrate(t.Context()))
		require.Equal(t, all, ask[int](t, reader, tables))
		require.NoError(t, s.Close())
	}
}

// TestChangeThatCancelsItsContextWritesNothing cancels an update from its
// change function.
func TestChangeThatCancelsItsContextWritesNothing(t *testing.T) {
	t.Parallel()
	s := openAt(t, newPath(t), sqlite.Options{})
	populate(t, s)
	before := contents(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.UpdateToken(ctx, "a", func(token *store.Token) error {
		cancel()
		return revoke(token)
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, before, contents(t, s))
	require.NoError(t, s.UpdateToken(t.Context(), "a", revoke))
}
