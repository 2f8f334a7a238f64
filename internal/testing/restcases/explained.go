package restcases

import (
	"net/http"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// ofAlice is the access to a token of Alice's, which the body holds: everybody
// else is refused only after the token has been read.
func ofAlice() access {
	forbidden := errors.Forbidden("")
	return only(Alice, Ada).and(access{Bob: forbidden, Olga: forbidden, Mia: forbidden, Krakow: forbidden, Lyon: forbidden})
}

func explainRows() []row {
	about := func(name string, r row) row {
		r.route = "POST /tokens/" + name
		r.op, r.gri, r.actor, r.access, r.status = "create", "token.null."+name+":private", Alice, ofAlice(), http.StatusOK
		return r
	}
	return []row{
		about("explain", row{
			body: func(w *Fixture) object { return object{"token": w.Laptop.String()} },
			fields: []field{
				tokenField("token", true), requestField(), purposeField(), inviteTypeField(), tokenField("serviceToken", false),
				tokenField("consumerToken", false), daysField(),
			}, check: answers(explainedLaptop),
		}),
		about("narrow", row{
			body: func(w *Fixture) object {
				return object{"token": w.Laptop.String(), "requests": []any{object{"peerIp": "10.1.2.3", "interface": "rest"}}}
			},
			fields: []field{tokenField("token", true), requestsField(), momentField("validUntil")},
			check: answers(`{"caveats":[
				{"text":"ip = 10.1.2.3/32","caveat":{"type":"ip","whitelist":["10.1.2.3/32"]},"reason":"all clients have addresses in \"10.1.2.3/32\"",
				"refuses":"requests from all other addresses","examples":["from 10.1.2.2","from an IPv6 address","from an unknown address"]},
				{"text":"interface = rest","caveat":{"type":"interface","interface":"rest"},"reason":"all requests came through the interface \"rest\"",
				"refuses":"requests through other interfaces","examples":["through an unknown interface","through oneclient","through graphsync"]}]}`),
		}),
	}
}

// explainedLaptop is the explanation of Alice's token without caveats.
const explainedLaptop = `{"accepted":true,"error":null,"subject":{"type":"user","id":"u-alice"},"caveats":[],"changes":[],"checks":[
	{"check":"text","passed":true,"reason":"The text is that of a token."},
	{"check":"type","passed":true,"reason":"The type fits what the token is used for."},
	{"check":"signature","passed":true,"reason":"This Onezone issued the token, and nobody changed it."},
	{"check":"revocation","passed":true,"reason":"The token is not revoked, and its record is that of its subject."},
	{"check":"subject","passed":true,"reason":"The subject usr-u-alice may hold tokens."},
	{"check":"session","passed":true,"reason":"The token is not bound to a session."},
	{"check":"service","passed":true,"reason":"The subject may use the service ozw-onezone."}]}`

// badRequests are objects that describe no use of a token.
func badRequests() []bad {
	return []bad{
		{`{"time":5.5}`, errors.BadValueInteger("time")}, {`{"time":-1}`, errors.BadValueTooLow("time", 0)},
		{`{"peerIp":"1.2.3"}`, errors.BadValueIPv4Address("peerIp")}, {`{"interface":"gui"}`, errors.BadValueNotAllowed("interface", "rest", "oneclient", "graphsync")},
		{`{"service":5}`, errors.BadValueString("service")}, {`{"service":"p1"}`, errors.BadDataHint("service", `expected "ozw-ID", "ozp-ID", "opw-ID" or "opp-ID"`)},
		{`{"proveIdentity":5}`, errors.BadValueBoolean("proveIdentity")}, {`{"objectIds":[5]}`, errors.BadValueListOfStrings("objectIds")},
		{`{"operation":"get"}`, errors.BadGRI()}, {`{"access":"read","path":"a"}`, errors.BadValueFilePath()},
	}
}

func requestField() field {
	const key = "request"
	return field{key: key, bad: join(each(errors.BadData(key), `null`, `true`, `5`, `"x"`, `[]`), badRequests())}
}

func requestsField() field {
	const key = "requests"
	f := field{key: key, required: true, bad: join(
		each(errors.BadData(key), `null`, `true`, `5`, `"x"`, `{}`, `[5]`, `[null]`, `[{},[]]`), each(errors.BadValueEmpty(key), `[]`),
		each(errors.LimitReached(1000, "requests in a recording"), `[`+strings.Repeat(`{},`, 1000)+`{}]`))}
	for _, b := range badRequests() {
		f.bad = append(f.bad, bad{`[` + b.value + `]`, b.want})
	}
	return f
}

func purposeField() field {
	const key = "purpose"
	return field{key: key, bad: each(errors.BadValueNotAllowed(key, "access", "identity", "invite"), `null`, `5`, `""`, `"Access"`, `[]`)}
}

func daysField() field {
	return field{key: "days", bad: join(each(errors.BadValueInteger("days"), `null`, `"5"`, `5.5`, `[]`), each(notInRange("days", 1, 366), `0`, `-1`, `367`))}
}

func momentField(key string) field {
	const last = 253402300799 // of the year 9999
	return field{key: key, bad: join(each(errors.BadValueInteger(key), `null`, `"5"`, `5.5`, `{}`), each(notInRange(key, 0, last), `-1`, `253402300800`))}
}

func notInRange(key string, low, high int64) *errors.Error {
	return errors.Make("badValueNotInRange", map[string]any{"key": key, "low": low, "high": high})
}

// explained returns the cases of explain and narrow that are about certain
// tokens.
func explained() []Case {
	const path = "/tokens/explain"
	by := func(g Group, name string, client caveat.Subject, body func(w *Fixture) object, want Want) Case {
		return post(g, path, name, func(w *Fixture) (object, macaroontest.Credentials, Want) { return body(w), w.By(w.tb, client), want })
	}
	refuses := func(name string, body func(w *Fixture) object, e *errors.Error) Case {
		return by(Success, name, Alice, body, Want{Status: http.StatusOK, Check: func(tb testing.TB, w *Fixture, res macaroontest.Response) {
			tb.Helper()
			contains(string(mustMarshal(tb, object{"accepted": false, "error": e})))(tb, w, res)
		}})
	}
	token := func(t func(w *Fixture) macaroon.Token) func(w *Fixture) object {
		return func(w *Fixture) object { return object{"token": t(w).String()} }
	}
	// The checks of a token whose signature is wrong end there.
	const nothing = `{"accepted":false,"subject":null,"caveats":[],"changes":[]}`
	wrong := func(name string, client caveat.Subject, t func(w *Fixture) macaroon.Token) Case {
		return by(Success, name, client, token(t), Want{Status: http.StatusOK, Check: contains(nothing)})
	}
	foreign := refused(errors.Forbidden(""))
	return []Case{
		refuses("revoked token", token(func(w *Fixture) macaroon.Token { return w.Revoked() }), errors.TokenRevoked()),
		refuses("expired token", token(func(w *Fixture) macaroon.Token { return w.access("time < 5") }), unverified("time < 5")),
		refuses("unknown caveat", token(func(w *Fixture) macaroon.Token { return w.access("moon = full") }), errors.TokenCaveatUnknown("moon = full")),
		refuses("identity token as an access token", func(w *Fixture) object {
			return object{"token": w.ID.String(), "purpose": "access"}
		}, errors.NotAnAccessToken(macaroon.IdentityToken())),
		refuses("other invite type", func(w *Fixture) object {
			return object{"token": w.Invite.String(), "expectedInviteType": "supportSpace"}
		}, errors.NotAnInviteToken("supportSpace", macaroon.InviteToken(macaroon.UserJoinGroup, "g-1"))),
		refuses("bad consumer token", func(w *Fixture) object {
			return object{"token": w.Laptop.String(), "consumerToken": w.Forged().String()}
		}, errors.BadConsumerToken(errors.TokenInvalid())),
		refuses("operation outside of the api caveat", func(w *Fixture) object {
			return object{
				"token":   w.access("api = ozw/get/space.*.*:*").String(),
				"request": object{"operation": "delete", "resource": "space.s1.instance:private"},
			}
		}, errors.Unauthorized(unverified("api = ozw/get/space.*.*:*"))),
		by(Success, "identity token", Alice, token(func(w *Fixture) macaroon.Token { return w.ID }),
			Want{Status: http.StatusOK, Check: contains(`{"accepted":true,"error":null}`)}),
		by(Success, "version 1", Alice, token(func(w *Fixture) macaroon.Token { return w.Version1() }),
			Want{Status: http.StatusOK, Check: contains(`{"accepted":true,"subject":{"type":"user","id":"u-alice"}}`)}),
		by(Success, "Oneprovider by a user who may update its cluster", Olga, token(func(w *Fixture) macaroon.Token { return w.Transfer }),
			Want{Status: http.StatusOK, Check: contains(`{"accepted":true}`)}),
		by(Success, "the client as the consumer, from its address", Alice, func(w *Fixture) object {
			return object{"token": w.access("ip = "+PeerIP, "consumer = usr-u-alice").String()}
		}, Want{Status: http.StatusOK, Check: contains(`{"accepted":true}`)}),
		by(Success, "the client with another request", Alice, func(w *Fixture) object {
			return object{"token": w.access("ip = "+PeerIP, "consumer = usr-u-alice", "interface = rest").String(), "request": object{"interface": "rest"}}
		}, Want{Status: http.StatusOK, Check: contains(`{"accepted":true}`)}),
		refuses("unknown address", func(w *Fixture) object {
			return object{"token": w.access("ip = " + PeerIP).String(), "request": object{"peerIp": nil}}
		}, unverified("ip = "+PeerIP)),
		refuses("unknown consumer", func(w *Fixture) object {
			return object{"token": w.access("consumer = usr-u-alice").String(), "request": object{"consumer": nil}}
		}, unverified("consumer = usr-u-alice")),
		by(Success, "caveat with its changes", Alice, func(w *Fixture) object {
			return object{"token": w.access("time < 1727870400").String(), "days": 2}
		}, Want{Status: http.StatusOK, Check: contains(`{"changes":[{"time":1727870400,"accepted":false}],"caveats":[{"text":"time < 1727870400",
			"caveat":{"type":"time","validUntil":1727870400},"verdict":"holds","reason":"the time is 2024-10-01T12:00:00Z","remedy":null,
			"changes":[{"time":1727870400,"holds":false}],"error":null,"added":null}]}`)}),

		wrong("forged token", Alice, func(w *Fixture) macaroon.Token { return w.Forged() }),
		wrong("forged token of version 1 by another", Bob, func(w *Fixture) macaroon.Token {
			w.Version1()
			return w.forge(macaroon.Spec{Version: 1, ID: "of-old"})
		}),
		wrong("past generation", Alice, func(w *Fixture) macaroon.Token {
			t := w.Temporary()
			w.must(w.tb, w.Authority.RevokeTemporary(w.tb.Context(), Alice))
			return t
		}),
		by(Refusal, "version 1 by another", Bob, token(func(w *Fixture) macaroon.Token { return w.Version1() }), foreign),
		by(Refusal, "forged token of another", Bob, token(func(w *Fixture) macaroon.Token { return w.Forged() }), foreign),
		by(Refusal, "unknown token of another", Bob, token(func(w *Fixture) macaroon.Token { return w.forge(macaroon.Spec{ID: "absent"}) }), foreign),
		by(Order, "authorization before the other members", Bob, func(w *Fixture) object {
			return object{"token": w.Laptop.String(), "request": 5}
		}, foreign),
		post(BadInput, "/tokens/narrow", "request that the token refuses", func(w *Fixture) (object, macaroontest.Credentials, Want) {
			return object{"token": w.access("ip = 10.0.0.0/8").String(), "requests": []any{object{"peerIp": "192.0.2.1"}}},
				w.By(w.tb, Alice), refused(unverified("ip = 10.0.0.0/8"))
		}),
		post(BadInput, "/tokens/narrow", "end before the last request", func(w *Fixture) (object, macaroontest.Credentials, Want) {
			return object{"token": w.Laptop.String(), "requests": []any{object{"time": 100}}, "validUntil": 100},
				w.By(w.tb, Alice), refused(errors.BadValueTooLow("validUntil", 101))
		}),
		post(Success, "/tokens/narrow", "forged token", func(w *Fixture) (object, macaroontest.Credentials, Want) {
			return object{"token": w.Forged().String(), "requests": []any{object{}}}, w.By(w.tb, Alice), ok(`{"caveats":[]}`)
		}),
	}
}
