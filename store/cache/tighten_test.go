package cache_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store/cache"
	"github.com/onezone-go/onezone/store/memory"
)

// verifyOver presents the token over the interface.
func verifyOver(t *testing.T, a *macaroon.Authority, token macaroon.Token, i caveat.Interface) error {
	t.Helper()
	_, err := a.VerifyAccess(t.Context(), token.String(), caveat.Request{Interface: i})
	return err
}

// A caveat that was added on one replica holds on the others when the feed has
// told them, and on the replica itself once the call has returned.
func TestTokensTightenedOnOneReplicaAreHeldByOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := memory.New()
		fill(t, shared)
		var replicas []*macaroon.Authority
		for range 3 {
			c, _ := open(t, shared, cache.Options{TTL: time.Hour, ShortTTL: time.Hour})
			authority, err := macaroon.NewAuthority(c)
			require.NoError(t, err)
			replicas = append(replicas, authority)
		}
		synctest.Wait()
		token, err := replicas[0].IssueNamed(t.Context(), "laptop", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		require.NoError(t, err)
		synctest.Wait()
		for range 3 { // from the cache, and recognized
			for _, replica := range replicas {
				require.NoError(t, verifyOver(t, replica, token, caveat.Oneclient))
			}
		}
		require.NoError(t, replicas[1].Tighten(t.Context(), token.ID(), caveat.REST))
		require.ErrorIs(t, verifyOver(t, replicas[1], token, caveat.Oneclient), errors.IDTokenCaveatUnverified, "before the feed")
		synctest.Wait() // the latency of the feed
		for _, replica := range replicas {
			require.ErrorIs(t, verifyOver(t, replica, token, caveat.Oneclient), errors.IDTokenCaveatUnverified)
			require.NoError(t, verifyOver(t, replica, token, caveat.REST))
		}
		require.NoError(t, replicas[2].Loosen(t.Context(), token.ID(), caveat.REST))
		synctest.Wait()
		for _, replica := range replicas {
			require.NoError(t, verifyOver(t, replica, token, caveat.Oneclient))
		}
	})
}

// No verification that starts after Tighten has returned is answered from an
// older look-up.
func TestTightenRacesCachedVerifications(t *testing.T) {
	t.Parallel()
	shared := memory.New()
	fill(t, shared)
	c, err := cache.New(shared, cache.Options{TTL: time.Hour, ShortTTL: time.Hour})
	require.NoError(t, err)
	defer c.Close()
	a, err := macaroon.NewAuthority(c)
	require.NoError(t, err)
	for _, name := range []string{"first", "second", "third", "fourth", "fifth"} {
		token, err := a.IssueNamed(t.Context(), name, macaroon.Grant{Subject: alice, Type: macaroon.AccessToken()})
		require.NoError(t, err)
		var tightened atomic.Bool
		var late atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 300 {
					before := tightened.Load()
					if verifyOver(t, a, token, caveat.Oneclient) == nil && before {
						late.Add(1)
					}
				}
			})
		}
		require.NoError(t, a.Tighten(t.Context(), token.ID(), caveat.REST))
		tightened.Store(true)
		wg.Wait()
		require.Zero(t, late.Load(), "accepted after Tighten had returned")
	}
}
