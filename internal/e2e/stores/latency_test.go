//go:build e2e

package stores_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/postgres"
)

const revocations = 1000

// maxLatency is the limit for the 99th percentile of revocations on a busy
// machine. Usual latencies are far lower: see the log.
const maxLatency = time.Second

// TestRevocationLatency revokes tokens on one replica, and measures how long
// another replica still accepts them after the acknowledgment. The other
// replica has all of them in its cache, with a TTL of an hour. The test is not
// parallel, because it measures times.
func TestRevocationLatency(t *testing.T) {
	for _, e := range shared {
		t.Run(e.name, func(t *testing.T) {
			p := e.make(t)
			here := newAuthority(t, followed(t, p(t), forgetsNothing))
			createUser(t, here)
			tokens := issue(t, here, revocations)
			elsewhere := followed(t, p(t), forgetsNothing)
			there := newAuthority(t, elsewhere)
			requireKept(t, there, elsewhere, tokens)

			latencies := make([]time.Duration, len(tokens))
			workers := 1
			if e.name == "sqlite" {
				workers = 16 // the feed is polled 20 times a second
			}
			inParallel(len(tokens), workers, func(i int) {
				if !t.Failed() && assert.NoError(t, here.Revoke(t.Context(), tokens[i].ID())) {
					latencies[i] = refusedAfter(t, there, tokens[i])
				}
			})
			require.False(t, t.Failed())
			slices.Sort(latencies)
			p50, p99 := latencies[len(latencies)/2], latencies[len(latencies)*99/100]
			t.Logf("%d revocations with %s: p50 %s, p99 %s, max %s",
				len(latencies), e.name, p50, p99, latencies[len(latencies)-1])
			require.Less(t, p99, maxLatency)
		})
	}
}

// requireKept requires that the authority accepts the tokens and answers from
// its cache.
func requireKept(t *testing.T, a *macaroon.Authority, c cache.Store, tokens []macaroon.Token) {
	t.Helper()
	for range 2 {
		inParallel(len(tokens), 8, func(i int) { assert.NoError(t, verify(t.Context(), a, tokens[i])) })
	}
	before := c.Stats()
	inParallel(len(tokens), 8, func(i int) { assert.NoError(t, verify(t.Context(), a, tokens[i])) })
	require.Equal(t, before.Loads, c.Stats().Loads, "the cache forgets without a reason")
	require.Equal(t, before.Hits+uint64(len(tokens)), c.Stats().Hits)
	require.False(t, t.Failed())
}

// refusedAfter returns the time until the token is rejected.
func refusedAfter(t *testing.T, a *macaroon.Authority, token macaroon.Token) time.Duration {
	acknowledged := time.Now()
	for {
		err := verify(t.Context(), a, token)
		elapsed := time.Since(acknowledged)
		switch {
		case errors.Is(err, errors.IDTokenRevoked):
			return elapsed
		case !assert.NoError(t, err), !assert.Less(t, elapsed, patience, "the revocation is not seen"):
			return elapsed
		}
		<-time.After(20 * time.Microsecond)
	}
}

// TestWithoutAFeedARevocationIsRefusedWithinTheTTL checks the limit to the
// nanosecond, by moving the clock of the cache.
func TestWithoutAFeedARevocationIsRefusedWithinTheTTL(t *testing.T) {
	t.Parallel()
	hidden := func(p place) place { return func(tb testing.TB) store.Store { return plain{p(tb)} } }
	var engines []engine
	for _, e := range shared {
		engines = append(engines, engine{e.name, func(tb testing.TB) place { return hidden(e.make(tb)) }})
	}
	engines = append(engines, engine{"postgres without triggers", func(tb testing.TB) place {
		return inPostgres(sharedPool, postgres.Options{Schema: newSchema(tb), NoFeed: true})
	}})
	forEach(t, engines, func(t *testing.T, p place) {
		const ttl = 3 * time.Second
		here := newAuthority(t, cached(t, p(t), cache.Options{}))
		createUser(t, here)
		tokens := issue(t, here, revocations)
		moved := newClock()
		elsewhere := cached(t, p(t), cache.Options{ShortTTL: ttl, Clock: moved.Now})
		there := newAuthority(t, elsewhere)
		requireKept(t, there, elsewhere, tokens)

		inParallel(len(tokens), 8, func(i int) { assert.NoError(t, here.Revoke(t.Context(), tokens[i].ID())) })
		moved.move(ttl - 1)
		for _, token := range tokens {
			require.NoError(t, verify(t.Context(), there, token), "the cache is of no use")
			require.ErrorIs(t, verify(t.Context(), here, token), errors.IDTokenRevoked, "the replica's own revocation")
		}
		moved.move(1)
		for _, token := range tokens {
			require.ErrorIs(t, verify(t.Context(), there, token), errors.IDTokenRevoked)
		}
		require.False(t, elsewhere.Stats().FeedUp)
	})
}
