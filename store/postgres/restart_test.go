package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/postgres"
)

// load counts the results of writers while the server restarts.
type load struct {
	created   sync.Map     // ids of the tokens the creation of which was acknowledged
	creations atomic.Int64 // how many
	updates   atomic.Int64 // acknowledged updates of the token "counter"
	failures  atomic.Int64
	wrong     atomic.Pointer[error] // an error that is not operational
}

func (l *load) write(ctx context.Context, s *postgres.Store, writer int) {
	for i := 0; ctx.Err() == nil; i++ {
		id := fmt.Sprint("token ", writer, " ", i)
		if err := second(s.CreateToken(ctx, newToken(id), 0)); err == nil {
			l.created.Store(id, true)
			l.creations.Add(1)
		} else {
			l.fail(err)
		}
		err := s.UpdateToken(ctx, "counter", func(t *store.Token) error {
			t.UsageCount++
			return nil
		})
		if err == nil {
			l.updates.Add(1)
		} else {
			l.fail(err)
		}
	}
}

func (l *load) fail(err error) {
	l.failures.Add(1)
	if _, ok := errors.AsType[*errors.Error](err); ok {
		l.wrong.Store(&err)
	}
}

func TestServerCrashesUnderLoad(t *testing.T) {
	server := pgtest.Own(t)
	pool := newPoolAt(t, server.URL, nil)
	s := postgres.New(pool, postgres.Options{})
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, second(s.CreateToken(t.Context(), newToken("counter"), 0)))
	f := watch(t, s, store.FeedUp, store.FeedDown, store.IdentityChanged)

	var l load
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writers sync.WaitGroup
	for writer := range 8 {
		writers.Go(func() { l.write(ctx, s, writer) })
	}
	for range 3 {
		more := l.creations.Load() + 100
		eventually(t, func() bool { return l.creations.Load() > more }, "writers make no progress")
		failures := l.failures.Load()
		require.NoError(t, server.Stop("immediate"))
		eventually(t, func() bool { return l.failures.Load() > failures+20 }, "calls succeed without a server")
		require.Equal(t, store.FeedDown, receive(t, f.changes, "the feed disconnects").Kind)
		require.NoError(t, server.Start())
		require.Equal(t, store.FeedUp, receive(t, f.changes, "the feed is connected again").Kind)
	}
	more := l.creations.Load() + 100
	eventually(t, func() bool { return l.creations.Load() > more }, "the pool did not recover")
	cancel()
	writers.Wait()

	if wrong := l.wrong.Load(); wrong != nil {
		require.NoError(t, *wrong, "an operational error was reported as a mistake of the caller")
	}
	l.created.Range(func(id, _ any) bool {
		key, err := s.NamedKey(t.Context(), id.(string))
		require.NoError(t, err, "an acknowledged token was lost")
		require.Equal(t, newToken(id.(string)).Secret.Reveal(), key.Secret.Reveal())
		return true
	})
	counter, err := s.GetToken(t.Context(), "counter")
	require.NoError(t, err)
	require.GreaterOrEqual(t, counter.UsageCount, l.updates.Load(), "an acknowledged update was lost")
	require.LessOrEqual(t, counter.UsageCount, l.updates.Load()+l.failures.Load(), "an update was written twice")
	require.NoError(t, s.CreateIdentity(t.Context(), newUser("alice")))
	require.Equal(t, store.IdentityChanged, receive(t, f.changes, "a change").Kind)
}
