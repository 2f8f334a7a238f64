package restcases

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func publicRows() []row {
	laptop := func(w *Fixture) object { return object{"token": w.Laptop.String()} }
	about := func(name string, r row) row {
		r.route = "POST /tokens/" + name
		r.op, r.gri, r.actor, r.access, r.status = "create", "token.null."+name+":public", Alice, everybody, http.StatusOK
		return r
	}
	verified := answers(`{"subject":{"type":"user","id":"u-alice"},"ttl":null}`)
	caveats := caveatsField("caveats")
	caveats.required = true
	return []row{
		about("examine", row{body: laptop, fields: []field{tokenField("token", true)}, check: answers(`{
			"onezoneDomain":"onezone.example.com","id":"{laptop}","persistence":"named","subject":{"type":"user","id":"u-alice"},
			"type":{"accessToken":{}},"caveats":[]}`)}),
		about("confine", row{
			body:   func(w *Fixture) object { return object{"token": w.Laptop.String(), "caveats": []any{w.Hour()}} },
			fields: []field{caveats, tokenField("token", true)}, check: isConfined}),
		about("infer_access_token_scope", row{body: laptop,
			fields: []field{tokenField("token", true), tokenField("consumerToken", false)}, check: answers(aliceScope)}),
		about("verify_access_token", row{body: laptop, fields: []field{
			tokenField("token", true), booleanField("allowDataAccessCaveats"), tokenField("consumerToken", false),
			interfaceField(), peerField(), tokenField("serviceToken", false),
		}, check: verified}),
		about("verify_identity_token", row{
			body: func(w *Fixture) object { return object{"token": w.ID.String()} }, fields: []field{
				tokenField("token", true), tokenField("consumerToken", false), interfaceField(), peerField(),
			}, check: verified}),
		about("verify_invite_token", row{
			body: func(w *Fixture) object { return object{"token": w.Invite.String()} }, fields: []field{
				tokenField("token", true), tokenField("consumerToken", false), inviteTypeField(), peerField(),
			}, check: verified}),
	}
}

// aliceScope is the data access scope of Alice's tokens without caveats.
const aliceScope = `{"validUntil":null,"dataAccessScope":{"readonly":false,
	"spaces":{
		"s-1":{"name":"one","supports":{"p-krakow":{"readonly":false},"p-lyon":{"readonly":true}}},
		"s-2":{"name":"two","supports":{"p-lyon":{"readonly":false}}},
		"s-3":{"name":"three","supports":{}}},
	"providers":{
		"p-krakow":{"name":"krakow","domain":"krakow.example.com","version":"21.02.8","online":true},
		"p-lyon":{"name":"lyon","domain":"lyon.example.com","version":"21.02.8","online":false}}}}`

func isConfined(tb testing.TB, w *Fixture, res macaroontest.Response) {
	tb.Helper()
	t := w.token(tb, res)
	w.verified(tb, t)
	sameJSON(tb, res.Body, mustMarshal(tb, object{"token": t.String()}))
	if want := fmt.Sprintf("[time < %d]", w.Hour().ValidUntil); fmt.Sprint(t.Caveats()) != want || t.ID() != w.Laptop.ID() {
		tb.Errorf("%v has the caveats %q, want %s", t, t.Caveats(), want)
	}
}
