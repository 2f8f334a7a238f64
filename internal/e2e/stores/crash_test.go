//go:build e2e

package stores_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/pgtest"
	"github.com/onezone-go/onezone/internal/testing/redistest"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/postgres"
	"github.com/onezone-go/onezone/store/transfer"
)

// server is a server of the test that can be crashed.
type server struct {
	place
	crash, restart func() error
}

// servers are configured to keep acknowledged writes when they crash.
var servers = map[string]func(t *testing.T) server{
	"postgres": func(t *testing.T) server {
		s := pgtest.Own(t)
		return server{inPostgres(ownPool(s.URL), postgres.Options{}), func() error { return s.Stop("immediate") }, s.Start}
	},
	"redis": func(t *testing.T) server {
		s := redistest.New(t, "--appendonly", "yes", "--appendfsync", "always")
		return server{inRedis("redis://"+s.Addr, ""), func() error { s.Kill(); return nil }, s.Restart}
	},
}

// load simulates users of two replicas while the server crashes and restarts.
type load struct {
	here, there *macaroon.Authority

	mu             sync.Mutex
	valid, revoked []macaroon.Token // as far as acknowledged

	written, unwritten   atomic.Int64 // writes by whether they were acknowledged
	verified, unverified atomic.Int64
	wrong                atomic.Pointer[error] // first error of the catalogue; all errors should be operational
}

// done counts the outcome of a call and reports whether it succeeded.
func (l *load) done(ctx context.Context, err error, well, ill *atomic.Int64) bool {
	switch {
	case err == nil:
		well.Add(1)
		return true
	case isOperational(err):
		ill.Add(1)
		pause(ctx, time.Millisecond)
	default:
		l.wrong.CompareAndSwap(nil, &err)
	}
	return false
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// write issues tokens and revokes each third of them.
func (l *load) write(ctx context.Context, writer int) {
	try := func(do func(ctx context.Context) error) bool {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		return l.done(ctx, do(attempt), &l.written, &l.unwritten)
	}
	for i := 0; ctx.Err() == nil; i++ {
		var token macaroon.Token
		issued := try(func(ctx context.Context) (err error) {
			token, err = l.here.IssueNamed(ctx, fmt.Sprint("token ", writer, " ", i), access)
			return err
		})
		kept := &l.valid
		if issued && i%3 == 0 {
			issued = try(func(ctx context.Context) error { return l.here.Revoke(ctx, token.ID()) })
			kept = &l.revoked
		}
		if issued {
			l.mu.Lock()
			*kept = append(*kept, token)
			l.mu.Unlock()
		}
	}
}

// verify presents the same token repeatedly.
func (l *load) verify(ctx context.Context, hot macaroon.Token) {
	for ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		l.done(ctx, verify(attempt, l.there, hot), &l.verified, &l.unverified)
		cancel()
		pause(ctx, 100*time.Microsecond)
	}
}

// more returns a condition that holds once the counter has grown by n.
func more(counter *atomic.Int64, n int64) func() bool {
	from := counter.Load()
	return func() bool { return counter.Load() >= from+n }
}

func TestServerCrashesBehindTheCache(t *testing.T) {
	t.Parallel()
	for name, newServer := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			o := cache.Options{TTL: time.Hour, LoadTimeout: time.Second}
			replica := func() cache.Store { return followed(t, sealed(t, s.place(t), "k"), o) }
			elsewhere := replica()
			l := &load{here: newAuthority(t, replica()), there: newAuthority(t, elsewhere)}
			createUser(t, l.here)
			hot := issue(t, l.here, 1)[0]

			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			defer all.Wait()
			defer cancel()
			for writer := range 3 {
				all.Go(func() { l.write(ctx, writer) })
				all.Go(func() { l.verify(ctx, hot) })
			}
			for range 2 {
				eventually(t, more(&l.written, 100), "writers get on")
				eventually(t, more(&l.verified, 100), "verifiers get on")
				before := elsewhere.Stats()
				require.True(t, before.FeedUp)
				unwritten, unverified := more(&l.unwritten, 10), more(&l.unverified, 10)
				require.NoError(t, s.crash())
				eventually(t, unwritten, "writers notice")
				eventually(t, unverified, "verifiers notice: the cache was flushed")
				eventually(t, func() bool { return !elsewhere.Stats().FeedUp }, "the feed is lost")
				require.Greater(t, elsewhere.Stats().Flushes, before.Flushes)

				require.NoError(t, s.restart())
				eventually(t, func() bool { return elsewhere.Stats().FeedUp }, "the feed stands again")
				filled := elsewhere.Stats()
				eventually(t, more(&l.verified, 100), "verifiers get on again")
				eventually(t, func() bool { return elsewhere.Stats().Hits >= filled.Hits+50 }, "the cache fills again")
			}
			eventually(t, more(&l.written, 100), "writers get on again")
			cancel()
			all.Wait()
			if wrong := l.wrong.Load(); wrong != nil {
				require.NoError(t, *wrong, "the environment is reported as the fault of a token or caller")
			}

			require.NotEmpty(t, l.valid)
			require.NotEmpty(t, l.revoked)
			bare := newAuthority(t, sealed(t, s.place(t), "k"))
			for _, token := range l.valid {
				require.NoError(t, verify(t.Context(), bare, token), "an acknowledged token is lost")
				require.NoError(t, verify(t.Context(), l.here, token))
				require.NoError(t, verify(t.Context(), l.there, token))
			}
			for _, token := range l.revoked {
				require.ErrorIs(t, verify(t.Context(), bare, token), errors.IDTokenRevoked, "an acknowledged revocation is lost")
				require.ErrorIs(t, verify(t.Context(), l.here, token), errors.IDTokenRevoked)
				require.ErrorIs(t, verify(t.Context(), l.there, token), errors.IDTokenRevoked)
			}
			require.NoError(t, l.here.Revoke(t.Context(), hot.ID()))
			refusedAfter(t, l.there, hot)
		})
	}
}

// TestServerCrashesDuringACopy resumes a copy after the server has crashed.
func TestServerCrashesDuringACopy(t *testing.T) {
	t.Parallel()
	for name, newServer := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			src, dst := filled(t), s.place(t)
			crashed := false
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done, err := transfer.Copy(ctx, dst, src, transfer.Options{PageSize: 100, Progress: func(p transfer.Progress) {
				if p.Records > records/2 && !crashed {
					crashed = true
					require.NoError(t, s.crash())
					time.AfterFunc(time.Second, cancel) // in case the client retries without end
				}
			}})
			require.True(t, isOperational(err), "%v", err)
			require.Less(t, done.Records, int64(records))
			require.NoError(t, s.restart())

			dst = s.place(t) // as if another process resumed the copy
			rest, err := transfer.Copy(t.Context(), dst, src, transfer.Options{From: done.Next, PageSize: 100})
			require.NoError(t, err)
			require.EqualValues(t, records, done.Records+rest.Records)
			require.Empty(t, differences(t, dst, src))
		})
	}
}
