package macaroon_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
)

// projectKind returns a kind of application caveats: "project = NAME",
// satisfied for one project. Looking up the project "broken" fails.
func projectKind(current string) caveat.Kind {
	return caveat.Kind{Name: "project", Satisfied: func(_ context.Context, value string, _ *caveat.Request) (bool, error) {
		if value == "broken" {
			return false, context.DeadlineExceeded
		}
		return value == current, nil
	}}
}

func TestExpiryIsStrict(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{Caveats: []caveat.Caveat{caveat.Until(start)}})
	for offset, want := range map[time.Duration]bool{
		-time.Second: true, -time.Nanosecond: true, 0: false, time.Nanosecond: false, time.Second: false,
	} {
		_, err := token.Verify(t.Context(), secret, caveat.Request{Now: start.Add(offset)})
		assert.Equal(t, want, err == nil, "at %v", offset)
	}
	_, err := token.Verify(t.Context(), secret, caveat.Request{})
	requireID(t, errors.IDTokenCaveatUnverified, err)
}

func TestLeewayIsForTokensThatHaveExpired(t *testing.T) {
	t.Parallel()
	s := memory.New()
	now := start
	authority := func(options ...macaroon.Option) *macaroon.Authority {
		a, err := macaroon.NewAuthority(s, append(options, macaroon.WithClock(func() time.Time { return now }))...)
		require.NoError(t, err)
		return a
	}
	strict, lenient := authority(), authority(macaroon.WithLeeway(2*time.Second))
	user, err := strict.CreateUser(t.Context(), macaroon.NewUser{ID: "u"})
	require.NoError(t, err)
	token, err := strict.IssueNamed(t.Context(), "laptop", macaroon.Grant{
		Subject: user, Type: macaroon.AccessToken(), Caveats: []caveat.Caveat{caveat.Until(start.Add(time.Minute))},
	})
	require.NoError(t, err)
	for after, want := range map[time.Duration]bool{-time.Second: true, 0: true, 2*time.Second - 1: true, 2 * time.Second: false} {
		now = start.Add(time.Minute + after)
		_, err := lenient.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		require.Equal(t, want, err == nil, "at %v: %v", after, err)
		_, err = strict.VerifyAccess(t.Context(), token.String(), caveat.Request{})
		require.Equal(t, after < 0, err == nil, "without a leeway, at %v: %v", after, err)
	}
	_, err = lenient.VerifyAccess(t.Context(), token.String(), caveat.Request{Leeway: 3 * time.Second})
	require.NoError(t, err, "the request sets another leeway")
	for _, d := range []time.Duration{-1, macaroon.MaxLeeway + 1} {
		_, err := macaroon.NewAuthority(s, macaroon.WithLeeway(d))
		require.ErrorIs(t, err, errors.IDBadData)
		require.ErrorContains(t, err, "leeway")
	}
}

func TestUnknownCaveats(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{})
	for _, text := range []string{
		"moon = full", "time < 9223372036854775808", "time < +5", "time < 005", "asn = 4294967296", "ip = 1.2.3.4/", "time < 99999999999\n",
		"service = opw-\xff", " time < 99999999999", "project = 42",
	} {
		_, err := confineText(t, token, text).Verify(t.Context(), secret, caveat.Request{Now: start})
		requireID(t, errors.IDTokenCaveatUnknown, err)
		_, err = forged(t, confineText(t, token, text)).Verify(t.Context(), secret, caveat.Request{Now: start})
		requireID(t, errors.IDTokenInvalid, err)
	}
	v, err := caveat.NewVocabulary(projectKind("42"))
	require.NoError(t, err)
	req := caveat.Request{Vocabulary: v}
	_, err = confineText(t, token, "project = 42").Verify(t.Context(), secret, req)
	require.NoError(t, err)
	_, err = confineText(t, token, "project = 43").Verify(t.Context(), secret, req)
	requireID(t, errors.IDTokenCaveatUnverified, err)
	_, err = confineText(t, token, "project = broken").Verify(t.Context(), secret, req)
	requireID(t, errors.IDTokenCaveatUnverified, err)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestPeersOfOtherAddressFamiliesMatchNoMask(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{Caveats: []caveat.Caveat{caveat.MustParse("ip = 0.0.0.0/0")}})
	for peer, want := range map[string]bool{"10.1.2.3": true, "::1": false, "::ffff:10.1.2.3": false, "fe80::1%eth0": false} {
		_, err := token.Verify(t.Context(), secret, caveat.Request{IP: netip.MustParseAddr(peer)})
		assert.Equal(t, want, err == nil, peer)
	}
	_, err := token.Verify(t.Context(), secret, caveat.Request{})
	requireID(t, errors.IDTokenCaveatUnverified, err)
}

// everything satisfies a caveat of each kind.
func everything() caveat.Request {
	return caveat.Request{
		Now: start, IP: netip.MustParseAddr("1.2.3.4"), Interface: caveat.REST,
		Service:  caveat.Service{Type: caveat.OpWorker, ID: "p1"},
		Consumer: caveat.User("u1"), Session: caveat.AnySession(), DataAccess: true, Geo: poland{},
	}
}

type poland struct{}

func (poland) ASN(context.Context, netip.Addr) (uint32, error) { return 8973, nil }
func (poland) Place(context.Context, netip.Addr) (caveat.Place, error) {
	return caveat.Place{Country: "PL", Continent: "EU", EU: true}, nil
}

func TestWhichCaveatsATypeSupports(t *testing.T) {
	t.Parallel()
	texts := map[caveat.Type]string{
		caveat.TypeTime: "time < 1700000000", caveat.TypeIP: "ip = 1.2.3.0/24", caveat.TypeASN: "asn = 8973",
		caveat.TypeCountry: "geo.country = PL", caveat.TypeRegion: "geo.region = EU", caveat.TypeIdentityOnly: "authorization = none",
		caveat.TypeService: "service = opw-p1", caveat.TypeConsumer: "consumer = usr-u1", caveat.TypeInterface: "interface = rest",
		caveat.TypeAPI: "api = all/all/*.*.*:*", caveat.TypeDataReadonly: "data.readonly", caveat.TypeDataPath: "data.path = L3Mx",
		caveat.TypeDataObjectID: "data.objectid = 000000000010DB4967756964237575696423737061636531",
	}
	require.Len(t, texts, len(caveat.Types()))
	invite := macaroon.InviteToken(macaroon.UserJoinGroup, "g1")
	for typ, unsupported := range map[struct {
		typ   macaroon.Type
		prove bool
	}][]caveat.Type{
		{macaroon.AccessToken(), false}:     {caveat.TypeIdentityOnly},
		{macaroon.SessionToken("s"), false}: {caveat.TypeIdentityOnly},
		{macaroon.AccessToken(), true}: {
			caveat.TypeService, caveat.TypeAPI, caveat.TypeDataReadonly, caveat.TypeDataPath, caveat.TypeDataObjectID,
		},
		{macaroon.IdentityToken(), true}: {
			caveat.TypeIdentityOnly, caveat.TypeService, caveat.TypeAPI, caveat.TypeDataReadonly, caveat.TypeDataPath, caveat.TypeDataObjectID,
		},
		{macaroon.IdentityToken(), false}: {
			caveat.TypeIdentityOnly, caveat.TypeService, caveat.TypeAPI, caveat.TypeDataReadonly, caveat.TypeDataPath, caveat.TypeDataObjectID,
		},
		{invite, false}: {
			caveat.TypeIdentityOnly, caveat.TypeService, caveat.TypeInterface, caveat.TypeAPI,
			caveat.TypeDataReadonly, caveat.TypeDataPath, caveat.TypeDataObjectID,
		},
	} {
		for kind, text := range texts {
			token := confineText(t, mint(t, macaroon.Spec{Type: typ.typ}), text)
			req := everything()
			req.ProveIdentity = typ.prove
			auth, err := token.Verify(t.Context(), secret, req)
			want := true
			for _, u := range unsupported {
				want = want && u != kind
			}
			assert.Equal(t, want, err == nil, "%v proving %v with %s: %v", typ.typ, typ.prove, text, err)
			if want {
				require.Len(t, auth.Caveats(), 1)
				assert.Equal(t, text, auth.Caveats()[0].String())
				continue
			}
			requireID(t, errors.IDTokenCaveatUnverified, err)
			req.Ignored = []caveat.Type{kind}
			_, err = token.Verify(t.Context(), secret, req)
			requireID(t, errors.IDTokenCaveatUnverified, err)
		}
	}
}

func TestIgnoredKindsCountAsSatisfied(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{Caveats: []caveat.Caveat{caveat.GraphSync, caveat.Until(start)}})
	auth, err := token.Verify(t.Context(), secret, caveat.Request{
		Now: start, Ignored: []caveat.Type{caveat.TypeInterface, caveat.TypeTime},
	})
	require.NoError(t, err)
	assert.Len(t, auth.Caveats(), 2)
	_, err = token.Verify(t.Context(), secret, caveat.Request{Now: start, Ignored: []caveat.Type{caveat.TypeInterface}})
	requireID(t, errors.IDTokenCaveatUnverified, err)
}

func TestSessions(t *testing.T) {
	t.Parallel()
	none, any, s, other := caveat.Session{}, caveat.AnySession(), caveat.InSession("s"), caveat.InSession("other")
	for typ, want := range map[macaroon.Type]map[caveat.Session]bool{
		macaroon.AccessToken():       {none: true, any: true, s: false, other: false},
		macaroon.SessionToken("s"):   {none: false, any: true, s: true, other: false},
		macaroon.IdentityToken():     {none: true, any: true, s: true, other: true},
		macaroon.InviteToken(1, "g"): {none: true, any: true, s: true, other: true},
	} {
		for session, ok := range want {
			auth, err := mint(t, macaroon.Spec{Type: typ}).Verify(t.Context(), secret, caveat.Request{Session: session})
			assert.Equal(t, ok, err == nil, "%v in %+v", typ, session)
			if !ok {
				requireID(t, errors.IDTokenSessionInvalid, err)
			} else {
				assert.Equal(t, typ.Session(), auth.Session)
			}
		}
	}
}

func TestContentOfAnAuth(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{
		ID: "id7", Subject: provider, Type: macaroon.IdentityToken(), Generation: 3,
		Caveats: []caveat.Caveat{caveat.Until(start.Add(time.Hour)), caveat.Until(start.Add(time.Minute))},
	})
	text, err := token.IndicatedBy(caveat.OpPanel)
	require.NoError(t, err)
	auth, err := parse(t, text).Verify(t.Context(), secret, everything())
	require.NoError(t, err)
	assert.Equal(t, "id7", auth.TokenID)
	assert.Equal(t, macaroon.IdentityToken(), auth.Type)
	assert.Equal(t, provider, auth.Subject)
	assert.Equal(t, caveat.OpPanel, auth.Service)
	assert.Equal(t, "1.2.3.4", auth.PeerIP.String())
	until, ok := auth.Expiry()
	assert.True(t, ok)
	assert.Equal(t, start.Add(time.Minute).Unix(), until)

	text, err = mint(t, macaroon.Spec{}).IndicatedBy(caveat.OpWorker)
	require.NoError(t, err)
	auth, err = parse(t, text).Verify(t.Context(), secret, caveat.Request{})
	require.NoError(t, err)
	assert.Zero(t, auth.Service, "a user is no service")

	_, err = token.IndicatedBy(caveat.OzWorker)
	requireID(t, errors.IDBadValueNotAllowed, err)
}

func TestTheLazyCaveatsOfAnAuth(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{Caveats: []caveat.Caveat{caveat.MustParse("api = opw/get/file.*.*:*"), caveat.DataReadonly{}}})
	auth, err := token.Verify(t.Context(), secret, caveat.Request{DataAccess: true})
	require.NoError(t, err)
	file := caveat.GRI{Type: "file", ID: "f", Aspect: "content", Scope: "private"}
	require.NoError(t, auth.Authorize(caveat.OpWorker, caveat.Get, file))
	assert.ErrorIs(t, auth.Authorize(caveat.OpWorker, caveat.Delete, file), errors.IDTokenCaveatUnverified)
	require.NoError(t, auth.CheckFile(caveat.File{Path: "/s/f"}, caveat.Read))
	assert.ErrorIs(t, auth.CheckFile(caveat.File{Path: "/s/f"}, caveat.Write), errors.IDTokenCaveatUnverified)
}

func TestSecretsThatDoNotFit(t *testing.T) {
	t.Parallel()
	token := mint(t, macaroon.Spec{})
	for _, wrong := range []store.Secret{{}, store.NewSecret("x"), store.NewSecret(secret.Reveal() + " ")} {
		_, err := token.Verify(t.Context(), wrong, everything())
		requireID(t, errors.IDTokenInvalid, err)
	}
	_, err := macaroon.Token{}.Verify(t.Context(), secret, everything())
	requireID(t, errors.IDTokenInvalid, err)
}

func TestAThirdPartyCaveatNeedsItsDischarge(t *testing.T) {
	t.Parallel()
	raw := packet("location", "onezone") + packet("identifier", identifierText) +
		packet("cid", "time < 1700000000") + packet("cid", "x") + packet("vid", "v") + packet("cl", "elsewhere") +
		packet("cid", "interface = rest") + packet("signature", "0123456789abcdef0123456789abcdef")
	token, err := parsePackets(raw)
	require.NoError(t, err)
	assert.Equal(t, []string{"time < 1700000000", "interface = rest"}, token.Caveats())
	assert.Contains(t, token.Inspect(), "discharge needed from elsewhere")
	_, err = token.Verify(t.Context(), secret, everything())
	requireID(t, errors.IDTokenInvalid, err)
}
