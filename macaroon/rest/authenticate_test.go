package rest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// seen is the result of a request behind Authenticate: the client, or the error
// in the response.
func seen(t *testing.T, w *restcases.Fixture, header http.Header, options ...rest.Option) (rest.Client, *errors.Error) {
	t.Helper()
	var client rest.Client
	reached := false
	handler := rest.Authenticate(w.Authority, options...)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		client, reached = rest.ClientFrom(r.Context())
	}))
	r := httptest.NewRequest("GET", "/", nil).WithContext(t.Context())
	r.RemoteAddr = restcases.PeerIP + ":1"
	r.Header = header
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, r)
	if reached {
		require.Equal(t, http.StatusOK, rec.Code)
		return client, nil
	}
	require.Equal(t, http.StatusUnauthorized, rec.Code, rec.Body.String())
	require.NotEmpty(t, rec.Header().Get("WWW-Authenticate"))
	var body errors.Envelope
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &body))
	require.Equal(t, errors.IDUnauthorized, body.Error.ID)
	cause, ok := errors.Unwrap(body.Error).(*errors.Error)
	require.True(t, ok, "without a cause: %s", rec.Body)
	return rest.Client{}, cause
}

// headers returns a header with the names and values.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func basic(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

// idp is an identity provider whose tokens begin with "idp-".
type idp struct{}

func (idp) Identify(_ context.Context, token string) (caveat.Subject, error) {
	switch token {
	case "idp-alice":
		return restcases.Alice, nil
	case "idp-wrong":
		return caveat.Subject{}, errors.BadIdpAccessToken("github")
	case "idp-wrapped":
		return caveat.Subject{}, fmt.Errorf("asking: %w", errors.BadIdpAccessToken("github"))
	case "idp-blocked":
		return caveat.Subject{}, errors.UserBlocked()
	case "idp-down":
		return caveat.Subject{}, errors.New("connection refused")
	case "idp-odd":
		return restcases.Krakow, nil
	}
	return caveat.Subject{}, errors.BadToken("")
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	alice, bob, krakow := w.Laptop.String(), w.TokenOf(restcases.Bob, macaroon.AccessToken()).String(), w.Transfer.String()
	confined := func(text string) string {
		token, err := w.Laptop.ConfineUnchecked(text)
		require.NoError(t, err)
		return token.String()
	}
	olga := w.TokenOf(restcases.Olga, macaroon.AccessToken()).String()
	bobID := w.TokenOf(restcases.Bob, macaroon.IdentityToken()).String()
	session := w.TokenOf(restcases.Alice, macaroon.SessionToken("s-alice")).String()
	expired := w.Expired().String()
	tooLarge := strings.Repeat("M", macaroon.DefaultMaxSize+1)
	const xauth, service, consumer = "X-Auth-Token", "X-Onedata-Service-Token", "X-Onedata-Consumer-Token"
	inSession := func(id string) rest.Option {
		return rest.WithSessionFrom(func(*http.Request) string { return id })
	}
	password := "alice:correct horse battery"
	require.NoError(t, w.Authority.SetPassword(t.Context(), restcases.Mia, "with:a:colon"))
	require.NoError(t, w.Authority.SetBlocked(t.Context(), restcases.Olga, true))

	nobody := caveat.Nobody()
	for _, c := range []struct {
		name    string
		header  http.Header
		options []rest.Option
		want    caveat.Subject // zero: refused
		err     error          // why
	}{
		{"nothing", headers(), nil, nobody, nil},
		{"X-Auth-Token", headers(xauth, alice), nil, restcases.Alice, nil},
		{"Bearer", headers("Authorization", "Bearer "+alice), nil, restcases.Alice, nil},
		{"Macaroon", headers("Macaroon", alice), nil, restcases.Alice, nil},
		{"names in other letters", headers("x-aUTH-tOKEN", alice), nil, restcases.Alice, nil},
		{"Basic", headers("Authorization", basic(password)), nil, restcases.Alice, nil},
		{"Oneprovider", headers(xauth, krakow), nil, restcases.Krakow, nil},
		{"version 1", headers(xauth, w.Version1().String()), nil, restcases.Alice, nil},
		{"marked for a service", headers(xauth, "opw-"+krakow), nil, restcases.Krakow, nil},

		{"X-Auth-Token first", headers(xauth, bob, "Authorization", "Bearer "+alice, "Macaroon", alice), nil, restcases.Bob, nil},
		{"Bearer second", headers("Macaroon", bob, "Authorization", "Bearer "+alice), nil, restcases.Alice, nil},
		{"Macaroon before Basic", headers("Macaroon", bob, "Authorization", basic(password)), nil, restcases.Bob, nil},
		{"a good Basic does not help a bad token", headers(xauth, "nonsense", "Authorization", basic(password)), nil, caveat.Subject{}, errors.IDBadToken},
		{"a good Bearer does not help a bad token", headers(xauth, "nonsense", "Authorization", "Bearer "+alice), nil, caveat.Subject{}, errors.IDBadToken},
		{"a good Macaroon does not help a bad Bearer", headers("Macaroon", alice, "Authorization", "Bearer x"), nil, caveat.Subject{}, errors.IDBadToken},
		{"none of two", headers(xauth, alice, xauth, bob), nil, caveat.Subject{}, errors.IDBadToken},
		{"none of two that are the same", headers(xauth, alice, xauth, alice), nil, caveat.Subject{}, errors.IDBadToken},
		{"none of two in Macaroon", headers("Macaroon", alice, "Macaroon", bob), nil, caveat.Subject{}, errors.IDBadToken},
		{"none of two in Authorization", headers("Authorization", "Bearer "+alice, "Authorization", "Bearer "+bob), nil, caveat.Subject{}, errors.IDBadToken},
		{"no Basic beside Bearer", headers("Authorization", "Bearer "+alice, "Authorization", basic(password)), nil, caveat.Subject{}, errors.IDBadToken},
		{"no Bearer beside Basic", headers("Authorization", basic(password), "Authorization", "Bearer "+alice), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"none of two services", headers(xauth, alice, service, krakow, service, krakow), nil, caveat.Subject{}, errors.IDBadServiceToken},
		{"none of two consumers", headers(xauth, alice, consumer, bobID, consumer, bobID), nil, caveat.Subject{}, errors.IDBadConsumerToken},
		{"empty X-Auth-Token", headers(xauth, "", "Macaroon", alice), nil, caveat.Subject{}, errors.IDBadToken},
		{"empty Bearer", headers("Authorization", "Bearer "), nil, caveat.Subject{}, errors.IDBadToken},
		{"nothing but Bearer", headers("Authorization", "Bearer"), nil, caveat.Subject{}, errors.IDBadToken},
		{"Bearer without a space", headers("Authorization", "Bearer"+alice), nil, nobody, nil},
		{"empty Macaroon", headers("Macaroon", ""), nil, caveat.Subject{}, errors.IDBadToken},
		{"Bearer and two spaces", headers("Authorization", "Bearer  "+alice), nil, caveat.Subject{}, errors.IDBadToken},
		{"bearer in lower case", headers("Authorization", "bearer "+alice), nil, nobody, nil},
		{"BEARER in upper case", headers("Authorization", "BEARER "+alice), nil, nobody, nil},
		{"another scheme", headers("Authorization", "Digest "+alice), nil, nobody, nil},
		{"basic in lower case", headers("Authorization", "basic "+basic(password)[6:]), nil, nobody, nil},

		{"too large", headers(xauth, tooLarge), nil, caveat.Subject{}, errors.IDTokenTooLarge},
		{"too large with an identity provider", headers(xauth, tooLarge), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDTokenTooLarge},
		{"forged", headers(xauth, w.Forged().String()), nil, caveat.Subject{}, errors.IDTokenInvalid},
		{"revoked", headers(xauth, w.Revoked().String()), nil, caveat.Subject{}, errors.IDTokenRevoked},
		{"expired", headers(xauth, expired), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"truncated", headers(xauth, w.Truncated()), nil, caveat.Subject{}, errors.IDBadToken},
		{"unknown caveat", headers(xauth, w.WithUnknownCaveat().String()), nil, caveat.Subject{}, errors.IDTokenCaveatUnknown},
		{"identity token", headers(xauth, w.ID.String()), nil, caveat.Subject{}, errors.IDNotAnAccessToken},
		{"invite token", headers(xauth, w.Invite.String()), nil, caveat.Subject{}, errors.IDNotAnAccessToken},
		{"blocked user", headers(xauth, olga), nil, caveat.Subject{}, errors.IDUserBlocked},
		{"address", headers(xauth, confined("ip = "+restcases.PeerIP)), nil, restcases.Alice, nil},
		{"other address", headers(xauth, confined("ip = 10.0.0.1")), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"made up address", headers(xauth, confined("ip = 10.0.0.1"), "X-Forwarded-For", "10.0.0.1", "X-Onedata-Forwarded-For", "10.0.0.1"), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"interface", headers(xauth, confined("interface = rest")), nil, restcases.Alice, nil},
		{"other interface", headers(xauth, confined("interface = oneclient")), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"as the other interface", headers(xauth, confined("interface = oneclient")), []rest.Option{rest.AsInterface(caveat.Oneclient)}, restcases.Alice, nil},
		{"data caveat", headers(xauth, confined("data.readonly")), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"data caveat that is enforced", headers(xauth, confined("data.readonly")), []rest.Option{rest.AllowDataCaveats()}, restcases.Alice, nil},

		{"service", headers(xauth, confined("service = opw-p-krakow"), service, "opw-"+krakow), nil, restcases.Alice, nil},
		{"service without a mark", headers(xauth, confined("service = opw-p-krakow"), service, krakow), nil, restcases.Alice, nil},
		{"service is missing", headers(xauth, confined("service = opw-p-krakow")), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"as the service", headers(xauth, confined("service = opw-p-krakow")), []rest.Option{rest.AsService(caveat.Service{Type: caveat.OpWorker, ID: "p-krakow"})}, restcases.Alice, nil},
		{"as a service, with the token of another", headers(xauth, confined("service = opw-p-krakow"), service, krakow), []rest.Option{rest.AsService(caveat.Service{Type: caveat.OpWorker, ID: "p-other"})}, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"as Onezone's worker", headers(xauth, confined("service = opw-p-krakow"), service, krakow), []rest.Option{rest.AsService(caveat.Service{Type: caveat.OzWorker, ID: caveat.OnezoneID})}, restcases.Alice, nil},
		{"service of no use to the user", headers(xauth, bob, service, krakow), nil, caveat.Subject{}, errors.IDTokenServiceForbidden},
		{"service token of a user", headers(xauth, alice, service, w.ID.String()), nil, caveat.Subject{}, errors.IDBadServiceToken},
		{"undecodable service token", headers(xauth, alice, service, "x"), nil, caveat.Subject{}, errors.IDBadServiceToken},
		{"empty service token", headers(xauth, alice, service, ""), nil, caveat.Subject{}, errors.IDBadServiceToken},
		{"service token that is too large", headers(xauth, alice, service, tooLarge), nil, caveat.Subject{}, errors.IDTokenTooLarge},
		{"consumer", headers(xauth, confined("consumer = usr-u-bob"), consumer, bobID), nil, restcases.Alice, nil},
		{"consumer is unknown", headers(xauth, confined("consumer = usr-u-alice")), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"consumer is not even nobody", headers(xauth, confined("consumer = nobody")), nil, caveat.Subject{}, errors.IDTokenCaveatUnverified},
		{"undecodable consumer token", headers(xauth, alice, consumer, "x"), nil, caveat.Subject{}, errors.IDBadConsumerToken},
		{"forged consumer token", headers(xauth, alice, consumer, w.Forged().String()), nil, caveat.Subject{}, errors.IDTokenInvalid},
		{"service before consumer", headers(xauth, alice, service, "x", consumer, "x"), nil, caveat.Subject{}, errors.IDBadServiceToken},
		{"consumer before the token", headers(xauth, w.Forged().String(), consumer, "x"), nil, caveat.Subject{}, errors.IDBadConsumerToken},
		{"the token that does not decode before both", headers(xauth, "x", service, "x", consumer, "x"), nil, caveat.Subject{}, errors.IDBadToken},
		{"service and consumer of nobody", headers(service, "x", consumer, "x"), nil, nobody, nil},
		{"service and consumer of Basic", headers("Authorization", basic(password), service, "x", consumer, "x"), nil, restcases.Alice, nil},

		{"session token without a session", headers(xauth, session), nil, caveat.Subject{}, errors.IDTokenSessionInvalid},
		{"session token in its session", headers(xauth, session), []rest.Option{inSession("s-alice")}, restcases.Alice, nil},
		{"session token in another session", headers(xauth, session), []rest.Option{inSession("s-bob")}, caveat.Subject{}, errors.IDTokenSessionInvalid},
		{"plain token in a session", headers(xauth, alice), []rest.Option{inSession("s-alice")}, caveat.Subject{}, errors.IDTokenSessionInvalid},
		{"plain token in no session", headers(xauth, alice), []rest.Option{inSession("")}, restcases.Alice, nil},
		{"plain token from a panel in a session", headers(xauth, w.TokenOf(restcases.Mia, macaroon.AccessToken()).String(), service, "opp-"+krakow), []rest.Option{inSession("s-alice")}, restcases.Mia, nil},
		{"Basic in a session", headers("Authorization", basic(password)), []rest.Option{inSession("s-alice")}, restcases.Alice, nil},

		{"no identity provider", headers(xauth, "idp-alice"), nil, caveat.Subject{}, errors.IDBadToken},
		{"identity provider", headers(xauth, "idp-alice"), []rest.Option{rest.WithIdentityProvider(idp{})}, restcases.Alice, nil},
		{"identity provider does not know", headers(xauth, "else"), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDBadToken},
		{"identity provider refuses", headers(xauth, "idp-wrong"), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDBadIdpAccessToken},
		{"identity provider refuses in other words", headers(xauth, "idp-wrapped"), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDBadIdpAccessToken},
		{"identity provider knows a blocked user", headers(xauth, "idp-blocked"), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDUserBlocked},
		{"identity provider is down", headers(xauth, "idp-down"), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDInternalServerError},
		{"identity provider names no user", headers(xauth, "idp-odd"), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDInternalServerError},
		{"identity provider is not asked about tokens", headers(xauth, w.Forged().String()), []rest.Option{rest.WithIdentityProvider(idp{})}, caveat.Subject{}, errors.IDTokenInvalid},

		{"password with colons", headers("Authorization", basic("mia:with:a:colon")), nil, restcases.Mia, nil},
		{"wrong password", headers("Authorization", basic("alice:wrong")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"empty password", headers("Authorization", basic("alice:")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"unknown user", headers("Authorization", basic("nobody:password")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"user in other letters", headers("Authorization", basic("Alice:correct horse battery")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"empty user", headers("Authorization", basic(":password")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"user that no store could have", headers("Authorization", basic("a\x00\xff:password")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"no colon", headers("Authorization", basic("alice")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"no base64", headers("Authorization", "Basic ???"), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"base64 without its padding", headers("Authorization", "Basic YTpi="), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"nothing but Basic", headers("Authorization", "Basic"), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"empty Basic", headers("Authorization", "Basic "), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"blocked user, wrong password", headers("Authorization", basic("olga:wrong")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"user without a password", headers("Authorization", basic("ada:password")), nil, caveat.Subject{}, errors.IDBadBasicCredentials},
		{"Basic is off", headers("Authorization", basic(password)), []rest.Option{rest.WithoutBasicAuth()}, caveat.Subject{}, errors.IDBasicAuthNotSupported},
		{"Basic is off, and undecodable", headers("Authorization", "Basic ???"), []rest.Option{rest.WithoutBasicAuth()}, caveat.Subject{}, errors.IDBadBasicCredentials},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client, refusal := seen(t, w, c.header, c.options...)
			if c.err != nil {
				require.NotNil(t, refusal, "%v was let in", client.Subject)
				require.ErrorIs(t, refusal, c.err)
				return
			}
			require.Nil(t, refusal)
			require.Equal(t, c.want, client.Subject)
			require.Equal(t, c.want == nobody, client.IsNobody())
			viaToken := c.header.Get(xauth) != "" || c.header.Get("Macaroon") != "" || strings.HasPrefix(c.header.Get("Authorization"), "Bearer ")
			if foreign := strings.HasPrefix(c.header.Get(xauth), "idp-"); foreign {
				require.False(t, client.PeerIP.IsValid(), "the address is not remembered then")
				viaToken = false
			} else {
				require.Equal(t, netip.MustParseAddr(restcases.PeerIP), client.PeerIP)
			}
			require.Equal(t, viaToken, client.Token != nil, "the client has a token")
		})
	}
}

func TestChallengesListTheAcceptedSchemes(t *testing.T) {
	t.Parallel()
	w := restcases.NewFixture(t)
	for want, options := range map[string][]rest.Option{
		`Bearer realm="onezone", Basic realm="onezone", charset="UTF-8"`: nil,
		`Bearer realm="onezone"`: {rest.WithoutBasicAuth()},
	} {
		handler, err := rest.NewHandler(w.Authority, options...)
		require.NoError(t, err)
		res := macaroontest.Request(t, handler, "GET", rest.Prefix+"/user/tokens/named", nil, nil)
		macaroontest.AssertStatus(t, res, http.StatusUnauthorized)
		require.Equal(t, want, res.Header.Get("WWW-Authenticate"))
	}
}
