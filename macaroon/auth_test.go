package macaroon_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func TestAnAuthOfAVouchedTokenIsThatOfTheAuthority(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t)
	until, path := caveat.Until(h.Clock.Now().Add(time.Hour)), caveat.MustParse("data.path = L3NwYWNl")
	req := caveat.Request{Now: h.Clock.Now(), Interface: caveat.REST, DataAccess: true}
	for _, token := range []macaroon.Token{
		h.Token(until, caveat.REST, path), h.Temporary(caveat.REST), h.TokenOf(h.Provider, macaroon.AccessToken()),
	} {
		want, err := h.Authority.VerifyAccess(t.Context(), token.String(), req)
		require.NoError(t, err)
		got, err := candidate(t, token).Vouched(t.Context(), token.Subject(), req)
		require.NoError(t, err)
		require.Equal(t, want.Caveats(), got.Caveats())
		require.Equal(t, want, got)
	}
	token := h.Token(until, caveat.REST, path)
	auth, err := candidate(t, token).Vouched(t.Context(), h.Bob, req)
	require.NoError(t, err)
	require.Equal(t, h.Bob, auth.Subject, "the subject is that of the party that vouched")
	require.Error(t, auth.CheckFile(caveat.File{Path: "/other"}, caveat.Read))

	for want, c := range map[errors.ID]struct {
		candidate macaroon.Candidate
		req       caveat.Request
	}{
		errors.IDBadToken:              {macaroon.Candidate{}, req},
		errors.IDTokenCaveatUnverified: {candidate(t, token), caveat.Request{Interface: caveat.REST, DataAccess: true}},
		errors.IDTokenCaveatUnknown:    {candidate(t, h.WithUnknownCaveat()), req},
		errors.IDTokenSessionInvalid:   {candidate(t, h.Token()), caveat.Request{Session: caveat.InSession("s")}},
	} {
		auth, err := c.candidate.Vouched(t.Context(), h.Alice, c.req)
		require.ErrorIs(t, err, want)
		require.Zero(t, auth)
	}
	_, err = candidate(t, h.Token(caveat.ASN{1})).Vouched(t.Context(), h.Alice, caveat.Request{Ignored: []caveat.Type{caveat.TypeASN}})
	require.NoError(t, err)
}

func candidate(t *testing.T, token macaroon.Token) macaroon.Candidate {
	t.Helper()
	c, err := macaroon.NewCandidate(token.String(), nil)
	require.NoError(t, err)
	return c
}

func TestTheTokensOfARequestProveItsServiceAndConsumer(t *testing.T) {
	t.Parallel()
	h := macaroontest.New(t, macaroon.WithMemberships(macaroontest.Everybody{}))
	worker := caveat.Service{Type: caveat.OpWorker, ID: h.Provider.ID}
	token := h.Token(caveat.Services{worker}, caveat.Consumers{h.Bob}).String()
	service := caveat.PartyToken(h.TokenOf(h.Provider, macaroon.IdentityToken()).String())
	consumer := caveat.PartyToken(h.TokenOf(h.Bob, macaroon.IdentityToken()).String())
	verify := func(req caveat.Request) error {
		_, err := h.Authority.VerifyAccess(t.Context(), token, req)
		return err
	}
	require.NoError(t, verify(caveat.Request{ServiceToken: service, ConsumerToken: consumer}))
	require.NoError(t, verify(caveat.Request{Service: worker, Consumer: h.Bob}))
	require.ErrorIs(t, verify(caveat.Request{ServiceToken: service}), errors.IDTokenCaveatUnverified)
	require.ErrorIs(t, verify(caveat.Request{ConsumerToken: consumer}), errors.IDTokenCaveatUnverified)
	require.ErrorIs(t, verify(caveat.Request{ServiceToken: consumer, Service: worker, Consumer: h.Bob}), errors.IDBadServiceToken)
	require.ErrorIs(t, verify(caveat.Request{ConsumerToken: "x", Service: worker, Consumer: h.Bob}), errors.IDBadConsumerToken)

	// An identity is proved to Onezone itself.
	identity := h.TokenOf(h.Alice, macaroon.IdentityToken()).String()
	_, err := h.Authority.VerifyIdentity(t.Context(), identity, caveat.Request{ServiceToken: "x"})
	require.NoError(t, err)
	_, err = h.Authority.VerifyIdentity(t.Context(), identity, caveat.Request{ConsumerToken: "x"})
	require.ErrorIs(t, err, errors.IDBadConsumerToken)
}

func TestTheTokensOfARequestAreNotPrinted(t *testing.T) {
	t.Parallel()
	req := caveat.Request{ServiceToken: "hidden", ConsumerToken: "hidden"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		require.NotContains(t, fmt.Sprintf(verb, req), "hidden")
		require.NotContains(t, fmt.Sprintf(verb, &req), "hidden")
		require.NotContains(t, fmt.Sprintf(verb, req.ServiceToken), "hidden")
		require.NotContains(t, fmt.Sprintf(verb, req.ServiceToken), "68")
	}
	data, err := json.Marshal(req.ConsumerToken)
	require.NoError(t, err)
	require.NotContains(t, string(data), "hidden")
}
