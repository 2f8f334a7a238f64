package rest_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store/memory"
)

// doubtful is an identity provider that refuses all tokens.
type doubtful struct{}

func (doubtful) Identify(context.Context, string) (caveat.Subject, error) {
	return caveat.Subject{}, errors.TokenInvalid()
}

// TestEveryRefusedCredentialLeavesOneEvent sends bad credentials of each kind,
// for each step, to the API and to a handler behind the middleware.
func TestEveryRefusedCredentialLeavesOneEvent(t *testing.T) {
	t.Parallel()
	const hidden = "c3VwZXJzZWNyZXQ" // part of all bad credentials
	set := func(pairs ...string) macaroontest.Credentials {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Add(pairs[i], pairs[i+1])
			}
		}
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("alice:"+hidden))
	type want struct {
		kind   macaroon.EventKind
		reason errors.ID
	}
	badToken, badBasic := want{macaroon.Refused, errors.IDBadToken}, want{macaroon.LogInFailed, errors.IDBadBasicCredentials}
	cases := map[string]struct {
		as      func(w world) macaroontest.Credentials
		options []rest.Option
		status  int
		want    want
	}{
		"an invalid token":        {as: always(set("X-Auth-Token", hidden)), want: badToken},
		"an empty token":          {as: always(set("X-Auth-Token", "")), want: badToken},
		"two tokens":              {as: always(set("X-Auth-Token", hidden, "X-Auth-Token", hidden)), want: badToken},
		"an invalid bearer token": {as: always(set("Authorization", "Bearer "+hidden)), want: badToken},
		"an invalid macaroon":     {as: always(set("Macaroon", hidden)), want: badToken},
		"a token that is too large": {
			as: always(set("X-Auth-Token", strings.Repeat(hidden, 80_000))), want: want{macaroon.Refused, errors.IDTokenTooLarge}},
		"an invalid token beside a service token": {
			as: always(set("X-Auth-Token", hidden, "X-Onedata-Service-Token", hidden)), want: badToken},
		"an invalid service token": {
			as: func(w world) macaroontest.Credentials {
				return set("X-Auth-Token", w.token, "X-Onedata-Service-Token", hidden)
			},
			want: badToken},
		"an invalid consumer token": {
			as: func(w world) macaroontest.Credentials {
				return set("X-Auth-Token", w.token, "X-Onedata-Consumer-Token", hidden)
			},
			want: badToken},
		"a token that the identity provider refuses": {
			as: always(set("X-Auth-Token", hidden)), options: []rest.Option{rest.WithIdentityProvider(doubtful{})},
			want: want{macaroon.Refused, errors.IDTokenInvalid}},
		"a token that is too large for the identity provider": {
			as: always(set("X-Auth-Token", strings.Repeat(hidden, 80_000))), options: []rest.Option{rest.WithIdentityProvider(doubtful{})},
			want: want{macaroon.Refused, errors.IDTokenTooLarge}},
		"a token for other operations": {
			as:   func(w world) macaroontest.Credentials { return set("X-Auth-Token", w.confined) },
			want: want{macaroon.Refused, errors.IDTokenCaveatUnverified}},
		"a wrong password":               {as: always(set("Authorization", basic)), want: badBasic},
		"Basic that is not base64":       {as: always(set("Authorization", "Basic ?"+hidden)), want: badBasic},
		"Basic without a colon":          {as: always(set("Authorization", "Basic c3VwZXJzZWNyZXQK")), want: badBasic},
		"Basic without credentials":      {as: always(set("Authorization", "Basic")), want: badBasic},
		"Basic twice":                    {as: always(set("Authorization", basic, "Authorization", basic)), want: badBasic},
		"Basic that is too long":         {as: always(set("Authorization", "Basic "+strings.Repeat(hidden, 200))), want: badBasic},
		"Basic if it is turned off":      {as: always(set("Authorization", basic)), options: []rest.Option{rest.WithoutBasicAuth()}, want: want{macaroon.LogInFailed, errors.IDBasicAuthNotSupported}},
		"Basic from a page of elsewhere": {as: always(set("Authorization", basic, "Sec-Fetch-Site", "cross-site")), status: 403, want: want{macaroon.LogInFailed, errors.IDForbidden}},
	}
	for _, through := range []string{"NewHandler", "Authenticate"} {
		t.Run(through, func(t *testing.T) {
			t.Parallel()
			var seen trail
			w := newRefusing(t, &seen)
			last := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was let through") })
			for name, c := range cases {
				handler, err := rest.NewHandler(w.authority, c.options...)
				require.NoError(t, err)
				if through == "Authenticate" {
					require := rest.Require(caveat.OzWorker, caveat.Create, "user.x.client_tokens:private")
					handler = rest.Authenticate(w.authority, c.options...)(require(last))
				}
				seen.events = nil
				res := macaroontest.Request(t, handler, "POST", rest.Prefix+"/user/client_tokens", "{}", c.as(w))
				macaroontest.AssertStatus(t, res, max(c.status, 401))
				var refused []want
				for _, e := range seen.events {
					if e.Kind == macaroon.Verified { // an accompanying token, or one whose caveats are decided later
						continue
					}
					reason, _ := errors.AsType[*errors.Error](e.Err)
					require.NotNil(t, reason, name)
					refused = append(refused, want{e.Kind, reason.ID})
					require.NotContains(t, fmt.Sprintf("%+v %#v", e, e), hidden, name)
					require.NotEmpty(t, e.Actor.RequestID, name)
				}
				require.Equal(t, []want{c.want}, refused, name)
			}
		})
	}
}

func always(as macaroontest.Credentials) func(world) macaroontest.Credentials {
	return func(world) macaroontest.Credentials { return as }
}

// world has a user with a token, and a copy that may only read files.
type world struct {
	authority       *macaroon.Authority
	token, confined string
}

func newRefusing(t *testing.T, seen *trail) world {
	t.Helper()
	w := world{authority: newUsers(t, memory.New(), macaroon.WithObserver(seen.observe))}
	alice, err := w.authority.LogIn(t.Context(), "alice", macaroontest.Password)
	require.NoError(t, err)
	token, err := w.authority.IssueLegacy(t.Context(), alice, nil)
	require.NoError(t, err)
	confined, err := token.ConfineText("api = opw/get/file.*.*:*")
	require.NoError(t, err)
	w.token, w.confined = token.String(), confined.String()
	return w
}
