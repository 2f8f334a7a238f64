package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/store"
)

// unreachable returns a store over a server that refuses connections.
func unreachable(t *testing.T) *Store {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), "postgres://127.0.0.1:1/none")
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s := New(pool, Options{})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestCreationsReturnTheirOwnErrors ends creations in a shared transaction with
// the contexts of their callers and with that of another caller.
func TestCreationsReturnTheirOwnErrors(t *testing.T) {
	t.Parallel()
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	t.Run("the contexts of all have ended", func(t *testing.T) {
		t.Parallel()
		s := unreachable(t)
		all := []*creation{
			{ctx: expired, done: make(chan error, 1)},
			{ctx: canceled, done: make(chan error, 1)},
			{ctx: expired, done: make(chan error, 1)},
		}
		require.Error(t, s.createBatch(all))
		for i, c := range all {
			require.Equal(t, c.ctx.Err(), s.resume(c, <-c.done), "creation %d", i)
		}
	})
	t.Run("the context of the caller is not done", func(t *testing.T) {
		t.Parallel()
		s := unreachable(t)
		c := &creation{ctx: t.Context(), done: make(chan error, 1)}
		err := s.resume(c, context.Canceled)
		require.NotErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "failed to connect", "the creation was not retried alone")
	})
	t.Run("another reason is everybody's", func(t *testing.T) {
		t.Parallel()
		s := unreachable(t)
		c := &creation{ctx: expired, done: make(chan error, 1)}
		require.ErrorIs(t, s.resume(c, store.ErrClosed), store.ErrClosed)
		require.NoError(t, s.resume(c, nil), "the token was created")
	})
}
