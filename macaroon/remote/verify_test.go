package remote_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/remote"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

func TestOnezoneVouchesForTokensOfEveryClass(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	ctx := t.Context()

	auth, err := c.VerifyAccess(ctx, z.Token(caveat.Until(z.Clock.Now().Add(time.Hour))).String(), caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, z.Alice, auth.Subject)
	require.Equal(t, macaroon.AccessToken(), auth.Type)
	require.Len(t, auth.Caveats(), 1)

	auth, err = c.VerifyIdentity(ctx, z.identity().String(), from("10.0.0.1"))
	require.NoError(t, err)
	require.Equal(t, z.Alice, auth.Subject)
	require.Equal(t, netip.MustParseAddr("10.0.0.1"), auth.PeerIP)

	text, err := z.TokenOf(z.Provider, macaroon.AccessToken()).IndicatedBy(caveat.OpPanel)
	require.NoError(t, err)
	auth, err = c.VerifyIdentity(ctx, text, caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, z.Provider, auth.Subject)
	require.Equal(t, caveat.OpPanel, auth.Service)
}

func TestRefusalsOfOnezoneAreErrorsOfTheCatalogue(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	for name, refused := range map[string]struct {
		text string
		id   errors.ID
	}{
		"forged":  {z.Forged().String(), errors.IDTokenInvalid},
		"revoked": {z.Revoked().String(), errors.IDTokenRevoked},
		"ip":      {z.Token(caveat.MustParse("ip = 192.0.2.1")).String(), errors.IDTokenCaveatUnverified},
		"service": {z.Token(caveat.MustParse("service = opw-p1")).String(), errors.IDTokenCaveatUnverified},
		"asn":     {z.Token(caveat.MustParse("asn = 1")).String(), errors.IDTokenCaveatUnverified},
		"user's consumer caveat": {z.Token(caveat.MustParse("consumer = usr-u-bob")).String(),
			errors.IDTokenCaveatUnverified},
	} {
		auth, err := c.VerifyAccess(t.Context(), refused.text, from("10.0.0.1"))
		require.IsType(t, &errors.Error{}, err, name)
		require.ErrorIs(t, err, refused.id, name)
		require.Zero(t, auth)
	}
	_, err := c.VerifyIdentity(t.Context(), z.Token().String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDNotAnIdentityToken)
}

func TestTokensThatOnezoneWouldRefuseAnywayAreNotSent(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	ctx := t.Context()
	access, identity := z.Token().String(), z.identity().String()
	expired := z.Token(caveat.Until(z.Clock.Now().Add(-remote.ClockAllowance))).String()
	unknown := z.WithUnknownCaveat().String()
	for name, refused := range map[string]struct {
		verify func() (macaroon.Auth, error)
		want   []errors.ID
	}{
		"empty":     {func() (macaroon.Auth, error) { return c.VerifyAccess(ctx, "", caveat.Request{}) }, []errors.ID{errors.IDBadToken}},
		"truncated": {func() (macaroon.Auth, error) { return c.VerifyAccess(ctx, z.Truncated(), caveat.Request{}) }, []errors.ID{errors.IDBadToken}},
		"too large": {func() (macaroon.Auth, error) {
			return c.VerifyAccess(ctx, strings.Repeat("a", macaroon.DefaultMaxSize+1), caveat.Request{})
		}, []errors.ID{errors.IDTokenTooLarge}},
		"identity as access": {func() (macaroon.Auth, error) { return c.VerifyAccess(ctx, identity, caveat.Request{}) }, []errors.ID{errors.IDNotAnAccessToken}},
		"access as invite":   {func() (macaroon.Auth, error) { return c.VerifyInvite(ctx, access, 0, caveat.Request{}) }, []errors.ID{errors.IDNotAnInviteToken}},
		"session as identity": {func() (macaroon.Auth, error) {
			return c.VerifyIdentity(ctx, z.mint(t, macaroon.SessionToken("s1")).String(), caveat.Request{})
		}, []errors.ID{errors.IDNotAnIdentityToken}},
		"expired": {func() (macaroon.Auth, error) { return c.VerifyAccess(ctx, expired, caveat.Request{}) }, []errors.ID{errors.IDTokenCaveatUnverified}},
		"unknown": {func() (macaroon.Auth, error) { return c.VerifyAccess(ctx, unknown, caveat.Request{}) }, []errors.ID{errors.IDTokenCaveatUnknown}},
		"bad service token": {func() (macaroon.Auth, error) {
			return c.VerifyAccess(ctx, access, caveat.Request{ServiceToken: "x", ConsumerToken: "x"})
		}, []errors.ID{errors.IDBadServiceToken, errors.IDBadToken}},
		"discharges": {func() (macaroon.Auth, error) {
			return c.VerifyAccess(ctx, access, caveat.Request{Discharges: []string{"x"}})
		}, []errors.ID{errors.IDTokenInvalid}},
		"third-party caveat": {func() (macaroon.Auth, error) { return c.VerifyAccess(ctx, needsDischarge(t, access), caveat.Request{}) }, []errors.ID{errors.IDTokenInvalid}},
		"expired consumer token": {func() (macaroon.Auth, error) {
			return c.VerifyAccess(ctx, access, caveat.Request{ConsumerToken: caveat.PartyToken(expired)})
		}, []errors.ID{errors.IDBadConsumerToken, errors.IDTokenCaveatUnverified}},
	} {
		auth, err := refused.verify()
		for _, id := range refused.want {
			require.ErrorIs(t, err, id, name)
		}
		require.IsType(t, &errors.Error{}, err, name)
		require.Zero(t, auth, name)
	}
	require.True(t, errors.Expired(func() error { _, err := c.VerifyAccess(ctx, expired, caveat.Request{}); return err }()))
	require.Zero(t, z.requests())
	require.NotZero(t, c.Stats().RefusedLocally)
}

// needsDischarge returns the text of the token with a third-party caveat.
func needsDischarge(t *testing.T, text string) string {
	t.Helper()
	m, err := general.Parse(text, general.Onezone)
	require.NoError(t, err)
	m, err = m.AddThirdParty(general.Caveat{Text: "time < 1", VerificationID: "v", Location: "l"})
	require.NoError(t, err)
	text, err = m.Encode(general.Onezone)
	require.NoError(t, err)
	return text
}

func TestOnezoneDecidesWhileTheClocksMayDiffer(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	token := z.Token(caveat.Until(z.Clock.Now().Add(2 * time.Second))).String()
	ahead := z.client(t, remote.WithClock(func() time.Time { return z.Clock.Now().Add(4 * time.Second) }))
	_, err := ahead.VerifyAccess(t.Context(), token, caveat.Request{})
	require.NoError(t, err, "the clock here is 2 seconds past the expiry, that of Onezone is not")
	z.Clock.Advance(2 * time.Second)
	_, err = ahead.VerifyAccess(remote.Fresh(t.Context()), token, caveat.Request{})
	require.True(t, errors.Expired(err))
}

func TestTokensOfAnotherDomainAreNeverSent(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	foreign, err := macaroon.Mint(macaroon.Spec{
		Domain: "elsewhere.example.org", ID: "t1", Subject: z.Alice, Type: macaroon.AccessToken(),
	}, store.NewSecret(strings.Repeat("0", 64)))
	require.NoError(t, err)
	own := z.Token().String()
	for name, c := range map[string]*remote.Client{
		"domain of the configuration": z.client(t),
		"domain of an option":         z.client(t, remote.WithDomains(z.Authority.Domain())),
	} {
		_, err := c.VerifyAccess(t.Context(), foreign.String(), caveat.Request{})
		require.ErrorIs(t, err, errors.IDTokenInvalid, name)
		require.ErrorContains(t, err, "elsewhere.example.org", name)
		_, err = c.VerifyAccess(t.Context(), own, caveat.Request{ServiceToken: caveat.PartyToken(foreign.String())})
		require.ErrorIs(t, err, errors.IDBadServiceToken, name)
		_, err = c.VerifyAccess(t.Context(), own, caveat.Request{ConsumerToken: caveat.PartyToken(foreign.String())})
		require.ErrorIs(t, err, errors.IDBadConsumerToken, name)
		_, err = c.Scope(t.Context(), foreign.String(), "")
		require.ErrorIs(t, err, errors.IDTokenInvalid, name)
	}
	require.Zero(t, z.requests())
	_, err = z.client(t, remote.WithDomains("elsewhere.example.org", z.Authority.Domain())).VerifyAccess(t.Context(), own, caveat.Request{})
	require.NoError(t, err)
}

func TestAnOnezoneWithoutConfigurationHasTheDomainOfItsURL(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	z.hidden = true
	c := z.client(t)
	_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenInvalid)
	require.ErrorContains(t, err, `not by ["127.0.0.1"]`)
	require.Zero(t, z.requests())
}

func TestTheAddressOfTheClientIsAlwaysSent(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithMaxAge(0, 0))
	token := z.Token().String()
	for addr, want := range map[string]any{
		"192.0.2.1":        "192.0.2.1",
		"::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8::1":      nil,
		"":                 nil,
	} {
		req := caveat.Request{}
		if addr != "" {
			req = from(addr)
		}
		_, err := c.VerifyAccess(t.Context(), token, req)
		require.NoError(t, err)
		sent, ok := z.lastBody()["peerIp"]
		require.True(t, ok, "Onezone would take the address of this service for %q", addr)
		require.Equal(t, want, sent, addr)
	}
}

func TestIPv6ClientsFailIPCaveats(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	token := z.Token(caveat.MustParse("ip = 0.0.0.0/0")).String()
	_, err := c.VerifyAccess(t.Context(), token, from("2001:db8::1"))
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	_, err = c.VerifyAccess(t.Context(), token, from("::ffff:192.0.2.1"))
	require.NoError(t, err)
}

func TestServiceAndConsumerTokensReachOnezone(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	service := z.TokenOf(z.Provider, macaroon.IdentityToken()).String()
	consumer := z.TokenOf(z.Bob, macaroon.IdentityToken()).String()
	forBob := z.Token(caveat.MustParse("consumer = usr-u-bob")).String()
	c := z.client(t, remote.WithServiceToken(caveat.PartyToken(service)))

	_, err := c.VerifyAccess(t.Context(), forBob, caveat.Request{ConsumerToken: caveat.PartyToken(consumer)})
	require.ErrorIs(t, err, errors.IDTokenServiceForbidden, "Alice is not a user of the provider")
	require.Equal(t, service, z.lastBody()["serviceToken"])
	require.Equal(t, consumer, z.lastBody()["consumerToken"])

	_, err = z.client(t).VerifyAccess(t.Context(), forBob, caveat.Request{ConsumerToken: caveat.PartyToken(consumer)})
	require.NoError(t, err)
	require.NotContains(t, z.lastBody(), "serviceToken")
	_, err = c.VerifyIdentity(t.Context(), z.identity().String(), caveat.Request{})
	require.NoError(t, err)
	require.NotContains(t, z.lastBody(), "serviceToken")
	require.NotContains(t, z.lastBody(), "consumerToken")
}

func TestServiceCaveatsAreHeldToTheServiceToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	service := caveat.PartyToken(z.TokenOf(z.Provider, macaroon.IdentityToken()).String())
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
	c := z.client(t)
	_, err := c.VerifyAccess(t.Context(), z.Token(caveat.MustParse("service = opw-p-krakow")).String(), caveat.Request{ServiceToken: service})
	require.NoError(t, err)
	_, err = c.VerifyAccess(t.Context(), z.Token(caveat.MustParse("service = opw-p-other")).String(), caveat.Request{ServiceToken: service})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	_, err = c.VerifyAccess(t.Context(), z.Token(caveat.MustParse("service = opw-p-krakow")).String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
}

// A Oneprovider has received tokens that are confined to it. It must not be able
// to use them at a service of another one by adding its own service token.
func TestTheServiceTokenOfARequestDoesNotReplaceTheOwn(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	own := z.TokenOf(z.Provider, macaroon.IdentityToken()).String()
	other, err := macaroon.Mint(macaroon.Spec{
		Domain: z.Authority.Domain(), ID: "other", Subject: caveat.Provider("p-other"), Type: macaroon.IdentityToken(),
	}, store.NewSecret(strings.Repeat("0", 64)))
	require.NoError(t, err)
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
	c := z.client(t, remote.WithServiceToken(caveat.PartyToken(own)))
	req := caveat.Request{ServiceToken: caveat.PartyToken(other.String())}
	_, err = c.VerifyAccess(t.Context(), z.Token(caveat.MustParse("service = opw-p-krakow")).String(), req)
	require.NoError(t, err)
	require.Equal(t, own, z.lastBody()["serviceToken"])
	_, err = c.VerifyAccess(t.Context(), z.Token(caveat.MustParse("service = opw-p-other")).String(), req)
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	require.Equal(t, own, z.lastBody()["serviceToken"])
}

func TestCaveatsOfAVouchedTokenAreEnforcedHere(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t)
	token := z.Token(caveat.MustParse("api = all/get/file.*.*:private"), caveat.DataReadonly{}, caveat.REST).String()
	_, err := c.VerifyAccess(t.Context(), token, caveat.Request{Interface: caveat.REST})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified, "the service does not serve data")
	auth, err := c.VerifyAccess(t.Context(), token, caveat.Request{Interface: caveat.REST, DataAccess: true})
	require.NoError(t, err)
	require.Equal(t, true, z.lastBody()["allowDataAccessCaveats"])
	require.Equal(t, "rest", z.lastBody()["interface"])
	gri, err := caveat.ParseGRI("file.f1.content:private")
	require.NoError(t, err)
	require.ErrorIs(t, auth.Authorize(caveat.OpWorker, caveat.Update, gri), errors.IDUnauthorized)
	require.Error(t, auth.CheckFile(caveat.File{}, caveat.Write))

	// An Onezone that does not know these kinds, or is wrong, does not matter.
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
	for _, text := range []string{"interface = graphsync", "ip = 192.0.2.1", "service = opp-p1", "data.readonly", "consumer = usr-u-bob"} {
		_, err := c.VerifyAccess(t.Context(), z.Token(caveat.MustParse(text)).String(), caveat.Request{Interface: caveat.REST})
		require.ErrorIs(t, err, errors.IDTokenCaveatUnverified, text)
	}
	_, err = c.VerifyAccess(t.Context(), z.mint(t, macaroon.SessionToken("s1")).String(), caveat.Request{Session: caveat.InSession("s2")})
	require.ErrorIs(t, err, errors.IDTokenSessionInvalid)
	_, err = c.VerifyIdentity(t.Context(), z.Token().String(), caveat.Request{})
	require.ErrorIs(t, err, errors.IDNotAnIdentityToken)
}

func TestCaveatsOfAnApplicationAreDecidedHere(t *testing.T) {
	t.Parallel()
	project := caveat.Kind{Name: "project", Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) {
		return value == "p1", nil
	}}
	v, err := caveat.NewVocabulary(project)
	require.NoError(t, err)
	z := newZone(t, macaroon.WithVocabulary(v))
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
	c := z.client(t, remote.WithVocabulary(v))
	text := func(value string) string {
		one, err := v.New("project", value)
		require.NoError(t, err)
		return z.Token(one).String()
	}
	_, err = c.VerifyAccess(t.Context(), text("p1"), caveat.Request{})
	require.NoError(t, err)
	_, err = c.VerifyAccess(t.Context(), text("p2"), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnverified)
	auth, err := c.VerifyAccess(t.Context(), text("p2"), caveat.Request{Ignored: []caveat.Type{"project"}})
	require.NoError(t, err)
	require.ErrorIs(t, auth.CheckKind(t.Context(), "project", caveat.Request{}), errors.IDTokenCaveatUnverified)
	_, err = z.client(t).VerifyAccess(t.Context(), text("p1"), caveat.Request{})
	require.ErrorIs(t, err, errors.IDTokenCaveatUnknown)
}

func TestTheSubjectMustBeThatOfTheToken(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	c := z.client(t, remote.WithRetries(0))
	for _, subject := range []string{
		`{"type":"user","id":"u-bob"}`, `{"type":"oneprovider","id":"u-alice"}`, `{"type":"group","id":"u-alice"}`,
		`{"type":"nobody","id":null}`, `{"type":"admin","id":"u-alice"}`, `{"type":"user","id":""}`, `{"type":"user"}`, `"usr-u-alice"`, `null`, `[]`,
	} {
		z.misbehave(respondWith(http.StatusOK, `{"subject":`+subject+`,"ttl":null}`))
		c := z.client(t, remote.WithRetries(0))
		_, err := c.VerifyAccess(t.Context(), z.Token().String(), caveat.Request{})
		requireOperational(t, err)
	}
	// Tokens of version 1 do not contain their subject.
	old, err := macaroon.Mint(macaroon.Spec{Version: 1, Domain: z.Authority.Domain(), ID: "old", Type: macaroon.AccessToken()}, store.NewSecret(strings.Repeat("0", 64)))
	require.NoError(t, err)
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Bob, "null")))
	auth, err := c.VerifyAccess(t.Context(), old.String(), caveat.Request{})
	require.NoError(t, err)
	require.Equal(t, z.Bob, auth.Subject)
}

func TestTheMiddlewareTakesAClientLikeAnAuthority(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	whoami := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _ := rest.ClientFrom(r.Context())
		_, _ = w.Write([]byte(client.Subject.String()))
	})
	handler := rest.Authenticate(z.client(t), rest.AcceptIdentityTokens())(rest.RequireClient()(whoami))
	res := macaroontest.Get(t, handler, "/", z.identity())
	require.Equal(t, http.StatusOK, res.Status)
	require.Equal(t, "usr-u-alice", string(res.Body))
	res = macaroontest.Get(t, handler, "/", z.Token())
	require.Equal(t, http.StatusUnauthorized, res.Status)
	require.ErrorIs(t, res.Err(), errors.IDNotAnIdentityToken)

	api := rest.Authenticate(z.client(t))(rest.Require(caveat.OpWorker, caveat.Get, "file.f1.content:private")(whoami))
	res = macaroontest.Get(t, api, "/", z.Token(caveat.MustParse("api = all/get/*.*.*:*")))
	require.Equal(t, http.StatusOK, res.Status)
	res = macaroontest.Get(t, api, "/", z.Token(caveat.MustParse("api = all/get/space.*.*:*")))
	require.Equal(t, http.StatusUnauthorized, res.Status)
}

func TestBodiesOfQuestionsAreJSONObjects(t *testing.T) {
	t.Parallel()
	z := newZone(t)
	invite := z.mint(t, macaroon.InviteToken(macaroon.UserJoinGroup, "g1")).String()
	z.misbehave(respondWith(http.StatusOK, vouchFor(z.Alice, "null")))
	_, err := z.client(t).VerifyInvite(t.Context(), invite, macaroon.UserJoinGroup, from("192.0.2.1"))
	require.NoError(t, err)
	body, err := json.Marshal(z.lastBody())
	require.NoError(t, err)
	require.JSONEq(t, `{"token":"`+invite+`","peerIp":"192.0.2.1","expectedInviteType":"userJoinGroup"}`, string(body))
}
