package macaroontest

import (
	"context"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

var partyChecks = []verifierCheck{
	{"a service token replaces the service of the request", func(tr *trial) {
		text := tr.Token(caveat.MustParse("service = opp-p-krakow")).String()
		req := caveat.Request{Service: krakow, ServiceToken: tr.service(caveat.Service{Type: caveat.OpPanel, ID: "p-krakow"})}
		tr.accept(presented{text: text, req: req})
	}},
	{"only a oneprovider is a service", func(tr *trial) {
		e := tr.refuse(errors.IDBadServiceToken, presented{text: tr.Token().String(), req: caveat.Request{ServiceToken: tr.party(tr.Bob)}})
		require.ErrorIs(tr, e, errors.IDTokenInvalid)
	}},
	{"a bad service token is refused", func(tr *trial) {
		tr.requireBadParties(errors.IDBadServiceToken, func(req *caveat.Request, token caveat.PartyToken) { req.ServiceToken = token })
	}},
	{"a bad consumer token is refused", func(tr *trial) {
		tr.requireBadParties(errors.IDBadConsumerToken, func(req *caveat.Request, token caveat.PartyToken) { req.ConsumerToken = token })
	}},
	{"a consumer token is verified for every class", func(tr *trial) {
		for _, class := range []macaroon.Class{macaroon.Access, macaroon.Identity, macaroon.Invite} {
			p := presented{class: class, text: tr.mint(tr.Alice, typeOf(class)).String()}
			p.req.ConsumerToken = caveat.PartyToken(tr.Revoked().String())
			require.ErrorIs(tr, tr.refuse(errors.IDBadConsumerToken, p), errors.IDTokenRevoked)
			p.req.ConsumerToken = tr.party(tr.Bob)
			tr.accept(p)
		}
	}},
	{"bad tokens of parties are reported before a bad token", func(tr *trial) {
		bad := caveat.PartyToken(tr.Revoked().String())
		tr.refuse(errors.IDBadServiceToken, presented{text: tr.Forged().String(), req: caveat.Request{ServiceToken: bad, ConsumerToken: bad}})
		tr.refuse(errors.IDBadConsumerToken, presented{text: tr.Forged().String(), req: caveat.Request{ConsumerToken: bad}})
	}},
	{"only users of a service may use tokens with it", func(tr *trial) {
		text := tr.TokenOf(tr.Provider, macaroon.AccessToken()).String()
		tr.accept(presented{text: text})
		e := tr.refuse(errors.IDTokenServiceForbidden, presented{text: text, req: caveat.Request{ServiceToken: tr.service(krakow)}})
		requireJSON(tr, krakow, e.Details["service"])
	}},
}

// requireBadParties requires that tokens that prove no party are refused.
func (tr *trial) requireBadParties(id errors.ID, set func(*caveat.Request, caveat.PartyToken)) {
	tr.Helper()
	other := tr.TokenOf(tr.Provider, macaroon.IdentityToken(), caveat.MustParse("ip = 10.0.0.0/8"))
	revoked := tr.TokenOf(tr.Provider, macaroon.IdentityToken())
	require.NoError(tr, tr.Authority.Revoke(tr.Context(), revoked.ID()))
	for text, inner := range map[string]errors.ID{
		"x": errors.IDBadToken, tr.Truncated(): errors.IDBadToken, other.String(): errors.IDTokenCaveatUnverified,
		revoked.String(): errors.IDTokenRevoked, tr.mint(tr.Alice, macaroon.SessionToken("s1")).String(): errors.IDNotAnIdentityToken,
	} {
		p := presented{text: tr.Token().String(), req: caveat.Request{IP: elsewhere}}
		set(&p.req, caveat.PartyToken(text))
		e := tr.refuse(id, p, inner)
		cause, _ := e.Details["tokenError"].(*errors.Error)
		require.NotNil(tr, cause, inner)
		require.Equal(tr, inner, cause.ID)
	}
}

var sessionChecks = []verifierCheck{
	{"a token of a session is for clients in the session", func(tr *trial) {
		text := tr.mint(tr.Alice, macaroon.SessionToken("s1")).String()
		for range 2 {
			auth := tr.accept(presented{text: text, req: caveat.Request{Session: caveat.InSession("s1")}})
			require.Equal(tr, "s1", auth.Session)
			tr.accept(presented{text: text, req: caveat.Request{Session: caveat.AnySession()}})
			tr.refuse(errors.IDTokenSessionInvalid, presented{text: text})
			tr.refuse(errors.IDTokenSessionInvalid, presented{text: text, req: caveat.Request{Session: caveat.InSession("s2")}})
		}
	}},
	{"a client in a session may use only tokens of the session", func(tr *trial) {
		tr.refuse(errors.IDTokenSessionInvalid, presented{text: tr.Token().String(), req: caveat.Request{Session: caveat.InSession("s1")}})
	}},
	{"a panel of a oneprovider may use every session", func(tr *trial) {
		text := tr.mint(tr.Alice, macaroon.SessionToken("s1")).String()
		panel := tr.service(caveat.Service{Type: caveat.OpPanel, ID: "p-krakow"})
		tr.accept(presented{text: text, req: caveat.Request{ServiceToken: panel}})
	}},
	{"the end of a session is noticed", func(tr *trial) {
		p := presented{text: tr.mint(tr.Alice, macaroon.SessionToken("s1")).String(), req: caveat.Request{Session: caveat.AnySession()}}
		tr.accept(p)
		tr.lookups.end("s1")
		tr.settle()
		tr.refuse(errors.IDTokenSessionInvalid, p)
	}},
}

var changeChecks = []verifierCheck{
	{"a revocation is noticed and undone", func(tr *trial) {
		token := tr.Token()
		p := presented{text: token.String()}
		for range 2 {
			tr.accept(p)
			require.NoError(tr, tr.Authority.Revoke(tr.Context(), token.ID()))
			tr.settle()
			tr.refuse(errors.IDTokenRevoked, p)
			require.NoError(tr, tr.Authority.Restore(tr.Context(), token.ID()))
			tr.settle()
		}
		tr.accept(p)
	}},
	{"the revocation of a confined copy is noticed", func(tr *trial) {
		token := tr.Token()
		confined, err := token.Confine(caveat.REST)
		require.NoError(tr, err)
		copied := presented{text: confined.String(), req: caveat.Request{Interface: caveat.REST}}
		tr.accept(copied)
		require.NoError(tr, tr.Authority.RevokeConfined(tr.Context(), confined))
		tr.settle()
		tr.refuse(errors.IDTokenRevoked, copied)
		tr.accept(presented{text: token.String()})
	}},
	{"a deletion is noticed", func(tr *trial) {
		token := tr.Token()
		p := presented{text: token.String()}
		tr.accept(p)
		require.NoError(tr, tr.Authority.Delete(tr.Context(), token.ID()))
		tr.settle()
		tr.refuse(errors.IDTokenInvalid, p)
	}},
	{"the revocation of all temporary tokens is noticed", func(tr *trial) {
		p := presented{text: tr.Temporary().String()}
		tr.accept(p)
		require.NoError(tr, tr.Authority.RevokeTemporary(tr.Context(), tr.Alice))
		tr.settle()
		tr.refuse(errors.IDTokenRevoked, p)
		tr.accept(presented{text: tr.Temporary().String()})
	}},
	{"blocking a user is noticed and undone", func(tr *trial) {
		p := presented{text: tr.Token().String()}
		identity := presented{class: macaroon.Identity, text: tr.TokenOf(tr.Alice, macaroon.IdentityToken()).String()}
		for range 2 {
			tr.acceptAs(tr.Alice, p)
			tr.acceptAs(tr.Alice, identity)
			require.NoError(tr, tr.Authority.SetBlocked(tr.Context(), tr.Alice, true))
			tr.settle()
			tr.refuse(errors.IDUserBlocked, p)
			tr.refuse(errors.IDUserBlocked, identity)
			require.NoError(tr, tr.Authority.SetBlocked(tr.Context(), tr.Alice, false))
			tr.settle()
		}
	}},
	{"the deletion of the subject is noticed", func(tr *trial) {
		p := presented{text: tr.Token().String()}
		tr.accept(p)
		require.NoError(tr, tr.Store.DeleteIdentity(tr.Context(), tr.Alice))
		tr.settle()
		tr.refuse(errors.IDTokenSubjectInvalid, p)
	}},
	{"new secrets of the Onezone are noticed", func(tr *trial) {
		p, temporary := presented{text: tr.Token().String()}, presented{text: tr.Temporary().String()}
		tr.accept(p)
		tr.accept(temporary)
		tr.ReplaceSecrets()
		tr.settle()
		tr.refuse(errors.IDTokenInvalid, p)
		tr.refuse(errors.IDTokenInvalid, temporary)
		tr.accept(presented{text: tr.Token().String()})
	}},
}

// outageLimit bounds the time of a verification in an outage and after it. It
// is a variable for the tests of the suite.
var outageLimit = 30 * time.Second

var outageChecks = []verifierCheck{
	{"an Onezone that is down says nothing about a token", func(tr *trial) {
		tr.Stop()
		tr.requireUndecided("down")
	}},
	{"an Onezone that hangs says nothing about a token", func(tr *trial) {
		tr.Behave(Behavior{Hang: true})
		ctx, cancel := context.WithTimeout(tr.Context(), 100*time.Millisecond)
		defer cancel()
		p := presented{text: tr.Token().String()}
		began := time.Now()
		if _, err := tr.verify(ctx, p); err != nil {
			tr.requireOperational(err, p)
			require.ErrorIs(tr, err, context.DeadlineExceeded)
		}
		require.Less(tr, time.Since(began), outageLimit, "the caller's deadline counts")
	}},
	{"a token is verified again after an outage", func(tr *trial) {
		good, revoked := presented{text: tr.Token().String()}, presented{text: tr.Revoked().String()}
		tr.Stop()
		_, _ = tr.verify(tr.Context(), good)
		_, _ = tr.verify(tr.Context(), revoked)
		tr.Start()
		tr.settle()
		for began := time.Now(); ; {
			_, err := tr.verify(tr.Context(), good)
			if err == nil {
				break
			}
			tr.requireOperational(err, good)
			require.Less(tr, time.Since(began), outageLimit, "the outage is over: %v", err)
			time.Sleep(10 * time.Millisecond)
		}
		tr.refuse(errors.IDTokenRevoked, revoked)
	}},
	{"a fault says nothing about a token", func(tr *trial) {
		for name, fault := range Faults() {
			if fault.Status == http.StatusNotFound {
				fault.Path = "/tokens/verify_access_token" // other routes may be missing
			}
			fresh := tr.another()
			fresh.Behave(fault)
			fresh.requireUndecided(name)
		}
	}},
	{"a ttl of a billion years does not outlive the token", func(tr *trial) {
		p := presented{text: tr.Token(caveat.Until(tr.Clock.Now().Add(10 * time.Second))).String()}
		tr.Behave(Behavior{Path: "/tokens/verify_access_token", Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: `{"subject":{"type":"user","id":"u-alice"},"ttl":31536000000000000}`})
		if _, err := tr.verify(tr.Context(), p); err != nil {
			tr.requireOperational(err, p)
		}
		tr.settle()
		_, err := tr.verify(tr.Context(), p)
		require.Error(tr, err, "the token has expired")
	}},
	{"an answer is not remembered for ever in an outage", func(tr *trial) {
		token := tr.Token()
		p := presented{text: token.String()}
		tr.accept(p)
		require.NoError(tr, tr.Authority.Revoke(tr.Context(), token.ID()))
		tr.Stop()
		tr.Clock.Advance(time.Hour)
		if _, err := tr.verify(tr.Context(), p); !errors.Is(err, errors.IDTokenRevoked) {
			require.Error(tr, err, "the token was revoked an hour ago")
			tr.requireOperational(err, p)
		}
	}},
}

// requireUndecided requires that a good token is accepted or not decided, and
// that no token is accepted that is bad.
func (tr *trial) requireUndecided(why string) {
	tr.Helper()
	p := presented{text: tr.Token().String()}
	if auth, err := tr.verify(tr.Context(), p); err != nil {
		tr.requireOperational(err, p, why)
	} else {
		require.Equal(tr, tr.Alice, auth.Subject, why)
	}
	for name, p := range map[string]presented{"revoked": {text: tr.Revoked().String()}, "forged": {text: tr.Forged().String()}} {
		_, err := tr.verify(tr.Context(), p)
		require.Error(tr, err, "%s: a token that was %s is accepted", why, name)
	}
}
