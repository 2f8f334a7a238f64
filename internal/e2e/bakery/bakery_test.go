//go:build e2e

// Package bakery has macaroon-bakery and macaroon/discharge make and open each
// other's identifiers, and discharge each other's caveats over HTTP.
package bakery

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/go-macaroon-bakery/macaroon-bakery/v3/bakery"
	"github.com/go-macaroon-bakery/macaroon-bakery/v3/bakery/checkers"
	"github.com/go-macaroon-bakery/macaroon-bakery/v3/httpbakery"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	// The reference that both sides must agree with.
	macaroonv2 "gopkg.in/macaroon.v2"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

const condition = "the user is alice"

var rootKey = store.NewSecret("root key of the service")

// keysOf returns our key, and the same key for macaroon-bakery.
func keysOf(t *testing.T) (discharge.PrivateKey, *bakery.KeyPair) {
	t.Helper()
	theirs, err := bakery.GenerateKey()
	require.NoError(t, err)
	ours, err := discharge.ParsePrivateKey(theirs.Private.String())
	require.NoError(t, err)
	require.Equal(t, theirs.Public.String(), ours.Public().String())
	return ours, theirs
}

// theirMacaroon returns a macaroon of a service that uses macaroon-bakery, with a
// caveat for the discharger with the key.
func theirMacaroon(t *testing.T, version bakery.Version, location string, key bakery.PublicKey) *bakery.Macaroon {
	t.Helper()
	m, err := bakery.NewMacaroon([]byte(rootKey.Reveal()), []byte("album 7"), "photos", version, checkers.New(nil).Namespace())
	require.NoError(t, err)
	locator := bakery.NewThirdPartyStore()
	locator.AddInfo(location, bakery.ThirdPartyInfo{PublicKey: key, Version: bakery.LatestVersion})
	service, err := bakery.GenerateKey()
	require.NoError(t, err)
	require.NoError(t, m.AddCaveat(t.Context(), checkers.Caveat{Location: location, Condition: condition}, service, locator))
	return m
}

// ourMacaroon returns a macaroon of a service that uses macaroon/discharge.
func ourMacaroon(t *testing.T, location string, key discharge.PublicKey) general.Macaroon {
	t.Helper()
	m, err := general.New("photos", "album 7", rootKey)
	require.NoError(t, err)
	c, err := key.Caveat(location, condition)
	require.NoError(t, err)
	m, err = discharge.Add(m, c)
	require.NoError(t, err)
	return m
}

// verified returns the conditions, if gopkg.in/macaroon.v2 accepts the macaroon,
// which is the first, with its discharges.
func verified(t *testing.T, all macaroonv2.Slice) []string {
	t.Helper()
	conditions, err := all[0].VerifySignature([]byte(rootKey.Reveal()), all[1:])
	require.NoError(t, err)
	return conditions
}

func TestWeOpenIdentifiersOfTheBakery(t *testing.T) {
	ours, theirs := keysOf(t)
	m := theirMacaroon(t, bakery.Version2, "somewhere", theirs.Public)
	opened, key, err := ours.Open(string(m.M().Caveats()[0].Id))
	require.NoError(t, err)
	assert.Equal(t, condition, opened)

	// The key is that of the caveat: a discharge with it verifies.
	d, err := macaroonv2.New([]byte(key.Reveal()), m.M().Caveats()[0].Id, "", macaroonv2.V2)
	require.NoError(t, err)
	d.Bind(m.M().Signature())
	verified(t, macaroonv2.Slice{m.M(), d})

	other, _ := keysOf(t)
	_, _, err = other.Open(string(m.M().Caveats()[0].Id))
	require.ErrorIs(t, err, errors.IDBadData)
}

func TestTheBakeryOpensOurIdentifiers(t *testing.T) {
	ours, theirs := keysOf(t)
	m := ourMacaroon(t, "somewhere", ours.Public())
	d, err := bakery.Discharge(t.Context(), bakery.DischargeParams{
		Id: []byte(m.Caveats()[0].Text), Key: theirs,
		Checker: bakery.ThirdPartyCaveatCheckerFunc(func(_ context.Context, info *bakery.ThirdPartyCaveatInfo) ([]checkers.Caveat, error) {
			assert.Equal(t, condition, string(info.Condition))
			assert.Equal(t, bakery.Version3, info.Version)
			return nil, nil
		}),
	})
	require.NoError(t, err)
	data, err := d.M().MarshalJSON()
	require.NoError(t, err)
	parsed, err := general.Parse(string(data), general.V2JSON)
	require.NoError(t, err)
	requireVerified(t, m, parsed)
}

func requireVerified(t *testing.T, m general.Macaroon, unbound ...general.Macaroon) {
	t.Helper()
	bound, err := discharge.Bind(m, unbound...)
	require.NoError(t, err)
	_, err = discharge.Verify(t.Context(), m, rootKey, caveat.Request{}, bound...)
	require.NoError(t, err)
}

// approvals are the visits that a user has approved.
type approvals struct{ visits sync.Map }

func (a *approvals) approve(visit string) { a.visits.Store(visit, true) }

func (a *approvals) has(visit string) bool {
	_, ok := a.visits.Load(visit)
	return ok
}

func TestClientsOfTheBakeryAskUs(t *testing.T) {
	ours, theirs := keysOf(t)
	var seen approvals
	for _, interactive := range []bool{false, true} {
		h, err := discharge.NewHandler(ours, func(_ context.Context, q discharge.Question) (discharge.Answer, error) {
			assert.Equal(t, condition, q.Condition)
			if interactive && !seen.has(q.Visit) {
				return discharge.Ask("login?visit=" + q.Visit), nil
			}
			return discharge.Grant("declared username alice"), nil
		})
		require.NoError(t, err)
		s := httptest.NewServer(http.StripPrefix("/id", h))
		t.Cleanup(s.Close)
		location := s.URL + "/id"

		info, err := httpbakery.ThirdPartyInfoForLocation(t.Context(), s.Client(), location)
		require.NoError(t, err)
		assert.Equal(t, bakery.ThirdPartyInfo{PublicKey: theirs.Public, Version: bakery.Version3}, info)

		client := httpbakery.NewClient()
		client.AddInteractor(httpbakery.WebBrowserInteractor{OpenWebBrowser: func(u *url.URL) error {
			assert.Equal(t, location+"/login", u.Scheme+"://"+u.Host+u.Path)
			seen.approve(u.Query().Get("visit"))
			return nil
		}})
		for _, version := range []bakery.Version{bakery.Version2, bakery.Version3} {
			all, err := client.DischargeAll(t.Context(), theirMacaroon(t, version, location, theirs.Public))
			require.NoError(t, err)
			assert.Equal(t, []string{"declared username alice"}, verified(t, all))
		}
	}
}

func TestClientsOfTheBakeryUnderstandOurRefusals(t *testing.T) {
	ours, theirs := keysOf(t)
	for code, refusal := range map[httpbakery.ErrorCode]error{
		httpbakery.ErrPermissionDenied: errors.Forbidden("you are not alice"),
		httpbakery.ErrBadRequest:       errors.BadDataHint("condition", "you are not alice"),
	} {
		h, err := discharge.NewHandler(ours, func(context.Context, discharge.Question) (discharge.Answer, error) {
			return discharge.Answer{}, refusal
		})
		require.NoError(t, err)
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		_, err = httpbakery.NewClient().DischargeAll(t.Context(), theirMacaroon(t, bakery.Version3, s.URL, theirs.Public))
		var refused *httpbakery.DischargeError
		require.ErrorAs(t, errorCause(err), &refused)
		assert.Equal(t, code, refused.Reason.Code)
		assert.Contains(t, refused.Reason.Message, "you are not alice")
	}
}

// errorCause returns the cause of an error of the bakery, which errors.As does not
// find.
func errorCause(err error) error {
	for {
		causer, ok := err.(interface{ Cause() error })
		if !ok || causer.Cause() == nil || causer.Cause() == err {
			return err
		}
		err = causer.Cause()
	}
}

// theirDischarger is a discharger that uses macaroon-bakery.
type theirDischarger struct {
	location string
	public   bakery.PublicKey
}

// discharges starts a discharger. Its check gets the approvals of users as tokens
// if it is interactive.
func discharges(t *testing.T, interactive bool, locator bakery.ThirdPartyLocator, grants ...checkers.Caveat) theirDischarger {
	t.Helper()
	key, err := bakery.GenerateKey()
	require.NoError(t, err)
	mux := http.NewServeMux()
	httpbakery.NewDischarger(httpbakery.DischargerParams{
		Key: key, Locator: locator,
		CheckerP: httpbakery.ThirdPartyCaveatCheckerPFunc(func(_ context.Context, p httpbakery.ThirdPartyCaveatCheckerParams) ([]checkers.Caveat, error) {
			switch {
			case string(p.Caveat.Condition) != condition:
				return nil, httpbakery.ErrPermissionDenied
			case !interactive, p.Token != nil && p.Token.Kind == "test" && string(p.Token.Value) == "approved\xff":
				return grants, nil
			}
			err := httpbakery.NewInteractionRequiredError(nil, p.Request)
			httpbakery.SetWebBrowserInteraction(err, "visit", "wait")
			return nil, err
		}),
	}).AddMuxHandlers(mux, "/id")
	mux.HandleFunc("GET /id/wait", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"test","token64":"YXBwcm92ZWT_"}`))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return theirDischarger{s.URL + "/id", key.Public}
}

func TestDischargersOfTheBakeryAnswerUs(t *testing.T) {
	for _, interactive := range []bool{false, true} {
		theirs := discharges(t, interactive, nil)
		shown := ""
		client, err := discharge.NewClient([]string{theirs.location}, discharge.WithInteraction(func(_ context.Context, page string) error {
			shown = page
			return nil
		}))
		require.NoError(t, err)
		key, err := client.PublicKey(t.Context(), theirs.location)
		require.NoError(t, err)
		assert.Equal(t, theirs.public.String(), key.String())

		m := ourMacaroon(t, theirs.location, key)
		all, err := client.Discharge(t.Context(), m)
		require.NoError(t, err)
		_, err = discharge.Verify(t.Context(), m, rootKey, caveat.Request{}, all...)
		require.NoError(t, err)
		assert.Equal(t, interactive, shown == theirs.location+"/visit")
	}
}

// Their discharges keep the conditions of further caveats beside the macaroon.
func TestDischargersOfTheBakeryNeedFurtherDischarges(t *testing.T) {
	last := discharges(t, false, nil)
	locator := bakery.NewThirdPartyStore()
	locator.AddInfo(last.location, bakery.ThirdPartyInfo{PublicKey: last.public, Version: bakery.LatestVersion})
	further := checkers.Caveat{Location: last.location, Condition: condition}
	first := discharges(t, false, locator, further, further)

	client, err := discharge.NewClient([]string{first.location, last.location})
	require.NoError(t, err)
	key, err := discharge.ParsePublicKey(first.public.String())
	require.NoError(t, err)
	m := ourMacaroon(t, first.location, key)
	all, err := client.Discharge(t.Context(), m)
	require.NoError(t, err)
	assert.Len(t, all, 3)
	_, err = discharge.Verify(t.Context(), m, rootKey, caveat.Request{}, all...)
	require.NoError(t, err)
}

func TestWeUnderstandRefusalsOfTheBakery(t *testing.T) {
	theirs := discharges(t, false, nil)
	client, err := discharge.NewClient([]string{theirs.location})
	require.NoError(t, err)
	key, err := discharge.ParsePublicKey(theirs.public.String())
	require.NoError(t, err)
	m, err := general.New("photos", "album 7", rootKey)
	require.NoError(t, err)
	for location, c := range map[errors.ID]discharge.PublicKey{
		errors.IDForbidden: key,                         // of another condition
		"":                 discharge.NewKey().Public(), // another key: their status is 500
	} {
		third, err := c.Caveat(theirs.location, "the user is the administrator")
		require.NoError(t, err)
		needing, err := discharge.Add(m, third)
		require.NoError(t, err)
		_, err = client.Discharge(t.Context(), needing)
		require.Error(t, err)
		e, _ := errors.AsType[*errors.Error](err)
		if location == "" {
			assert.Nil(t, e)
			continue
		}
		require.ErrorIs(t, e, location)
		assert.ErrorContains(t, err, "permission denied")
	}
}
