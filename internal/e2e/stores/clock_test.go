//go:build e2e

package stores_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/cache"
)

// TestClockGoesBackwards sets the clock of the authority and the cache back after
// every step.
func TestClockGoesBackwards(t *testing.T) {
	t.Parallel()
	forEach(t, engines, func(t *testing.T, p place) {
		ctx, moved := t.Context(), newClock()
		back := func() { moved.move(-time.Hour) }
		o := cache.Options{TTL: 2 * time.Hour, ShortTTL: 2 * time.Hour, Clock: moved.Now}
		a := newAuthority(t, cached(t, plain{sealed(t, p(t), "k")}, o), macaroon.WithClock(moved.Now))
		createUser(t, a)

		var named []macaroon.Token
		for i := range 10 {
			back()
			token, err := a.IssueNamed(ctx, name(i), access)
			require.NoError(t, err)
			named = append(named, token)
		}
		for _, token := range named {
			back()
			require.NoError(t, verify(ctx, a, token))
		}

		// They are listed in order of their recorded creation time.
		var listed []string
		for q := (store.Query{Subject: alice, Limit: 3}); ; {
			page, next, err := a.List(ctx, q)
			require.NoError(t, err)
			for _, token := range page {
				listed = append(listed, token.Name)
			}
			if next.IsZero() {
				break
			}
			q.After = next
			back()
		}
		require.Equal(t, []string{name(9), name(8), name(7), name(6), name(5), name(4), name(3), name(2), name(1), name(0)}, listed)

		// A revoked token stays revoked.
		short := access
		short.Caveats = []caveat.Caveat{caveat.Until(moved.Now().Add(time.Minute))}
		old, err := a.Issue(ctx, short)
		require.NoError(t, err)
		require.NoError(t, verify(ctx, a, old))
		require.NoError(t, a.RevokeTemporary(ctx, alice))
		require.NoError(t, a.Revoke(ctx, named[0].ID()))
		require.NoError(t, a.Delete(ctx, named[1].ID()))
		for range 3 {
			back()
			require.ErrorIs(t, verify(ctx, a, old), errors.IDTokenRevoked)
			require.ErrorIs(t, verify(ctx, a, named[0]), errors.IDTokenRevoked)
			require.ErrorIs(t, verify(ctx, a, named[1]), errors.IDTokenInvalid)
		}

		// So does a token that another replica revoked without notifying the
		// cache: the cache does not use an answer from the future.
		require.NoError(t, verify(ctx, a, named[2]))
		require.NoError(t, newAuthority(t, sealed(t, p(t), "k")).Revoke(ctx, named[2].ID()))
		require.NoError(t, verify(ctx, a, named[2]), "the cache keeps nothing")
		back()
		require.ErrorIs(t, verify(ctx, a, named[2]), errors.IDTokenRevoked)

		short.Caveats = []caveat.Caveat{caveat.Until(moved.Now().Add(time.Minute))}
		renewed, err := a.Issue(ctx, short)
		require.NoError(t, err)
		require.NoError(t, verify(ctx, a, renewed))
		generation, err := a.TemporaryGeneration(ctx, alice)
		require.NoError(t, err)
		require.EqualValues(t, 2, generation)

		// A token expires by the clock, whether or not it is cached.
		moved.move(time.Hour)
		require.ErrorIs(t, verify(ctx, a, renewed), errors.IDTokenCaveatUnverified)
		back()
		require.NoError(t, verify(ctx, a, renewed))
	})
}
