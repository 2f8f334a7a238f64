package macaroon_test

import (
	"context"
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

// discharger is a DischargeVerifier with a fixed answer. It keeps the discharges
// of its calls.
type discharger struct {
	conditions []string
	err        error
	calls      [][]string
}

func (d *discharger) VerifyDischarges(_ macaroon.Token, _ store.Secret, discharges []string) ([]string, error) {
	d.calls = append(d.calls, discharges)
	return d.conditions, d.err
}

// withThirdParty returns the token with a third-party caveat.
func withThirdParty(t testing.TB, token macaroon.Token) macaroon.Token {
	t.Helper()
	m, err := token.Macaroon()
	require.NoError(t, err)
	require.NoError(t, m.AddThirdPartyCaveat([]byte("key"), []byte("interface = oneclient"), "https://members.example.com"))
	token, err = macaroon.FromMacaroon(m)
	require.NoError(t, err)
	return token
}

func TestThirdPartyCaveatsNeedADischargeVerifier(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithInviters(openHouse{}))
	ctx, req := t.Context(), caveat.Request{Discharges: []string{"one"}, Consumer: bob}
	access := withThirdParty(t, z.access(t))
	identity := withThirdParty(t, z.named(t, alice, macaroon.IdentityToken()))
	invite := withThirdParty(t, z.invite(t, macaroon.UserJoinGroup, macaroon.Grant{}))
	for name, call := range map[string]func() error{
		"VerifyAccess":   func() error { _, err := z.VerifyAccess(ctx, access.String(), req); return err },
		"VerifyIdentity": func() error { _, err := z.VerifyIdentity(ctx, identity.String(), req); return err },
		"VerifyInvite":   func() error { _, err := z.VerifyInvite(ctx, invite.String(), 0, req); return err },
		"Consume":        func() error { return z.Consume(ctx, invite.String(), 0, req, accept) },
		"no discharges":  func() error { return z.verify(access) },
		"NewCandidate":   func() error { _, err := macaroon.NewCandidate(access.String(), nil); return err },
	} {
		err := call()
		require.Error(t, err, name)
		requireID(t, errors.IDTokenInvalid, err)
	}
	x, err := z.Explain(ctx, access.String(), macaroon.Trial{Attempt: caveat.Attempt{Request: req}})
	require.NoError(t, err)
	requireID(t, errors.IDTokenInvalid, x.Err)
	assert.Equal(t, macaroon.StepDischarges, x.Checks[len(x.Checks)-1].Step)
	assert.Contains(t, x.Checks[len(x.Checks)-1].Reason, "The token needs other discharges")
	assert.Empty(t, x.Caveats)

	alone := withThirdParty(t, mint(t, macaroon.Spec{}))
	_, err = alone.Verify(ctx, secret, everything())
	requireID(t, errors.IDTokenInvalid, err)
	x, err = alone.Explain(ctx, secret, macaroon.Trial{})
	require.NoError(t, err)
	requireID(t, errors.IDTokenInvalid, x.Err)
}

func TestServiceAndConsumerTokensHaveNoDischarges(t *testing.T) {
	t.Parallel()
	d := &discharger{}
	z := newZone(t, macaroon.WithDischarges(d))
	party := caveat.PartyToken(withThirdParty(t, z.named(t, bob, macaroon.IdentityToken())).String())
	d.err = errors.TokenInvalid()
	_, err := z.VerifyAccess(t.Context(), z.access(t).String(), caveat.Request{ConsumerToken: party, Discharges: []string{"one"}})
	requireID(t, errors.IDBadConsumerToken, err)
	assert.Equal(t, [][]string{nil}, d.calls)
}

func TestConditionsOfDischargesAreEnforced(t *testing.T) {
	t.Parallel()
	d := &discharger{conditions: []string{"time < 1700000000", "interface = rest"}}
	z := newZone(t, macaroon.WithDischarges(d))
	token := withThirdParty(t, z.access(t, caveat.Until(time.Unix(1_700_000_000, 0))))
	req := caveat.Request{Interface: caveat.REST, Discharges: []string{"one", "two"}}
	verify := func() error { _, err := z.VerifyAccess(t.Context(), token.String(), req); return err }
	for range 4 { // a recognized token would not be shown to the verifier again
		auth, err := z.VerifyAccess(t.Context(), token.String(), req)
		require.NoError(t, err)
		assert.Equal(t, []caveat.Caveat{caveat.Time{ValidUntil: 1_700_000_000}, caveat.REST}, auth.Caveats())
		assert.True(t, auth.IsConfined())
	}
	assert.Equal(t, [][]string{{"one", "two"}, {"one", "two"}, {"one", "two"}, {"one", "two"}}, d.calls)
	x, err := z.Explain(t.Context(), token.String(), macaroon.Trial{Attempt: caveat.Attempt{Request: req}})
	require.NoError(t, err)
	require.True(t, x.Accepted())
	require.Len(t, x.Caveats, 2)

	d.conditions[1] = "interface = oneclient"
	requireID(t, errors.IDTokenCaveatUnverified, verify())
	assert.Equal(t, 1, z.lastEvent(t).CaveatIndex)
	d.conditions[1] = "moon = full"
	requireID(t, errors.IDTokenCaveatUnknown, verify())
	d.conditions = nil
	require.NoError(t, verify())
	d.err = errors.LimitReached(2, "discharges of a token")
	requireID(t, errors.IDLimitReached, verify())
	d.err = context.DeadlineExceeded
	require.ErrorIs(t, verify(), context.DeadlineExceeded)
}

func TestDischargesAreVerifiedBetweenSignatureAndRecord(t *testing.T) {
	t.Parallel()
	d := &discharger{err: errors.TokenInvalid()}
	z := newZone(t, macaroon.WithDischarges(d))
	token := withThirdParty(t, z.access(t))
	requireID(t, errors.IDTokenInvalid, z.verify(forged(t, token)))
	require.Empty(t, d.calls, "discharges of a forged token")
	require.NoError(t, z.Revoke(t.Context(), token.ID()))
	requireID(t, errors.IDTokenInvalid, z.verify(token))
	require.Len(t, d.calls, 1)
	d.err = nil
	requireID(t, errors.IDTokenRevoked, z.verify(token))
}

func TestDischargesThatATokenDoesNotNeedAreRefused(t *testing.T) {
	t.Parallel()
	d := &discharger{}
	z := newZone(t, macaroon.WithDischarges(d))
	token := z.access(t)
	for range 4 { // also once it is recognized
		require.NoError(t, z.verify(token))
		_, err := z.VerifyAccess(t.Context(), token.String(), caveat.Request{Discharges: []string{"one"}})
		requireID(t, errors.IDTokenInvalid, err)
	}
	assert.Empty(t, d.calls)
}

// A client with third-party caveats gets no other tokens, which could not carry
// them, and no copy of a log-in token is one.
func TestThirdPartyCaveatsAreNotEscaped(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithDischarges(&discharger{}))
	auth, err := z.VerifyAccess(t.Context(), withThirdParty(t, z.access(t)).String(), caveat.Request{})
	require.NoError(t, err)
	require.True(t, auth.IsConfined())
	_, err = z.IssueNamed(t.Context(), "free", macaroon.Grant{Subject: alice, Type: macaroon.AccessToken(), Parent: &auth})
	requireID(t, errors.IDForbidden, err)
	_, err = z.Inherit(z.access(t), &auth)
	requireID(t, errors.IDForbidden, err)

	z = newZone(t, macaroon.WithDischarges(&discharger{conditions: []string{"time < 1700000000"}}))
	token, err := z.IssueLogIn(t.Context(), alice, start)
	require.NoError(t, err)
	auth, err = z.VerifyAccess(t.Context(), withThirdParty(t, token).String(), caveat.Request{})
	require.NoError(t, err)
	_, ok := auth.LogIn()
	require.False(t, ok)
	require.True(t, auth.IsConfined())
}

// An identifier confines nothing, whatever its text is.
func TestIdentifiersAreNotInheritedCaveats(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	parent, err := z.VerifyAccess(t.Context(), z.access(t, caveat.Oneclient).String(), caveat.Request{Interface: caveat.Oneclient})
	require.NoError(t, err)
	confined, err := z.Inherit(withThirdParty(t, z.access(t)), &parent)
	require.NoError(t, err)
	require.Equal(t, []string{"interface = oneclient"}, confined.Caveats())
}

func TestACopyWithThirdPartyCaveatsCanBeRevoked(t *testing.T) {
	t.Parallel()
	z := newZone(t, macaroon.WithDischarges(&discharger{}))
	token := z.access(t)
	first := withThirdParty(t, token)
	second := withThirdParty(t, first)
	other := withThirdParty(t, token)
	require.NoError(t, z.RevokeConfined(t.Context(), first))
	requireID(t, errors.IDTokenRevoked, z.verify(first))
	requireID(t, errors.IDTokenRevoked, z.verify(second))
	require.NoError(t, z.verify(other))
	requireID(t, errors.IDTokenInvalid, z.RevokeConfined(t.Context(), forged(t, first)))
}

func TestDischargesDoNotLeak(t *testing.T) {
	t.Parallel()
	req := caveat.Request{Discharges: []string{"confidential"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		assert.NotContains(t, fmt.Sprintf(verb, req), "confidential")
	}
}
