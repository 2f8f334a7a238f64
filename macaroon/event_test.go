package macaroon_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

func TestEventsNameTokensByID(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.access(t, caveat.REST, caveat.Until(start.Add(time.Hour)))
	assert.Equal(t, macaroon.Issued, z.lastEvent(t).Kind)
	assert.Equal(t, token.ID(), z.lastEvent(t).TokenID)

	_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{Interface: caveat.REST})
	require.NoError(t, err)
	e := z.lastEvent(t)
	assert.Equal(t, macaroon.Event{
		ID: e.ID, Kind: macaroon.Verified, Time: start, TokenID: token.ID(), Type: macaroon.AccessToken(), Subject: alice, CaveatIndex: -1,
	}, e)

	z.advance(2 * time.Hour)
	_, err = z.VerifyAccess(t.Context(), token.String(), caveat.Request{Interface: caveat.REST})
	requireID(t, errors.IDTokenCaveatUnverified, err)
	e = z.lastEvent(t)
	assert.Equal(t, macaroon.Refused, e.Kind)
	assert.Equal(t, 1, e.CaveatIndex)
	assert.Equal(t, caveat.TypeTime, e.CaveatType)
	assert.ErrorIs(t, e.Err, errors.IDTokenCaveatUnverified)

	requireID(t, errors.IDTokenInvalid, z.verify(forged(t, token)))
	assert.Equal(t, -1, z.lastEvent(t).CaveatIndex)

	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	assert.Equal(t, macaroon.Revoked, z.lastEvent(t).Kind)
	before := len(z.events)
	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	assert.Len(t, z.events, before, "nothing happened to the token")
	require.NoError(t, z.Update(t.Context(), token.ID(), macaroon.Change{Name: new("another name")}))
	assert.Equal(t, macaroon.Updated, z.lastEvent(t).Kind)
	assert.Len(t, z.events, before+1)
	require.NoError(t, z.Restore(t.Context(), token.ID()))
	assert.Equal(t, macaroon.Restored, z.lastEvent(t).Kind)
	require.NoError(t, z.RevokeTemporary(t.Context(), alice))
	e = z.lastEvent(t)
	assert.Equal(t, macaroon.Event{ID: e.ID, Kind: macaroon.Revoked, Time: z.now, Subject: alice, CaveatIndex: -1}, e)
	require.NoError(t, z.Delete(t.Context(), token.ID()))
	assert.Equal(t, macaroon.Deleted, z.lastEvent(t).Kind)
	for kind, name := range map[macaroon.EventKind]string{
		macaroon.Issued: "issued", macaroon.Verified: "verified", macaroon.Refused: "refused",
		macaroon.Revoked: "revoked", macaroon.Restored: "restored", macaroon.Deleted: "deleted", 0: "unknown", 255: "unknown",
	} {
		assert.Equal(t, name, kind.String())
	}
}

// The record of a version 1 token contains its subject. Events contain it after
// a successful verification.
func TestEventsOfVersion1Tokens(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	require.NoError(t, second(z.store.CreateToken(t.Context(), store.Token{
		ID: "old", Name: "old", Version: 1, Subject: alice, Type: "act", Secret: secret, Created: 1,
	}, 0)))
	old := mint(t, macaroon.Spec{Version: 1, ID: "old"})
	require.NoError(t, z.verify(old))
	assert.Equal(t, macaroon.Verified, z.lastEvent(t).Kind)
	assert.Equal(t, alice, z.lastEvent(t).Subject)
	requireID(t, errors.IDTokenInvalid, z.verify(forged(t, old)))
	assert.Equal(t, caveat.Nobody(), z.lastEvent(t).Subject, "what a forged token says is a claim")
}

// A token of the wrong kind of party is reported as refused.
func TestTheEventOfAUsersServiceToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	_, err := z.VerifyService(t.Context(), z.named(t, alice, macaroon.IdentityToken()).String(), caveat.Request{})
	requireID(t, errors.IDBadServiceToken, err)
	assert.Equal(t, macaroon.Refused, z.lastEvent(t).Kind)
	requireID(t, errors.IDTokenInvalid, z.lastEvent(t).Err)
}

func TestEventsHoldNoCredentials(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	ctx := t.Context()
	token := z.access(t, caveat.Until(start.Add(time.Hour)))
	temporary := z.temporary(t, alice, macaroon.AccessToken())
	invite := z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{UsageLimit: 1})
	copied := confine(t, token, caveat.REST)
	require.NoError(t, z.verify(token))
	require.NoError(t, z.verify(temporary))
	requireID(t, errors.IDTokenCaveatUnverified, z.verify(copied))
	requireID(t, errors.IDTokenInvalid, z.verify(forged(t, token)))
	require.NoError(t, z.Consume(ctx, invite.String(), 0, caveat.Request{Consumer: bob}, accept))
	require.NoError(t, z.RevokeConfined(ctx, copied))
	require.NoError(t, z.Revoke(ctx, token.ID()))
	requireID(t, errors.IDTokenRevoked, z.verify(token))
	require.NoError(t, z.Forget(ctx, bob))

	var hidden []string
	for _, c := range []macaroon.Token{token, temporary, invite, copied} {
		hidden = append(hidden, c.String()[40:], hex.EncodeToString(c.Signature()), string(c.Signature()))
	}
	for _, id := range []string{token.ID(), invite.ID()} {
		record, err := z.store.GetToken(ctx, id)
		require.NoError(t, err)
		hidden = append(hidden, record.Secret.Reveal())
	}
	require.Greater(t, len(z.events), 8)
	for _, e := range z.events {
		shown := fmt.Sprintf("%v %+v %#v", e, e, e) + toJSON(t, e)
		for _, h := range hidden {
			assert.NotContains(t, shown, h, "%v", e.Kind)
		}
	}
}
