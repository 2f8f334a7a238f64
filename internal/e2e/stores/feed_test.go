//go:build e2e

package stores_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// TestEveryKindOfChangeReachesOtherReplicas uses caches that would serve stale
// answers for an hour if they missed a change.
func TestEveryKindOfChangeReachesOtherReplicas(t *testing.T) {
	t.Parallel()
	forEach(t, shared, func(t *testing.T, p place) {
		ctx := t.Context()
		replica := func() *macaroon.Authority {
			return newAuthority(t, followed(t, sealed(t, p(t), "k"), forgetsNothing))
		}
		here, there := replica(), replica()
		createUser(t, here)
		named := issue(t, here, 3)
		short := access
		short.Caveats = []caveat.Caveat{caveat.Until(here.Now().Add(3600e9))}
		temporary, err := here.Issue(ctx, short)
		require.NoError(t, err)

		// becomes waits until the other replica returns this result for the
		// token.
		becomes := func(token macaroon.Token, id errors.ID) {
			t.Helper()
			eventually(t, func() bool {
				err := verify(ctx, there, token)
				require.False(t, isOperational(err), "%v", err)
				return id == "" && err == nil || id != "" && errors.Is(err, id)
			}, "the token becomes "+string(id))
		}
		for _, token := range append(named, temporary) {
			becomes(token, "")
		}
		require.NoError(t, here.Revoke(ctx, named[0].ID()))
		becomes(named[0], errors.IDTokenRevoked)
		require.NoError(t, here.Restore(ctx, named[0].ID()))
		becomes(named[0], "")
		require.NoError(t, here.Tighten(ctx, named[0].ID(), caveat.Oneclient))
		becomes(named[0], errors.IDTokenCaveatUnverified)
		require.NoError(t, here.Loosen(ctx, named[0].ID(), caveat.Oneclient))
		becomes(named[0], "")
		require.NoError(t, here.Update(ctx, named[0].ID(), macaroon.Change{Bait: new(store.BaitAlarm)}))
		becomes(named[0], errors.IDTokenRevoked)
		require.NoError(t, here.Update(ctx, named[0].ID(), macaroon.Change{Bait: new(store.Bait(0))}))
		becomes(named[0], "")
		require.NoError(t, here.Delete(ctx, named[1].ID()))
		becomes(named[1], errors.IDTokenInvalid)
		require.NoError(t, here.SetBlocked(ctx, alice, true))
		becomes(named[2], errors.IDUserBlocked)
		becomes(temporary, errors.IDUserBlocked)
		require.NoError(t, here.SetBlocked(ctx, alice, false))
		becomes(named[2], "")
		require.NoError(t, here.RevokeTemporary(ctx, alice))
		becomes(temporary, errors.IDTokenRevoked)
		again, err := here.Issue(ctx, short)
		require.NoError(t, err)
		becomes(again, "")
		require.NoError(t, here.DeleteUser(ctx, alice))
		for _, token := range []macaroon.Token{named[0], named[2], again} {
			eventually(t, func() bool {
				err := verify(ctx, there, token)
				require.False(t, isOperational(err), "%v", err)
				return err != nil
			}, "the tokens of the deleted user are refused")
		}
	})
}

// TestANewTokenIsValidOnOtherReplicasImmediately tests cached negative answers:
// a key was looked up before it was created.
func TestANewTokenIsValidOnOtherReplicasImmediately(t *testing.T) {
	t.Parallel()
	forEach(t, shared, func(t *testing.T, p place) {
		ctx := t.Context()
		here, there := p(t), followed(t, p(t), forgetsNothing)
		for range 2 {
			_, err := there.NamedKey(ctx, "a")
			require.ErrorIs(t, err, errors.IDNotFound)
			_, err = there.TemporaryKey(ctx, alice)
			require.ErrorIs(t, err, errors.IDNotFound)
		}
		require.EqualValues(t, 2, there.Stats().Loads, "that there is none is not remembered")
		require.NoError(t, second(here.CreateToken(ctx, store.Token{
			ID: "a", Name: "a", Version: 2, Subject: alice, Type: "act", Secret: store.NewSecret("secret"),
		}, 0)))
		_, err := here.EnsureTemporaryKey(ctx, alice, store.NewSecret("secret"))
		require.NoError(t, err)
		eventually(t, func() bool {
			_, err := there.NamedKey(ctx, "a")
			return err == nil
		}, "the token is known")
		eventually(t, func() bool {
			_, err := there.TemporaryKey(ctx, alice)
			return err == nil
		}, "the temporary key is known")
	})
}
