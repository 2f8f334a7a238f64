package macaroontest

import (
	"context"
	"net/netip"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

var krakow = caveat.Service{Type: caveat.OpWorker, ID: "p-krakow"}

var caveatChecks = []verifierCheck{
	{"an address caveat admits its networks alone", func(tr *trial) {
		text := tr.Token(caveat.MustParse("ip = 10.0.0.0/8")).String()
		for range 2 { // in both orders, whatever is remembered
			tr.accept(presented{text: text, req: caveat.Request{IP: address}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text, req: caveat.Request{IP: elsewhere}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text}, "an unknown address")
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text, req: caveat.Request{IP: netip.MustParseAddr("2001:db8::1")}}, "IPv6")
		}
	}},
	{"geo caveats are decided", func(tr *trial) {
		for _, c := range []string{"asn = 8973", "geo.country = PL", "geo.region = Europe"} {
			text := tr.Token(caveat.MustParse(c)).String()
			for range 2 {
				tr.accept(presented{text: text, req: caveat.Request{IP: warsaw}}, c)
				tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text, req: caveat.Request{IP: elsewhere}}, c)
				tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text}, c)
			}
		}
	}},
	{"an interface caveat admits its interface alone", func(tr *trial) {
		text := tr.Token(caveat.Oneclient).String()
		for range 2 {
			tr.accept(presented{text: text, req: caveat.Request{Interface: caveat.Oneclient}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text, req: caveat.Request{Interface: caveat.REST}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text})
		}
	}},
	{"data caveats need a request that enforces them", func(tr *trial) {
		text := tr.Token(caveat.DataReadonly{}).String()
		for range 2 {
			auth := tr.accept(presented{text: text, req: caveat.Request{DataAccess: true}})
			require.NoError(tr, auth.CheckFile(caveat.File{Path: "/s1/file"}, caveat.Read))
			require.ErrorIs(tr, auth.CheckFile(caveat.File{Path: "/s1/file"}, caveat.Write), errors.IDTokenCaveatUnverified)
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text})
		}
	}},
	{"a consumer caveat admits its consumers alone", func(tr *trial) {
		text := tr.Token(caveat.MustParse("consumer = usr-u-bob")).String()
		bob, provider := tr.party(tr.Bob), tr.party(tr.Provider)
		for range 2 {
			tr.accept(presented{text: text, req: caveat.Request{ConsumerToken: bob}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text, req: caveat.Request{ConsumerToken: provider}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text})
		}
	}},
	{"groups of a consumer caveat are those of the Onezone", func(tr *trial) {
		text := tr.Token(caveat.MustParse("consumer = grp-g1")).String()
		tr.accept(presented{text: text, req: caveat.Request{ConsumerToken: tr.party(caveat.User("u1"))}})
		tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text, req: caveat.Request{ConsumerToken: tr.party(tr.Bob)}})
	}},
	{"a service caveat admits its services alone", func(tr *trial) {
		text := tr.Token(caveat.MustParse("service = opw-p-krakow")).String()
		worker, panel := tr.service(krakow), tr.service(caveat.Service{Type: caveat.OpPanel, ID: "p-krakow"})
		for range 2 {
			tr.accept(presented{text: text, req: caveat.Request{ServiceToken: worker}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text, req: caveat.Request{ServiceToken: panel}})
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: text}, "Onezone's worker")
		}
	}},
	{"an unknown caveat is refused", func(tr *trial) {
		e := tr.refuse(errors.IDTokenCaveatUnknown, presented{text: tr.WithUnknownCaveat().String()})
		require.Contains(tr, toJSON(tr, e.Details), "moon = full")
	}},
	{"the first caveat that does not hold is reported", func(tr *trial) {
		token := tr.Token(caveat.REST, caveat.MustParse("ip = 10.0.0.0/8"), caveat.Oneclient)
		p := presented{text: token.String(), req: caveat.Request{IP: elsewhere, Interface: caveat.REST}}
		e := tr.refuse(errors.IDTokenCaveatUnverified, p)
		requireJSON(tr, caveat.MustParse("ip = 10.0.0.0/8"), e.Details["caveat"])
		p.req.IP = address
		e = tr.refuse(errors.IDTokenCaveatUnverified, p)
		requireJSON(tr, caveat.Oneclient, e.Details["caveat"])
	}},
	{"a confined copy has its own limits", func(tr *trial) {
		token := tr.Token()
		confined, err := token.Confine(caveat.Until(tr.Clock.Now().Add(10*time.Second)), caveat.MustParse("ip = 10.0.0.0/8"))
		require.NoError(tr, err)
		copied := presented{text: confined.String(), req: caveat.Request{IP: address}}
		require.Len(tr, tr.accept(copied).Caveats(), 2)
		original := presented{text: token.String(), req: copied.req}
		require.Empty(tr, tr.accept(original).Caveats())
		tr.settle()
		tr.refuse(errors.IDTokenCaveatUnverified, copied)
		tr.accept(original)
	}},
	{"a changed caveat is refused", func(tr *trial) {
		token := tr.Token(caveat.MustParse("ip = 10.0.0.0/8"))
		wider, err := macaroon.Mint(macaroon.Spec{
			Domain: token.Domain(), ID: token.ID(), Subject: token.Subject(), Type: token.Type(),
			Caveats: []caveat.Caveat{caveat.MustParse("ip = 0.0.0.0/0")},
		}, store.NewSecret("another secret"))
		require.NoError(tr, err)
		tr.refuse(errors.IDTokenInvalid, presented{text: wider.String(), req: caveat.Request{IP: address}})
	}},
	{"api caveats limit what the token authorizes", func(tr *trial) {
		auth := tr.accept(presented{text: tr.Token(caveat.MustParse("api = opw/get/file.*.*:*")).String()})
		gri, err := caveat.ParseGRI("file.f1.instance:private")
		require.NoError(tr, err)
		require.NoError(tr, auth.Authorize(caveat.OpWorker, caveat.Get, gri))
		require.ErrorIs(tr, auth.Authorize(caveat.OpWorker, caveat.Update, gri), errors.IDTokenCaveatUnverified)
		require.ErrorIs(tr, auth.Authorize(caveat.OzWorker, caveat.Get, gri), errors.IDTokenCaveatUnverified)
	}},
	{"a request that knows nothing satisfies nothing", func(tr *trial) {
		tr.accept(presented{text: tr.Token().String()})
		for _, c := range []string{
			"ip = 0.0.0.0/0", "asn = 8973", "geo.country != PL", "interface = rest", "service = opw-p-krakow",
			"consumer = usr-*", "data.readonly", "data.path = L3Mx",
		} {
			tr.refuse(errors.IDTokenCaveatUnverified, presented{text: tr.Token(caveat.MustParse(c)).String()}, c)
		}
	}},
}

var requestChecks = []verifierCheck{
	{"a canceled context ends a verification", func(tr *trial) {
		for _, class := range []macaroon.Class{macaroon.Access, macaroon.Identity, macaroon.Invite} {
			p := presented{class: class, text: tr.mint(tr.Alice, typeOf(class)).String()}
			ctx, cancel := context.WithCancel(tr.Context())
			cancel()
			auth, err := tr.verify(ctx, p)
			require.ErrorIs(tr, err, context.Canceled)
			require.Equal(tr, macaroon.Auth{}, auth)
			tr.requireOperational(err, p)
			tr.accept(p, "the next caller is not affected")
		}
	}},
	{"the request of the caller is not changed", func(tr *trial) {
		text := tr.Token(caveat.REST).String()
		req := caveat.Request{Interface: caveat.REST, Ignored: make([]caveat.Type, 1, 8), IP: address}
		req.Ignored[0] = caveat.TypeAPI
		tr.accept(presented{text: text, req: req})
		require.Equal(tr, []caveat.Type{caveat.TypeAPI, ""}, req.Ignored[:2])
	}},
}

// typeOf returns a type of the class.
func typeOf(class macaroon.Class) macaroon.Type {
	switch class {
	case macaroon.Identity:
		return macaroon.IdentityToken()
	case macaroon.Invite:
		return macaroon.InviteToken(macaroon.UserJoinGroup, "g1")
	}
	return macaroon.AccessToken()
}
