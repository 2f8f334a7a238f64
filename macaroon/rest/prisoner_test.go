package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/internal/testing/restcases"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
)

// moonKey is the key of the context value for caveats of the kind "moon".
type moonKey struct{}

func underMoon(ctx context.Context, phase string) context.Context {
	return context.WithValue(ctx, moonKey{}, phase)
}

// moonVocabulary has the one application caveat "moon = PHASE".
func moonVocabulary(tb testing.TB) *caveat.Vocabulary {
	tb.Helper()
	v, err := caveat.NewVocabulary(caveat.Kind{Name: "moon", Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
		return ctx.Value(moonKey{}) == value, nil
	}})
	require.NoError(tb, err)
	return v
}

// atlas is a geo resolver: 192.0.2.0/24 is in Poland, everything else in Germany.
type atlas struct{}

func (atlas) ASN(_ context.Context, ip netip.Addr) (uint32, error) {
	if poland.Contains(ip) {
		return 64500, nil
	}
	return 64501, nil
}

func (atlas) Place(_ context.Context, ip netip.Addr) (caveat.Place, error) {
	if poland.Contains(ip) {
		return caveat.Place{Country: "PL", Continent: "EU", EU: true}, nil
	}
	return caveat.Place{Country: "DE", Continent: "EU", EU: true}, nil
}

// prisoner is a client with its own fixture. Its token may carry every kind of
// caveat that can hold for a request to the API.
type prisoner struct {
	*rand.Rand
	tb        testing.TB
	w         *restcases.Fixture
	authority *macaroon.Authority
	handler   http.Handler
	subject   caveat.Subject
	own       macaroon.Token // the client's access token
	consumer  macaroon.Token // sent as consumer token; may be zero
}

func newPrisoner(tb testing.TB, r *rand.Rand, options ...rest.Option) *prisoner {
	tb.Helper()
	p := &prisoner{Rand: r, tb: tb, w: restcases.NewFixture(tb)}
	var zone restcases.Onezone
	var err error
	p.authority, err = macaroon.NewAuthority(p.w.Store,
		macaroon.WithMemberships(zone), macaroon.WithSessions(zone), macaroon.WithInviters(zone), macaroon.WithGeo(atlas{}),
		macaroon.WithDomain("onezone.example.com"), macaroon.WithClock(p.w.Clock.Now), macaroon.WithVocabulary(moonVocabulary(tb)),
		macaroon.WithThrottle(0, 0), macaroon.WithPasswordIterations(2048))
	require.NoError(tb, err)
	options = append([]rest.Option{rest.WithRights(zone), rest.WithDataScopes(zone)}, options...)
	p.handler, err = rest.NewHandler(p.authority, options...)
	require.NoError(tb, err)
	return p
}

// arrest replaces the token of the client by one of the subject with the
// caveats.
func (p *prisoner) arrest(subject caveat.Subject, texts ...string) {
	p.tb.Helper()
	p.subject = subject
	var err error
	g := macaroon.Grant{Subject: subject, Type: macaroon.AccessToken()}
	if p.IntN(2) == 0 {
		p.own, err = p.authority.IssueNamed(p.tb.Context(), "own", g)
	} else {
		g.Caveats = []caveat.Caveat{caveat.Until(p.w.Clock.Now().Add(time.Hour))}
		p.own, err = p.authority.Issue(p.tb.Context(), g)
	}
	require.NoError(p.tb, err)
	p.own, err = p.own.ConfineUnchecked(texts...)
	require.NoError(p.tb, err)
	p.consumer, err = p.authority.IssueNamed(p.tb.Context(), "consumer", macaroon.Grant{Subject: subject, Type: macaroon.IdentityToken()})
	require.NoError(p.tb, err)
}

// texts are caveats that hold for the client's requests, some of them not in
// canonical form.
func (p *prisoner) texts() []string {
	start := macaroontest.Start.Unix()
	all := [][]string{
		{fmt.Sprint("time < ", start+1+p.Int64N(100)), fmt.Sprint("time < ", start+3000)},
		{"ip = 192.0.2.7", "ip = 192.0.2.7/32", "ip = 10.0.0.0/8|192.0.2.0/24"},
		{"asn = 64500"},
		{"geo.country = PL", "geo.country != DE", "geo.region = EU"},
		{"interface = rest"},
		{"service = ozw-onezone", "service = ozw-*|opw-p-krakow"},
		{"consumer = " + p.subject.String(), "consumer = usr-*|prv-*"},
		{"moon = full"},
		{"api = ozw/all/*.*.*:*", "api = all/create/*.*.*:*|all/get/*.*.*:*", "api = ozw/all/token.*.*:*|ozw/all/user.*.*:*"},
	}
	p.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var texts []string
	for _, forms := range all[:1+p.IntN(len(all)-1)] {
		texts = append(texts, forms[p.IntN(len(forms))])
	}
	return texts
}

// sent returns the JSON of caveats in a request.
func (p *prisoner) sent() []json.RawMessage {
	list := []json.RawMessage{[]byte(fmt.Sprintf(`{"type":"time","validUntil":%d}`, macaroontest.Start.Unix()+500))}
	for _, c := range []string{
		`{"type":"ip","whitelist":["192.0.2.7"]}`, `{"type":"interface","interface":"rest"}`, `{"type":"moon","value":"full"}`,
		`{"type":"api","whitelist":["ozw/all/*.*.*:*"]}`,
	} {
		if p.IntN(3) == 0 {
			list = append(list, []byte(c))
		}
	}
	return list
}

// tokenType returns the JSON of a type that the client may request.
func (p *prisoner) tokenType(owner caveat.Subject) json.RawMessage {
	types := []string{`{"accessToken":{}}`, `{"identityToken":{}}`}
	if owner.Type == caveat.SubjectUser {
		types = append(types, `{"accessToken":{"sessionId":"s-alice"}}`,
			`{"inviteToken":{"inviteType":"userJoinGroup","groupId":"g-1","parameters":{}}}`)
	} else {
		types = append(types, `{"inviteToken":{"inviteType":"userJoinCluster","clusterId":"p-krakow","parameters":{}}}`)
	}
	return json.RawMessage(types[p.IntN(len(types))])
}

// do sends the request, and returns the tokens in the response and those in the
// request.
func (p *prisoner) do(method string, a attempt) (given, sent []macaroon.Token) {
	p.tb.Helper()
	r := httptest.NewRequest(method, rest.Prefix+a.path, strings.NewReader(a.body)).WithContext(underMoon(p.tb.Context(), "full"))
	r.RemoteAddr = restcases.PeerIP + ":50000"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Auth-Token", p.own.String())
	r.Header.Set("X-Onedata-Consumer-Token", p.consumer.String())
	rec := httptest.NewRecorder()
	p.handler.ServeHTTP(rec, r)
	known := map[string]bool{}
	for _, text := range []string{r.URL.String(), toJSON(p.tb, r.Header), a.body} {
		for _, t := range p.tokensIn(text) {
			known[t.String()] = true
			sent = append(sent, t)
		}
	}
	for _, t := range p.tokensIn(toJSON(p.tb, rec.Header()) + " " + rec.Body.String()) {
		if !known[t.String()] {
			given = append(given, t)
		}
	}
	return given, sent
}

func (p *prisoner) tokensIn(text string) (list []macaroon.Token) {
	for _, match := range tokenText.FindAllString(text, -1) {
		if t, err := p.authority.Parse(match); err == nil {
			list = append(list, t)
		}
	}
	return list
}

// use is one use of a token.
type use struct {
	caveat.Request
	moon string
}

func (p *prisoner) use() use {
	ips := []netip.Addr{netip.MustParseAddr(restcases.PeerIP), netip.MustParseAddr(restcases.PeerIP), netip.MustParseAddr("192.0.2.99"), netip.MustParseAddr("10.1.2.3"), {}}
	services := []caveat.Service{{Type: caveat.OzWorker, ID: caveat.OnezoneID}, {Type: caveat.OzWorker, ID: caveat.OnezoneID}, {Type: caveat.OpWorker, ID: "p-krakow"}}
	interfaces := []caveat.Interface{caveat.REST, caveat.REST, caveat.Oneclient, 0}
	consumers := []caveat.Subject{p.subject, p.subject, restcases.Bob, {}}
	return use{caveat.Request{
		Now:       macaroontest.Start.Add(time.Duration([]int64{0, 0, 50, 400, 2000, 1e6}[p.IntN(6)]) * time.Second),
		IP:        ips[p.IntN(len(ips))],
		Service:   services[p.IntN(len(services))],
		Interface: interfaces[p.IntN(len(interfaces))],
		Consumer:  consumers[p.IntN(len(consumers))],
		Session:   caveat.AnySession(), DataAccess: p.IntN(2) == 0,
		Geo: atlas{}, Vocabulary: p.authority.Vocabulary(),
	}, []string{"full", "full", "full", "half"}[p.IntN(4)]}
}

// good reports whether the token verifies for the use, as its type requires.
func (p *prisoner) good(t macaroon.Token, u use) (macaroon.Auth, bool) {
	ctx := underMoon(p.tb.Context(), u.moon)
	var auth macaroon.Auth
	var err error
	switch t.Type().Class() {
	case macaroon.Access:
		auth, err = p.authority.VerifyAccess(ctx, t.String(), u.Request)
	case macaroon.Identity:
		auth, err = p.authority.VerifyIdentity(ctx, t.String(), u.Request)
	default:
		auth, err = p.authority.VerifyInvite(ctx, t.String(), 0, u.Request)
	}
	return auth, err == nil
}

// allowed reports whether the caveats of the token hold for the use.
func (p *prisoner) allowed(t macaroon.Token, u use) bool {
	_, err := u.Vocabulary.ParseList(t.Caveats()).Check(underMoon(p.tb.Context(), u.moon), caveat.UseAccess, &u.Request)
	return err == nil
}

// escape describes a use that the given token allows, but neither the client's
// own token nor the one that it sent to be confined. It returns "" if the given
// token allows no such use.
func (p *prisoner) escape(given macaroon.Token, sent []macaroon.Token, u use) (why string, used bool) {
	auth, ok := p.good(given, u)
	if !ok {
		return "", false
	}
	covers := func(permits func(t macaroon.Token) bool) bool {
		return slices.ContainsFunc(append(sent, p.own), func(t macaroon.Token) bool {
			derived := t.ID() == given.ID() || t.String() == p.own.String()
			return derived && p.allowed(t, u) && permits(t)
		})
	}
	if !covers(func(macaroon.Token) bool { return true }) {
		return fmt.Sprintf("%v with %q is good for %v from %v at %v under a %s moon", given, given.Caveats(), u.Service, u.IP, u.Now.Unix(), u.moon), true
	}
	if given.Type().Class() != macaroon.Access {
		return "", true
	}
	for _, o := range operations {
		gri, err := caveat.ParseGRI(o.gri)
		require.NoError(p.tb, err)
		if auth.Authorize(o.service, o.operation, gri) == nil && !covers(func(t macaroon.Token) bool {
			return caveat.Authorize(p.parsed(t), o.service, o.operation, gri) == nil
		}) {
			return fmt.Sprintf("%v with %q authorizes %v", given, given.Caveats(), o), true
		}
	}
	return "", true
}

func (p *prisoner) parsed(t macaroon.Token) (cs []caveat.Caveat) {
	for _, text := range t.Caveats() {
		c, err := p.authority.Vocabulary().Parse(text)
		require.NoError(p.tb, err)
		cs = append(cs, c)
	}
	return cs
}
