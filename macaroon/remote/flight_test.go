package remote_test

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/remote"
)

// hold makes the zone hold its answers until release is called.
func (z *zone) hold(t *testing.T) (release func()) {
	t.Helper()
	gate := make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	z.misbehave(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-gate:
			z.api.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
	return release
}

func TestAThousandCallersWithOneColdTokenCauseOneRequest(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	text := z.identity().String()
	start := make(chan struct{})
	var all sync.WaitGroup
	var good atomic.Int64
	for range 1000 {
		all.Go(func() {
			<-start
			if _, err := c.VerifyIdentity(context.Background(), text, caveat.Request{}); err == nil {
				good.Add(1)
			}
		})
	}
	close(start)
	all.Wait()
	require.EqualValues(t, 1000, good.Load())
	require.Equal(t, 1, z.requests())
	require.EqualValues(t, 2, c.Stats().RequestsGood, "with the domain")
}

func TestACallerThatGivesUpDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	text := z.identity().String()
	release := z.hold(t)
	impatient, cancel := context.WithCancel(t.Context())
	results := make(chan error, 2)
	go func() {
		_, err := c.VerifyIdentity(impatient, text, caveat.Request{})
		results <- err
	}()
	eventually(t, func() bool { return z.requests() == 1 }, "the request of the first caller")
	go func() {
		_, err := c.VerifyIdentity(t.Context(), text, caveat.Request{})
		results <- err
	}()
	eventually(t, func() bool { return c.Stats().Misses == 2 }, "the second caller")
	cancel()
	err := <-results
	requireOperational(t, err)
	require.ErrorIs(t, err, context.Canceled)
	release()
	require.NoError(t, <-results)
	require.Equal(t, 1, z.requests())
}

func TestACanceledContextIsOperationalAtEveryStep(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	text := z.identity().String()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	verify := func(ctx context.Context, c *remote.Client) error {
		_, err := c.VerifyIdentity(ctx, text, caveat.Request{})
		return err
	}
	t.Run("before", func(t *testing.T) {
		c := z.client(t)
		requireOperational(t, verify(canceled, c))
		require.NoError(t, verify(t.Context(), c))
		requireOperational(t, verify(canceled, c)) // with a cached answer, too
		_, err := c.Scope(canceled, z.Token().String(), "")
		requireOperational(t, err)
	})
	t.Run("while the domain is asked for", func(t *testing.T) {
		asked, done := make(chan struct{}), make(chan struct{})
		c := connect(t, "http://127.0.0.1", remote.WithTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
			close(asked)
			<-done
			return nil, errors.New("it ended")
		})), remote.WithRetries(0))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-asked; cancel() }()
		err := verify(ctx, c)
		close(done)
		requireOperational(t, err)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("while Onezone is asked", func(t *testing.T) {
		held := newZone(t)
		held.hold(t)
		c := held.client(t)
		token := held.identity().String()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := c.VerifyIdentity(ctx, token, caveat.Request{})
		requireOperational(t, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("between retries", func(t *testing.T) {
		failing := newZone(t)
		failing.misbehave(respondWith(http.StatusServiceUnavailable, ""))
		c := failing.client(t, remote.BackOff(time.Minute), remote.WithTimeout(5*time.Minute))
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for c.Stats().RequestsFailed == 0 {
				runtime.Gosched()
			}
			cancel()
		}()
		_, err := c.Scope(ctx, failing.Token().String(), "")
		requireOperational(t, err)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRetriesStopBeforeTheDeadlineOfTheCaller(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.misbehave(respondWith(http.StatusServiceUnavailable, ""))
	c := z.client(t, remote.BackOff(time.Minute), remote.WithTimeout(time.Hour))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := c.Scope(ctx, z.Token().String(), "")
	requireOperational(t, err)
	require.ErrorContains(t, err, "503", "the reason, and not the deadline")
	require.NoError(t, ctx.Err())
}

func TestCallersOfAFreshAnswerDoNotShareAnEarlierQuestion(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	token := z.identity()
	release := z.hold(t)
	early := make(chan error, 1)
	go func() {
		_, err := c.VerifyIdentity(t.Context(), token.String(), caveat.Request{})
		early <- err
	}()
	eventually(t, func() bool { return z.requests() == 1 }, "the request of the first caller")
	fresh := make(chan error, 8)
	for range cap(fresh) {
		go func() {
			_, err := c.VerifyIdentity(remote.Fresh(t.Context()), token.String(), caveat.Request{})
			fresh <- err
		}()
	}
	release()
	require.NoError(t, <-early)
	for range cap(fresh) {
		require.NoError(t, <-fresh)
	}
	require.Greater(t, z.requests(), 1)
	require.LessOrEqual(t, z.requests(), 1+cap(fresh))
}

func TestOnlyDifferencesThatACaveatAsksAboutCauseAnotherRequest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"interface = rest": 1, "ip = 192.0.2.0/24": 2} {
		z := newZone(t)
		c := z.client(t)
		token := z.identity(caveat.MustParse(text)).String()
		release := z.hold(t)
		results := make(chan error, 2)
		for i := range cap(results) {
			req := from(fmt.Sprintf("192.0.2.%d", i))
			req.Interface = caveat.REST
			go func() {
				_, err := c.VerifyIdentity(t.Context(), token, req)
				results <- err
			}()
		}
		eventually(t, func() bool { return c.Stats().Misses == 2 && z.requests() == want }, "both callers")
		release()
		for range cap(results) {
			require.NoError(t, <-results)
		}
		require.Equal(t, want, z.requests(), text)
	}
}

func TestBadTextsCauseFewRequests(t *testing.T) {
	t.Parallel()
	const texts, rate = 100_000, 20
	z := newZone(t)
	c := z.client(t, remote.WithMaxRate(rate))
	known := z.identity().String()
	_, err := c.VerifyIdentity(t.Context(), known, caveat.Request{})
	require.NoError(t, err)
	for i := range texts {
		_, err := c.VerifyIdentity(t.Context(), fmt.Sprintf("malformed%d", i), caveat.Request{})
		require.ErrorIs(t, err, errors.IDBadToken)
	}
	require.Equal(t, 1, z.requests())

	z.Clock.Advance(time.Second)
	forged := z.mint(t, macaroon.IdentityToken())
	for i := range texts {
		text, err := forged.Confine(caveat.Time{ValidUntil: z.Clock.Now().Unix() + 100 + int64(i)})
		require.NoError(t, err)
		_, err = c.VerifyIdentity(t.Context(), text.String(), caveat.Request{})
		require.Error(t, err)
	}
	require.LessOrEqual(t, z.requests(), 1+rate, "no time has passed by the clock of the client")
	require.LessOrEqual(t, c.Stats().Entries, remote.DefaultMaxEntries)
	_, err = c.VerifyIdentity(remote.Fresh(t.Context()), known, caveat.Request{})
	require.NoError(t, err, "tokens that have verified are not limited")
}

func TestAClosedClientAnswersWithOperationalErrors(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	text := z.identity().String()
	z.hold(t)
	result := make(chan error, 1)
	go func() {
		_, err := c.VerifyIdentity(context.Background(), text, caveat.Request{})
		result <- err
	}()
	eventually(t, func() bool { return z.requests() == 1 }, "a request in flight")
	require.NoError(t, c.Close())
	requireOperational(t, <-result)
	_, err := c.VerifyIdentity(t.Context(), text, caveat.Request{})
	requireOperational(t, err)
	require.ErrorContains(t, err, "closed")
}

func TestAnAnswerThatNobodyWaitsForIsCached(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	text := z.identity().String()
	release := z.hold(t)
	impatient, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		_, err := c.VerifyIdentity(impatient, text, caveat.Request{})
		result <- err
	}()
	eventually(t, func() bool { return z.requests() == 1 }, "the request")
	cancel()
	require.ErrorIs(t, <-result, context.Canceled)
	release()
	eventually(t, func() bool { return c.Stats().Entries == 1 }, "its answer")
	_, err := c.VerifyIdentity(t.Context(), text, caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, 1, z.requests())
}
