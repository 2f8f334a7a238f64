package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// usesFixture is an Onezone that records uses. The tokens old and idle were
// created an hour before the token young, and only old was used since.
type usesFixture struct {
	*macaroontest.Harness
	handler          http.Handler
	old, idle, young macaroon.Token
	since            int64 // between
}

func newUsesFixture(t *testing.T, options ...macaroon.Option) *usesFixture {
	t.Helper()
	f := &usesFixture{Harness: macaroontest.New(t, options...)}
	var err error
	f.handler, err = rest.NewHandler(f.Authority)
	require.NoError(t, err)
	f.old, f.idle = f.TokenNamed("old"), f.TokenNamed("idle")
	f.Clock.Advance(time.Hour)
	f.since = f.Clock.Now().Add(-time.Minute).Unix()
	f.young = f.TokenNamed("young")
	require.NoError(t, f.Store.RecordUses(t.Context(), []store.Use{{
		TokenID: f.old.ID(), At: f.Clock.Now().Unix() / 60 * 60, Address: "192.0.2.0/24", Service: "ozw-onezone", Interface: "rest", Count: 7,
	}}))
	return f
}

// get sends a request of the user.
func (f *usesFixture) get(t *testing.T, user, path string) macaroontest.Response {
	t.Helper()
	return macaroontest.Request(t, f.handler, "GET", rest.Prefix+path, nil, macaroontest.Basic(user))
}

func (f *usesFixture) alice(t *testing.T, path string) macaroontest.Response {
	t.Helper()
	return f.get(t, macaroontest.AliceName, path)
}

// lastUse returns the member of the record, "" if it is missing.
func lastUse(t *testing.T, record []byte) string {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(record, &members))
	return string(members["lastUse"])
}

func TestRecordsShowTheLastUse(t *testing.T) {
	t.Parallel()
	f := newUsesFixture(t, macaroon.WithLastUse(macaroon.LastUse{}))
	want := fmt.Sprintf(`{"time":%d,"address":"192.0.2.0/24","service":"ozw-onezone","interface":"rest","count":7}`,
		f.Clock.Now().Unix()/60*60)
	for _, path := range []string{"/tokens/named/" + f.old.ID(), "/user/tokens/named/name/old"} {
		res := f.alice(t, path)
		macaroontest.AssertStatus(t, res, http.StatusOK)
		require.JSONEq(t, want, lastUse(t, res.Body))
	}
	require.Equal(t, "null", lastUse(t, f.alice(t, "/tokens/named/"+f.idle.ID()).Body))

	var list struct{ Tokens []json.RawMessage }
	require.NoError(t, json.Unmarshal(f.alice(t, "/user/tokens/records").Body, &list))
	require.Len(t, list.Tokens, 3)
	require.JSONEq(t, want, lastUse(t, list.Tokens[0]))
	require.Equal(t, "null", lastUse(t, list.Tokens[1]))
}

func TestWhatIsNotKnownOfAUseIsNull(t *testing.T) {
	t.Parallel()
	f := newUsesFixture(t, macaroon.WithLastUse(macaroon.LastUse{}))
	require.NoError(t, f.Store.RecordUses(t.Context(), []store.Use{{TokenID: f.idle.ID(), At: 120, Count: 1}}))
	require.JSONEq(t, `{"time":120,"address":null,"service":null,"interface":null,"count":1}`,
		lastUse(t, f.alice(t, "/tokens/named/"+f.idle.ID()).Body))
}

// Clients that may not see a record learn nothing of its use, and those that may
// see whether it is revoked only learn that.
func TestTheLastUseIsShownOnlyWithTheRecord(t *testing.T) {
	t.Parallel()
	f := newUsesFixture(t, macaroon.WithLastUse(macaroon.LastUse{}))
	for _, path := range []string{"/tokens/named/" + f.old.ID(), "/users/" + f.Alice.ID + "/tokens/named/name/old"} {
		res := f.get(t, macaroontest.BobName, path)
		macaroontest.AssertStatus(t, res, http.StatusForbidden)
		require.NotContains(t, string(res.Body), "192.0.2")
	}
	res := f.get(t, macaroontest.BobName, fmt.Sprintf("/users/%s/tokens/named?unusedSince=%d", f.Alice.ID, f.since))
	macaroontest.AssertStatus(t, res, http.StatusForbidden)
	require.JSONEq(t, `{"revoked":false}`, string(f.alice(t, "/tokens/named/"+f.old.ID()+"/status").Body))
}

func TestListsCanBeLimitedToUnusedTokens(t *testing.T) {
	t.Parallel()
	f := newUsesFixture(t, macaroon.WithLastUse(macaroon.LastUse{}))
	ids := func(path string) (list []string) {
		t.Helper()
		res := f.alice(t, path)
		macaroontest.AssertStatus(t, res, http.StatusOK)
		var answer struct{ Tokens []json.RawMessage }
		require.NoError(t, json.Unmarshal(res.Body, &answer))
		for _, each := range answer.Tokens {
			var id string
			var record struct{ ID string }
			if json.Unmarshal(each, &id) != nil {
				require.NoError(t, json.Unmarshal(each, &record))
				id = record.ID
			}
			list = append(list, id)
		}
		return list
	}
	for _, path := range []string{"/user/tokens/named", "/users/" + f.Alice.ID + "/tokens/named", "/user/tokens/records"} {
		require.Equal(t, []string{f.idle.ID()}, ids(fmt.Sprintf("%s?unusedSince=%d", path, f.since)), path)
		require.ElementsMatch(t, []string{f.old.ID(), f.idle.ID(), f.young.ID()}, ids(fmt.Sprintf("%s?unusedSince=%d", path, f.since+7200)), path)
		require.Empty(t, ids(path+"?unusedSince=1"), path)
		require.Len(t, ids(path), 3, path)
	}
}

func TestABadTimeOfAListIsRefused(t *testing.T) {
	t.Parallel()
	f := newUsesFixture(t, macaroon.WithLastUse(macaroon.LastUse{}))
	for query, id := range map[string]errors.ID{
		"unusedSince=":                     errors.IDBadValueInteger,
		"unusedSince=yesterday":            errors.IDBadValueInteger,
		"unusedSince=1.5":                  errors.IDBadValueInteger,
		"unusedSince=%2B1":                 errors.IDBadValueInteger,
		"unusedSince=01":                   errors.IDBadValueInteger,
		"unusedSince=1&unusedSince=2":      errors.IDBadValueInteger,
		"unusedSince=99999999999999999999": errors.IDBadValueInteger,
		"unusedSince=0":                    "badValueNotInRange",
		"unusedSince=-5":                   "badValueNotInRange",
		"unusedSince=253402300800":         "badValueNotInRange",
	} {
		for _, path := range []string{"/user/tokens/named", "/user/tokens/records"} {
			res := f.alice(t, path+"?"+query)
			macaroontest.AssertStatus(t, res, http.StatusBadRequest)
			macaroontest.AssertError(t, res, id)
		}
	}
}

// Without the option, nothing says that a token in use was never used.
func TestWithoutRecordedUsesNothingIsShownAndNoListIsLimited(t *testing.T) {
	t.Parallel()
	f := newUsesFixture(t)
	require.Empty(t, lastUse(t, f.alice(t, "/tokens/named/"+f.old.ID()).Body))
	res := f.alice(t, fmt.Sprintf("/user/tokens/named?unusedSince=%d", f.since))
	macaroontest.AssertStatus(t, res, http.StatusBadRequest)
	macaroontest.AssertError(t, res, errors.IDBadData)
}

// A request with a token is a use of it, with the address of the client.
func TestARequestWithATokenIsAUse(t *testing.T) {
	t.Parallel()
	f := newUsesFixture(t, macaroon.WithLastUse(macaroon.LastUse{Address: macaroon.AddressWhole}))
	for range 2 {
		macaroontest.AssertStatus(t, macaroontest.Request(t, f.handler, "GET", rest.Prefix+"/user", nil, macaroontest.Bearer(f.idle)), http.StatusOK)
	}
	confined, err := f.young.Confine(caveat.Until(f.Clock.Now().Add(-time.Hour)))
	require.NoError(t, err)
	macaroontest.AssertStatus(t, macaroontest.Request(t, f.handler, "GET", rest.Prefix+"/user", nil, macaroontest.Bearer(confined)), http.StatusUnauthorized)
	require.NoError(t, f.Authority.Close(t.Context()))
	require.JSONEq(t, fmt.Sprintf(`{"time":%d,"address":"127.0.0.1","service":"ozw-onezone","interface":"rest","count":2}`, f.Clock.Now().Unix()/60*60),
		lastUse(t, f.alice(t, "/tokens/named/"+f.idle.ID()).Body))
	require.Equal(t, "null", lastUse(t, f.alice(t, "/tokens/named/"+f.young.ID()).Body))
}
