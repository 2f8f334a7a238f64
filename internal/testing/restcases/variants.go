package restcases

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/store"
)

// variants returns the cases that are specific to one route.
func variants() []Case {
	return slices.Concat(examined(), copies(), explained(), confined(), verifiedAccess(), verifiedParties(), verifiedOthers(), inferred(),
		named(), patched(), temporary(), legacy(), tightened(), unused())
}

// post returns a case of a POST to a route without parameters. The credentials
// may be nil.
func post(g Group, path, name string, make func(w *Fixture) (body object, as macaroontest.Credentials, want Want)) Case {
	return Case{"POST " + path, g, name, func(w *Fixture) (Request, Want) {
		body, as, want := make(w)
		return Request{Method: http.MethodPost, Path: path, As: as, Body: encode(w.tb, body)}, want
	}}
}

// about returns a case of an anonymous request with a body.
func about(g Group, path, name string, body func(w *Fixture) object, want Want) Case {
	return post(g, path, name, func(w *Fixture) (object, macaroontest.Credentials, Want) { return body(w), nil, want })
}

func ok(answer string) Want { return Want{Status: http.StatusOK, Check: answers(answer)} }

// Version1 returns a version 1 access token of Alice, as old Onezones issued
// them.
func (w *Fixture) Version1() macaroon.Token {
	secret := store.NewSecret("of old")
	t, err := macaroon.Mint(macaroon.Spec{Version: 1, Domain: "onezone.example.com", ID: "of-old"}, secret)
	w.must(w.tb, err)
	w.must(w.tb, second(w.Store.CreateToken(w.tb.Context(), store.Token{
		ID: "of-old", Name: "of old", Version: 1, Subject: Alice, Type: "act", Secret: secret, Created: 1,
	}, 0)))
	return t
}

// issue issues a named token with caveats.
func (w *Fixture) issue(subject caveat.Subject, typ macaroon.Type, texts ...string) macaroon.Token {
	t := w.TokenOf(subject, typ)
	t, err := t.ConfineUnchecked(texts...)
	w.must(w.tb, err)
	return t
}

func (w *Fixture) access(texts ...string) macaroon.Token {
	return w.issue(Alice, macaroon.AccessToken(), texts...)
}

// block blocks a user of the world.
func (w *Fixture) block(user caveat.Subject) {
	w.must(w.tb, w.Authority.SetBlocked(w.tb.Context(), user, true))
}

// later advances the clock of the world.
func (w *Fixture) later(d time.Duration) { w.Clock.Advance(d) }

func examined() []Case {
	show := func(name string, token func(w *Fixture) string, answer string) Case {
		return about(Success, "/tokens/examine", name, func(w *Fixture) object { return object{"token": token(w)} },
			Want{Status: http.StatusOK, Check: contains(answer)})
	}
	return []Case{
		show("temporary token", func(w *Fixture) string { return w.Temporary().String() },
			`{"persistence":"temporary","caveats":[{"type":"time","validUntil":1727787600}]}`),
		show("token of version 1", func(w *Fixture) string { return w.Version1().String() },
			`{"id":"of-old","persistence":"named","subject":{"type":"nobody","id":null},"type":{"accessToken":{}}}`),
		show("token that a service presents", func(w *Fixture) string { return "opp-" + w.Transfer.String() },
			`{"subject":{"type":"oneprovider","id":"p-krakow"}}`),
		show("invite token", func(w *Fixture) string { return w.Invite.String() },
			`{"type":{"inviteToken":{"inviteType":"userJoinGroup","groupId":"g-1","parameters":{}}}}`),
		show("identity token", func(w *Fixture) string { return w.ID.String() }, `{"type":{"identityToken":{}}}`),
		show("session token", func(w *Fixture) string { return w.issue(Alice, macaroon.SessionToken("s-alice")).String() },
			`{"type":{"accessToken":{"sessionId":"s-alice"}}}`),
		show("unknown and known caveats", func(w *Fixture) string { return w.access("moon = full", "data.readonly", "geo.country != PL").String() },
			`{"caveats":[{"type":"unknown","text":"moon = full"},{"type":"data.readonly"},{"type":"geo.country","filter":"blacklist","list":["PL"]}]}`),
		show("forged token", func(w *Fixture) string { return w.Forged().String() }, `{"persistence":"named"}`),
		show("revoked token", func(w *Fixture) string { return w.Revoked().String() }, `{"persistence":"named"}`),
		about(BadInput, "/tokens/examine", "truncated token", func(w *Fixture) object { return object{"token": w.Truncated()} },
			refused(errors.BadValueToken("token", errors.BadToken("")))),
	}
}

func confined() []Case {
	const path = "/tokens/confine"
	to := func(t macaroon.Token, cs string) object { return object{"token": t.String(), "caveats": raw(cs)} }
	do := func(g Group, name string, body func(w *Fixture) object, want Want) Case {
		return about(g, path, name, body, want)
	}
	has := func(texts ...string) Want {
		return Want{Status: http.StatusOK, Check: func(tb testing.TB, w *Fixture, res macaroontest.Response) {
			tb.Helper()
			if got := w.token(tb, res).Caveats(); !slices.Equal(got, texts) {
				tb.Errorf("the caveats are %q, want %q", got, texts)
			}
		}}
	}
	const service = `[{"type":"data.readonly"},{"type":"service","whitelist":["ozw-onezone","opw-p-lyon"]}]`
	texts := []string{"data.readonly", "service = ozw-onezone|opw-p-lyon"}
	hour := fmt.Sprint("time < ", macaroontest.Start.Unix()+3600)
	return []Case{
		do(Success, "no caveats, without the mark of the service", func(w *Fixture) object {
			return object{"token": "opw-" + w.Laptop.String(), "caveats": []any{}}
		}, Want{Status: http.StatusOK, Check: func(tb testing.TB, w *Fixture, res macaroontest.Response) {
			tb.Helper()
			sameJSON(tb, res.Body, mustMarshal(tb, object{"token": w.Laptop.String()}))
		}}),
		do(Success, "after the caveats that are there", func(w *Fixture) object { return to(w.access("moon = full"), `[{"type":"ip","whitelist":["1.2.3.4"]}]`) },
			has("moon = full", "ip = 1.2.3.4/32")),
		do(Success, "every kind of caveat", func(w *Fixture) object {
			return to(w.Laptop, `[{"type":"asn","whitelist":[322]},{"type":"geo.region","filter":"blacklist","list":["EU"]},{"scope":"identityToken"},
				{"type":"consumer","whitelist":["usr-*","grp-g","prv-p"]},{"type":"interface","interface":"rest"},
				{"type":"api","whitelist":["ozw/get/user.*.*:*"]},{"type":"data.path","whitelist":["L3M="]},
				{"type":"data.objectid","whitelist":["000000000010DB4967756964237575696423737061636531"]},{"type":"service","whitelist":["opw-*"]}]`)
		}, has("asn = 322", "geo.region != EU", "authorization = none", "consumer = usr-*|grp-g|prv-p", "interface = rest",
			"api = ozw/get/user.*.*:*", "data.path = L3M=", "data.objectid = 000000000010DB4967756964237575696423737061636531", "service = opw-*")),
		do(Success, "token of version 1", func(w *Fixture) object { return to(w.Version1(), service) },
			has("data.readonly", "service = ozw-onezone|opw-p-lyon")),
		do(Success, "revoked token", func(w *Fixture) object { return to(w.Revoked(), `[{"type":"data.readonly"}]`) }, has("data.readonly")),
		do(Success, "forged token", func(w *Fixture) object { return to(w.Forged(), `[{"type":"data.readonly"}]`) }, has("data.readonly")),
		do(Success, "as many caveats as there may be", func(w *Fixture) object { return to(w.Laptop, caveatList(256)) }, Want{Status: http.StatusOK}),
		do(BadInput, "more caveats than there may be", func(w *Fixture) object { return to(w.Laptop, caveatList(257)) },
			refused(errors.LimitReached(256, "caveats in a token"))),
		do(BadInput, "more caveats together than there may be", func(w *Fixture) object { return to(w.access("moon = full"), caveatList(256)) },
			refused(errors.LimitReached(256, "caveats in a token"))),
		do(Order, "nothing given", func(*Fixture) object { return object{} }, refused(errors.MissingRequiredValue("caveats"))),
		do(Order, "missing caveats before a bad token", func(*Fixture) object { return object{"token": 5} }, refused(errors.MissingRequiredValue("caveats"))),
		do(BadInput, "service that the subject may not use", func(w *Fixture) object { return to(w.Laptop, service) },
			refused(forbiddenService(caveat.OpWorker, "p-lyon"))),
		do(BadInput, "service that a Oneprovider may not use", func(w *Fixture) object { return to(w.Transfer, `[{"type":"service","whitelist":["opw-p-krakow"]}]`) },
			refused(forbiddenService(caveat.OpWorker, "p-krakow"))),
		do(BadInput, "token of a blocked user", func(w *Fixture) object { w.block(Alice); return to(w.Laptop, service) }, refused(errors.UserBlocked())),
		do(BadInput, "token of a user who is gone", func(w *Fixture) object {
			w.must(w.tb, w.Store.DeleteIdentity(w.tb.Context(), Alice))
			return to(w.Laptop, service)
		}, refused(errors.TokenSubjectInvalid())),
		do(Success, "forged token of a blocked user", func(w *Fixture) object { w.block(Alice); return to(w.forge(macaroon.Spec{ID: w.Laptop.ID()}), service) }, has(texts...)),
		do(Success, "forged token of a user who is gone", func(w *Fixture) object {
			w.must(w.tb, w.Store.DeleteIdentity(w.tb.Context(), Alice))
			return to(w.forge(macaroon.Spec{ID: w.Laptop.ID()}), service)
		}, has(texts...)),
		do(Success, "forged token with a service that the subject may not use", func(w *Fixture) object { return to(w.forge(macaroon.Spec{ID: w.Laptop.ID()}), service) }, has(texts...)),
		do(Success, "forged token of an ended session", func(w *Fixture) object {
			return to(w.forge(macaroon.Spec{ID: w.Laptop.ID(), Type: macaroon.SessionToken("s-ended")}), service)
		}, has(texts...)),
		do(Success, "token that is not there", func(w *Fixture) object { w.block(Alice); return to(w.forge(macaroon.Spec{ID: "absent"}), service) }, has(texts...)),
		do(Success, "forged temporary token", func(w *Fixture) object {
			w.block(Alice)
			return to(w.forge(macaroon.Spec{ID: "t", Generation: 1}), service)
		}, has(texts...)),
		do(Success, "temporary token of an older generation", func(w *Fixture) object {
			t := w.Temporary()
			w.must(w.tb, w.Authority.RevokeTemporary(w.tb.Context(), Alice))
			w.block(Alice)
			return to(t, service)
		}, has(append([]string{hour}, texts...)...)),
		do(BadInput, "temporary token of a blocked user", func(w *Fixture) object { t := w.Temporary(); w.block(Alice); return to(t, service) }, refused(errors.UserBlocked())),
		do(BadInput, "revoked token of a blocked user", func(w *Fixture) object { t := w.Revoked(); w.block(Alice); return to(t, service) }, refused(errors.UserBlocked())),
		do(BadInput, "token of an ended session", func(w *Fixture) object {
			return to(w.sessionToken("s-ended"), service)
		}, refused(errors.TokenSessionInvalid())),
	}
}

// forge returns the token of Alice that the spec describes, with a wrong
// signature.
func (w *Fixture) forge(s macaroon.Spec) macaroon.Token {
	s.Domain, s.Subject = w.Authority.Domain(), Alice
	if s.Type == (macaroon.Type{}) {
		s.Type = macaroon.AccessToken()
	}
	t, err := macaroon.Mint(s, store.NewSecret("a guess"))
	w.must(w.tb, err)
	return t
}

// sessionToken returns a token of Alice that is bound to a session, even one
// that has ended.
func (w *Fixture) sessionToken(session string) macaroon.Token {
	key, err := w.Store.NamedKey(w.tb.Context(), w.Laptop.ID())
	w.must(w.tb, err)
	t, err := macaroon.Mint(macaroon.Spec{
		Domain: w.Laptop.Domain(), ID: w.Laptop.ID(), Subject: Alice, Type: macaroon.SessionToken(session),
	}, key.Secret)
	w.must(w.tb, err)
	return t
}

// contains checks that the answer has all members of the wanted object.
func contains(want string) check {
	return func(tb testing.TB, w *Fixture, res macaroontest.Response) {
		tb.Helper()
		got, _ := decoded(tb, res.Body).(map[string]any)
		members, _ := decoded(tb, []byte(w.fill(want))).(map[string]any)
		if len(members) == 0 {
			tb.Fatalf("%s is no object with members", want)
		}
		for key, value := range members {
			sameJSON(tb, mustMarshal(tb, got[key]), mustMarshal(tb, value))
		}
	}
}

// parsed returns a body whose members are sent unchanged.
func parsed(text string) object {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &members) != nil {
		panic("restcases: not an object: " + text)
	}
	o := object{}
	for key, value := range members {
		o[key] = value
	}
	return o
}
