package remote_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// sameExplanation requires that both say the same, apart from what has no JSON
// form.
func sameExplanation(t *testing.T, want, got macaroon.Explanation) {
	t.Helper()
	require.Equal(t, want.Err == nil, got.Err == nil)
	if want.Err != nil {
		require.ErrorIs(t, got.Err, want.Err.(*errors.Error).ID)
		require.Equal(t, want.Err.Error(), got.Err.Error())
	}
	require.Equal(t, want.Subject, got.Subject)
	require.Equal(t, want.Changes, got.Changes)
	require.Len(t, got.Checks, len(want.Checks))
	for i, c := range want.Checks {
		require.Equal(t, c.Step, got.Checks[i].Step)
		require.Equal(t, c.Err == nil, got.Checks[i].Err == nil)
		require.Equal(t, c.Reason, got.Checks[i].Reason)
	}
	require.Len(t, got.Caveats, len(want.Caveats))
	for i, c := range want.Caveats {
		require.Equal(t, c.Caveat, got.Caveats[i].Caveat)
		require.Equal(t, c.Verdict, got.Caveats[i].Verdict)
		require.Equal(t, c.Reason, got.Caveats[i].Reason)
		require.Equal(t, c.Remedy, got.Caveats[i].Remedy)
		require.Equal(t, c.Changes, got.Caveats[i].Changes)
	}
}

func TestAccountExplainsTokens(t *testing.T) {
	t.Parallel()
	o, _, alice, bob, nobody := newAccounts(t)
	token, err := alice.IssueNamed(t.Context(), "laptop", macaroon.Grant{Caveats: []caveat.Caveat{
		caveat.Until(o.Clock.Now().Add(36 * time.Hour)), caveat.MustParse("ip = 10.0.0.0/8"), caveat.REST,
	}})
	require.NoError(t, err)
	trials := map[string]macaroon.Trial{
		"accepted": {Attempt: caveat.Attempt{Request: caveat.Request{IP: netip.MustParseAddr("10.1.2.3"), Interface: caveat.REST}}},
		"refused":  {Attempt: caveat.Attempt{Request: caveat.Request{IP: netip.MustParseAddr("192.0.2.1")}}},
		"later":    {Horizon: 25 * time.Hour, Attempt: caveat.Attempt{Request: caveat.Request{Now: o.Clock.Now().Add(48 * time.Hour)}}},
		"identity": {Class: macaroon.Identity}, "invite": {Class: macaroon.Invite, Invite: macaroon.SupportSpace},
		"access": {Class: macaroon.Access}, "consumer": {Attempt: caveat.Attempt{Request: caveat.Request{
			ConsumerToken: caveat.PartyToken(o.TokenOf(o.Bob, macaroon.IdentityToken()).String()),
			ServiceToken:  caveat.PartyToken(o.Forged().String()),
		}}},
	}
	for name, trial := range trials {
		want, err := o.Authority.Explain(t.Context(), token.String(), trial)
		require.NoError(t, err)
		got, err := alice.Explain(t.Context(), token, trial)
		require.NoError(t, err, name)
		sameExplanation(t, want, got)
	}
	got, err := bob.Explain(t.Context(), token, trials["accepted"])
	require.NoError(t, err, "an administrator")
	require.True(t, got.Accepted())
	require.Len(t, got.Changes, 1)
	got, err = alice.Explain(t.Context(), o.Forged(), macaroon.Trial{})
	require.NoError(t, err)
	require.ErrorIs(t, got.Err, errors.IDTokenInvalid)

	_, err = nobody.Explain(t.Context(), token, macaroon.Trial{})
	requireRefused(t, err, errors.IDUnauthorized, 401)
	_, err = alice.Explain(t.Context(), o.TokenOf(o.Bob, macaroon.AccessToken()), macaroon.Trial{})
	requireRefused(t, err, errors.IDForbidden, 403)
	_, err = alice.Explain(t.Context(), token, macaroon.Trial{Horizon: 400 * 24 * time.Hour})
	requireRefused(t, err, "badValueNotInRange", 400)
	_, err = alice.Explain(t.Context(), token, macaroon.Trial{Attempt: caveat.Attempt{Access: 9}})
	requireRefused(t, err, errors.IDBadData, 400)
	_, err = alice.Explain(t.Context(), macaroon.Token{}, macaroon.Trial{})
	requireRefused(t, err, errors.IDBadToken, 400)
}

func TestAccountNarrowsTokens(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	token := o.Token()
	attempt := caveat.Attempt{Request: caveat.Request{IP: netip.MustParseAddr("10.1.2.3"), DataAccess: true}, Access: caveat.Read, File: caveat.File{Path: "/lab/a"}}
	r := caveat.Recording{Attempts: []caveat.Attempt{attempt}, Until: o.Clock.Now().Add(time.Hour)}
	want, err := o.Authority.Narrow(t.Context(), token, r)
	require.NoError(t, err)
	got, err := alice.Narrow(t.Context(), token, r)
	require.NoError(t, err)
	require.Len(t, got, 4)
	for i, p := range want {
		require.Equal(t, p.Caveat, got[i].Caveat)
		require.Equal(t, p.Refuses, got[i].Refuses)
		require.Len(t, got[i].Mutations, len(p.Mutations))
	}
	_, err = alice.Narrow(t.Context(), token, caveat.Recording{})
	requireRefused(t, err, errors.IDBadValueEmpty, 400)
	_, err = alice.Narrow(t.Context(), o.TokenOf(o.Bob, macaroon.AccessToken()), r)
	requireRefused(t, err, errors.IDForbidden, 403)
}

// A response without what the API promises is not one of Onezone.
func TestAccountRefusesAnswersThatExplainNothing(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	token := o.Token()
	for _, body := range []string{`{}`, `{"accepted":true}`, `{"accepted":true,"error":{"id":"tokenInvalid"},"checks":[]}`} {
		o.Behave(macaroontest.Behavior{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
		_, err := alice.Explain(t.Context(), token, macaroon.Trial{})
		requireOperational(t, err)
		_, err = alice.Narrow(t.Context(), token, caveat.Recording{Attempts: make([]caveat.Attempt, 1)})
		requireOperational(t, err)
	}
}

// The token of another Onezone is not sent, and no description repeats a token.
func TestAccountKeepsExplainedTokensSecret(t *testing.T) {
	t.Parallel()
	o, _, alice, _, _ := newAccounts(t)
	foreign := macaroontest.New(t, macaroon.WithDomain("zone.example.com")).Token()
	record := caveat.Recording{Attempts: make([]caveat.Attempt, 1)}
	_, err := alice.Explain(t.Context(), foreign, macaroon.Trial{})
	requireRefused(t, err, errors.IDTokenInvalid, 400)
	_, err = alice.Narrow(t.Context(), foreign, record)
	requireRefused(t, err, errors.IDTokenInvalid, 400)
	require.Len(t, o.Requests(""), len(o.Requests("/configuration")))

	token := o.Token()
	o.Behave(macaroontest.Behavior{Status: http.StatusForbidden, Body: `{"error":{"id":"forbidden","description":"bad: ` + token.String() + `"}}`})
	_, err = alice.Explain(t.Context(), token, macaroon.Trial{})
	require.NotContains(t, requireRefused(t, err, errors.IDForbidden, 403).Description, token.String())
	_, err = alice.Narrow(t.Context(), token, record)
	require.NotContains(t, requireRefused(t, err, errors.IDForbidden, 403).Description, token.String())
}
