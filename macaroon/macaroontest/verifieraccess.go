package macaroontest

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

var accessChecks = []verifierCheck{
	{"a named token proves its subject", func(tr *trial) {
		token := tr.Token(caveat.REST)
		auth := tr.acceptAs(tr.Alice, presented{text: token.String(), req: caveat.Request{Interface: caveat.REST, IP: address}})
		require.Equal(tr, token.ID(), auth.TokenID)
		require.Equal(tr, macaroon.AccessToken(), auth.Type)
		require.Equal(tr, []caveat.Caveat{caveat.REST}, auth.Caveats())
		require.Equal(tr, address, auth.PeerIP)
		require.Empty(tr, auth.Session)
		require.Zero(tr, auth.Service)
		_, expires := auth.Expiry()
		require.False(tr, expires)
	}},
	{"a temporary token proves its subject and expiry", func(tr *trial) {
		auth := tr.acceptAs(tr.Alice, presented{text: tr.Temporary().String()})
		until, expires := auth.Expiry()
		require.True(tr, expires)
		require.Equal(tr, Start.Add(time.Hour).Unix(), until)
	}},
	{"a token of a oneprovider proves it and the indicated service", func(tr *trial) {
		token := tr.TokenOf(tr.Provider, macaroon.AccessToken())
		auth := tr.acceptAs(tr.Provider, presented{text: token.String()})
		require.Zero(tr, auth.Service)
		auth = tr.acceptAs(tr.Provider, presented{text: "opp-" + token.String()})
		require.Equal(tr, caveat.OpPanel, auth.Service)
	}},
	{"a version 1 token proves the subject of its record", func(tr *trial) {
		auth := tr.acceptAs(tr.Bob, presented{text: tr.version1(tr.Bob).String()})
		require.Equal(tr, macaroon.AccessToken(), auth.Type)
	}},
	{"repeated verifications give the same result", func(tr *trial) {
		good, forged := presented{text: tr.Token(caveat.REST).String(), req: caveat.Request{Interface: caveat.REST}}, presented{text: tr.Forged().String()}
		first := tr.acceptAs(tr.Alice, good)
		for range 3 {
			auth := tr.accept(good)
			require.Equal(tr, first.TokenID, auth.TokenID)
			require.Equal(tr, first.Caveats(), auth.Caveats())
			tr.refuse(errors.IDTokenInvalid, forged)
		}
	}},
	{"malformed texts are refused", func(tr *trial) {
		good := tr.Token().String()
		for _, text := range []string{
			"", " ", "x", "null", "MDAx", tr.Truncated(), good + "\n", " " + good, good + good, good + "x", "opw-" + "opw-" + good, "\x00", "\xff",
			strings.Repeat("A", 1000),
		} {
			tr.refuse(errors.IDBadToken, presented{text: text}, "%.20q", text)
		}
	}},
	{"a text that is too large is refused", func(tr *trial) {
		e := tr.refuse(errors.IDTokenTooLarge, presented{text: strings.Repeat("M", macaroon.DefaultMaxSize+1)})
		require.EqualValues(tr, macaroon.DefaultMaxSize, e.Details["limit"])
	}},
	{"a wrong signature is refused", func(tr *trial) {
		tr.refuse(errors.IDTokenInvalid, presented{text: tr.Forged().String()})
		tr.accept(presented{text: tr.Token().String()}, "the others remain valid")
	}},
	{"a token that the Onezone does not know is refused", func(tr *trial) {
		unknown, err := macaroon.Mint(macaroon.Spec{
			Domain: tr.Authority.Domain(), ID: "nobody-knows-it", Subject: tr.Alice, Type: macaroon.AccessToken(),
		}, store.NewSecret("a secret"))
		require.NoError(tr, err)
		tr.refuse(errors.IDTokenInvalid, presented{text: unknown.String()})
	}},
	{"a revoked token is refused", func(tr *trial) {
		tr.refuse(errors.IDTokenRevoked, presented{text: tr.Revoked().String()})
	}},
	{"an expired token is refused", func(tr *trial) {
		e := tr.refuse(errors.IDTokenCaveatUnverified, presented{text: tr.Expired().String()})
		require.True(tr, errors.Expired(e))
	}},
	{"a token expires by the clock of the Onezone", func(tr *trial) {
		p := presented{text: tr.Token(caveat.Until(tr.Clock.Now().Add(10 * time.Second))).String()}
		tr.accept(p)
		tr.Clock.Advance(9 * time.Second)
		tr.accept(p, "a second before its end")
		tr.Clock.Advance(time.Second)
		require.True(tr, errors.Expired(tr.refuse(errors.IDTokenCaveatUnverified, p)))
		tr.settle()
		tr.refuse(errors.IDTokenCaveatUnverified, p)
	}},
	{"tokens of another class are no access tokens", func(tr *trial) {
		for _, typ := range []macaroon.Type{macaroon.IdentityToken(), macaroon.InviteToken(macaroon.UserJoinSpace, "s1")} {
			e := tr.refuse(errors.IDNotAnAccessToken, presented{text: tr.mint(tr.Alice, typ).String()}, typ)
			requireJSON(tr, typ, e.Details["received"])
		}
	}},
	{"concurrent verifications are not confused", func(tr *trial) {
		var tokens []presented
		for i := range 8 {
			tokens = append(tokens, presented{text: tr.TokenOf([]caveat.Subject{tr.Alice, tr.Bob}[i%2], macaroon.AccessToken()).String()})
		}
		revoked := presented{text: tr.Revoked().String()}
		inParallel(tr, 64, func(i int) error {
			auth, err := tr.verify(tr.Context(), tokens[i%8])
			if err == nil && auth.Subject != []caveat.Subject{tr.Alice, tr.Bob}[i%2] {
				err = errors.New("the subject is that of another token")
			}
			if _, refused := tr.verify(tr.Context(), revoked); !errors.Is(refused, errors.IDTokenRevoked) {
				err = errors.New("the revoked token was not refused as such")
			}
			return err
		})
	}},
}

var identityChecks = []verifierCheck{
	{"an identity token proves its subject", func(tr *trial) {
		for _, subject := range []caveat.Subject{tr.Alice, tr.Provider} {
			token := tr.TokenOf(subject, macaroon.IdentityToken())
			auth := tr.acceptAs(subject, presented{class: macaroon.Identity, text: token.String()})
			require.Equal(tr, macaroon.IdentityToken(), auth.Type)
			require.Equal(tr, token.ID(), auth.TokenID)
		}
	}},
	{"an access token proves the identity of a oneprovider alone", func(tr *trial) {
		p := presented{class: macaroon.Identity, text: tr.TokenOf(tr.Provider, macaroon.AccessToken()).String()}
		tr.acceptAs(tr.Provider, p)
		p.text = tr.Token().String()
		tr.refuse(errors.IDNotAnIdentityToken, p)
		p.text = tr.Revoked().String()
		tr.refuse(errors.IDTokenRevoked, p, "all other checks come first")
	}},
	{"the same text is verified for one class at a time", func(tr *trial) {
		text := tr.Token().String()
		for range 2 {
			tr.accept(presented{text: text})
			tr.refuse(errors.IDNotAnIdentityToken, presented{class: macaroon.Identity, text: text})
			tr.refuse(errors.IDNotAnInviteToken, presented{class: macaroon.Invite, text: text})
		}
		text = tr.Token().String() // in the other order
		tr.refuse(errors.IDNotAnIdentityToken, presented{class: macaroon.Identity, text: text})
		tr.accept(presented{text: text})
		text = tr.TokenOf(tr.Alice, macaroon.IdentityToken()).String()
		for range 2 {
			tr.accept(presented{class: macaroon.Identity, text: text})
			tr.refuse(errors.IDNotAnAccessToken, presented{text: text})
		}
	}},
	{"invitations and tokens of sessions prove no identity", func(tr *trial) {
		for _, typ := range []macaroon.Type{macaroon.SessionToken("s1"), macaroon.InviteToken(macaroon.UserJoinGroup, "g1")} {
			e := tr.refuse(errors.IDNotAnIdentityToken, presented{class: macaroon.Identity, text: tr.mint(tr.Alice, typ).String()}, typ)
			requireJSON(tr, typ, e.Details["received"])
		}
	}},
	{"the session and the service of the request do not matter", func(tr *trial) {
		tr.acceptAs(tr.Alice, presented{class: macaroon.Identity, text: tr.TokenOf(tr.Alice, macaroon.IdentityToken()).String(), req: caveat.Request{
			Session: caveat.InSession("s1"), Service: caveat.Service{Type: caveat.OpWorker, ID: "p-krakow"},
		}})
	}},
	{"caveats of an identity token limit it", func(tr *trial) {
		token := tr.TokenOf(tr.Alice, macaroon.IdentityToken(), caveat.MustParse("ip = 10.0.0.0/8"), caveat.REST)
		p := presented{class: macaroon.Identity, text: token.String(), req: caveat.Request{IP: address, Interface: caveat.REST}}
		tr.accept(p)
		p.req.IP = elsewhere
		tr.refuse(errors.IDTokenCaveatUnverified, p)
		p.req.IP, p.req.Interface = address, caveat.Oneclient
		tr.refuse(errors.IDTokenCaveatUnverified, p)
		p = presented{class: macaroon.Identity, text: tr.TokenOf(tr.Alice, macaroon.IdentityToken(), caveat.DataReadonly{}).String()}
		p.req.DataAccess = true
		tr.refuse(errors.IDTokenCaveatUnverified, p, "identity tokens do not support data caveats")
	}},
}

var inviteChecks = []verifierCheck{
	{"an invitation is accepted as any and as its own type", func(tr *trial) {
		typ := macaroon.InviteToken(macaroon.UserJoinSpace, "s1")
		token := tr.mint(tr.Alice, typ)
		for _, expected := range []macaroon.InviteType{0, macaroon.UserJoinSpace, 0} {
			auth := tr.acceptAs(tr.Alice, presented{class: macaroon.Invite, invite: expected, text: token.String()})
			require.Equal(tr, typ, auth.Type)
		}
	}},
	{"an invitation of another type is refused", func(tr *trial) {
		typ := macaroon.InviteToken(macaroon.UserJoinSpace, "s1")
		p := presented{class: macaroon.Invite, text: tr.mint(tr.Alice, typ).String()}
		tr.accept(p, "whether or not the text is known")
		p.invite = macaroon.GroupJoinSpace
		e := tr.refuse(errors.IDNotAnInviteToken, p)
		require.Equal(tr, "groupJoinSpace", e.Details["expectedInviteType"])
		requireJSON(tr, typ, e.Details["received"])
	}},
	{"a token of another class is no invitation", func(tr *trial) {
		for _, typ := range []macaroon.Type{macaroon.AccessToken(), macaroon.IdentityToken(), macaroon.SessionToken("s1")} {
			e := tr.refuse(errors.IDNotAnInviteToken, presented{class: macaroon.Invite, text: tr.mint(tr.Alice, typ).String()}, typ)
			require.Equal(tr, "any", e.Details["expectedInviteType"])
			requireJSON(tr, typ, e.Details["received"])
		}
	}},
	{"bad invitations are refused", func(tr *trial) {
		token := tr.mint(tr.Alice, macaroon.InviteToken(macaroon.UserJoinSpace, "s1"))
		confined, err := token.Confine(caveat.MustParse("ip = 10.0.0.0/8"))
		require.NoError(tr, err)
		p := presented{class: macaroon.Invite, text: confined.String(), req: caveat.Request{IP: address}}
		tr.accept(p)
		p.req.IP = elsewhere
		tr.refuse(errors.IDTokenCaveatUnverified, p)
		p.req.IP = address
		require.NoError(tr, tr.Authority.Revoke(tr.Context(), token.ID()))
		tr.settle()
		tr.refuse(errors.IDTokenRevoked, p)
	}},
}
