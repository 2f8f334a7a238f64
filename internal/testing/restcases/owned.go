package restcases

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
	"github.com/onezone-go/onezone/macaroon/rest"
	"github.com/onezone-go/onezone/store"
)

// without returns an API without data of the application.
func (w *Fixture) without(tb testing.TB) http.Handler {
	tb.Helper()
	h, err := rest.NewHandler(w.Authority)
	w.must(tb, err)
	return h
}

// providersVersion1 returns a version 1 token of Kraków.
func (w *Fixture) providersVersion1() string {
	t := w.Version1()
	w.must(w.tb, w.Store.DeleteToken(context.Background(), t.ID()))
	w.must(w.tb, second(w.Store.CreateToken(context.Background(), store.Token{
		ID: t.ID(), Name: "of old", Version: 1, Subject: Krakow, Type: "act", Secret: store.NewSecret("of old"), Created: 1,
	}, 0)))
	return t.String()
}

// useUp sets the usage count of an invite token to its limit.
func useUp(t *store.Token) error {
	t.UsageCount = t.UsageLimit
	return nil
}

// holders maps the routes for the tokens of a party to the client that calls
// them.
var holders = map[string]caveat.Subject{"/user": Alice, "/users/u-alice": Alice, "/provider": Krakow, "/providers/p-krakow": Krakow}

// template returns the route template of a holder's path.
func template(path string) string {
	return strings.NewReplacer("u-alice", "{id}", "p-krakow", "{id}").Replace(path)
}

// creation returns a case that creates a token of a party.
func creation(g Group, holder, kind, name string, body func(w *Fixture) object, want Want) Case {
	path := holder + "/tokens/" + kind
	return Case{"POST " + template(path), g, name, func(w *Fixture) (Request, Want) {
		o := body(w) // before the credentials, because some bodies invalidate them
		return Request{Method: http.MethodPost, Path: path, As: w.By(w.tb, Ada), Body: encode(w.tb, o)}, want
	}}
}

// shows checks that the record of the token in the answer has these members.
func shows(want string) Want {
	return Want{Status: http.StatusCreated, Check: func(tb testing.TB, w *Fixture, res macaroontest.Response) {
		tb.Helper()
		x := w.Do(tb, Request{Method: http.MethodGet, Path: "/tokens/named/" + w.token(tb, res).ID(), As: w.By(tb, Ada)})
		contains(want)(tb, w, x.Response)
	}}
}

func named() (list []Case) {
	for holder, subject := range holders {
		list = append(list, Case{"GET " + template(holder) + "/tokens/named/name/{name}", Refusal, "name that is not there", func(w *Fixture) (Request, Want) {
			return Request{Method: http.MethodGet, Path: holder + "/tokens/named/name/Laptop", As: w.By(w.tb, subject)}, refused(errors.NotFound())
		}})
		do := func(g Group, name, body string, want Want) {
			c := creation(g, holder, "named", name, func(*Fixture) object {
				o := object{"name": "phone"}
				for key, value := range parsed(body) {
					o[key] = value
				}
				return o
			}, want)
			if holder == "/user" || holder == "/provider" {
				inner := c.Make
				c.Make = func(w *Fixture) (Request, Want) {
					req, want := inner(w)
					req.As = w.By(w.tb, subject)
					return req, want
				}
			}
			list = append(list, c)
		}
		for _, text := range badTypes {
			do(BadInput, "type = "+text, `{"type":`+text+`}`, refused(errors.BadValueTokenType("type")))
		}
		do(Order, "bad type before a bad name", `{"name":5,"type":{}}`, refused(errors.BadValueTokenType("type")))
		do(Order, "bad type before bad caveats", `{"caveats":5,"type":{"accessToken":5}}`, refused(errors.BadValueTokenType("type")))
		do(Success, "everything given", `{"name":"(phone) 2.0_b","type":{"identityToken":null},"caveats":[{"type":"time","validUntil":0},{"type":"ip","whitelist":["1.2.3.4"]}],
			"customMetadata":{"a":[1e308,null],"":{"token":"x"}},"revoked":true,"usageLimit":"nonsense","privileges":5}`,
			shows(`{"name":"(phone) 2.0_b","type":{"identityToken":{}},"caveats":[{"type":"time","validUntil":0},{"type":"ip","whitelist":["1.2.3.4/32"]}],
			"metadata":{"creationTime":1727784000,"custom":{"a":[1e308,null],"":{"token":"x"}}},"revoked":true}`))
		for _, name := range []string{`true`, `false`} {
			do(Success, "name = "+name, `{"name":`+name+`}`, shows(`{"name":"`+name+`"}`))
		}
		do(Success, "longest name", `{"name":"`+strings.Repeat("ż", 128)+`"}`, shows(`{"name":"`+strings.Repeat("ż", 128)+`"}`))
		do(BadInput, "more caveats than there may be", `{"caveats":`+caveatList(257)+`}`, refused(errors.LimitReached(256, "caveats in a token")))
		do(BadInput, "occupied name", `{"name":"`+map[caveat.Subject]string{Alice: "laptop", Krakow: "transfer"}[subject]+`"}`, refused(errors.BadValueIdentifierOccupied("name")))
		do(Success, "name that another party has", `{"name":"`+map[caveat.Subject]string{Krakow: "laptop", Alice: "transfer"}[subject]+`"}`, Want{Status: http.StatusCreated})
		do(BadInput, "session of somebody else", `{"type":{"accessToken":{"sessionId":"s-bob"}}}`, refused(errors.TokenSessionInvalid()))
		do(BadInput, "service that the subject may not use", `{"caveats":[{"type":"service","whitelist":["ozw-*","opp-p-lyon"]}]}`, refused(forbiddenService(caveat.OpPanel, "p-lyon")))
		if subject == Krakow {
			do(BadInput, "invitation by who may not invite", string(inviting("userJoinGroup", "groupId", "g-1", "")), refused(errors.InviteTokenSubjectNotAuthorized()))
			do(Success, "invitation to its own cluster", string(inviting("userJoinCluster", "clusterId", "p-krakow", `,"privileges":["cluster_view"],"usageLimit":2`)),
				shows(`{"metadata":{"creationTime":1727784000,"custom":{},"privileges":["cluster_view"],"usageLimit":2,"usageCount":0}}`))
			continue
		}
		invitations(do)
	}
	for _, who := range []string{"blocked", "gone"} {
		list = append(list, creation(BadInput, "/users/u-alice", "named", "user who is "+who, func(w *Fixture) object {
			w.remove(who)
			return object{"name": "phone"}
		}, refused(removed[who])), creation(BadInput, "/users/u-alice", "temporary", "user who is "+who, func(w *Fixture) object {
			w.remove(who)
			return object{"caveats": []any{w.Hour()}}
		}, refused(removed[who])))
	}
	return list
}

var removed = map[string]*errors.Error{"blocked": errors.UserBlocked(), "gone": errors.TokenSubjectInvalid()}

func (w *Fixture) remove(how string) {
	if how == "blocked" {
		w.block(Alice)
		return
	}
	w.must(w.tb, w.Store.DeleteIdentity(context.Background(), Alice))
}

func inviting(inviteType, key, target, also string) raw {
	return raw(`{"type":` + string(invitation(inviteType, key, target)) + also + `}`)
}

// invitations calls do for each case of invite tokens.
func invitations(do func(g Group, name, body string, want Want)) {
	meta := func(privileges, limit string) Want {
		return shows(fmt.Sprintf(`{"metadata":{"creationTime":1727784000,"custom":{},"privileges":%s,"usageLimit":%s,"usageCount":0}}`, privileges, limit))
	}
	group := func(also string) string { return string(inviting("userJoinGroup", "groupId", "g-1", also)) }
	do(Success, "invitation", group(""), meta(`["group_view"]`, `"infinity"`))
	for value, limit := range map[string]string{`1`: `1`, `"5"`: `5`, `"+5"`: `5`, `"infinity"`: `"infinity"`, `99999999999999999999`: `9223372036854775807`} {
		do(Success, "usageLimit = "+value, group(`,"usageLimit":`+value), meta(`["group_view"]`, limit))
	}
	do(Success, "privileges, sorted and once", group(`,"privileges":["group_view","group_delete","group_view"]`), meta(`["group_delete","group_view"]`, `"infinity"`))
	do(Success, "no privileges", group(`,"privileges":[]`), meta(`[]`, `"infinity"`))
	do(Success, "invitation without privileges", string(inviting("supportSpace", "spaceId", "s-1", `,"privileges":5`)), meta(`null`, `"infinity"`))
	do(BadInput, "target that is not there", string(inviting("userJoinGroup", "groupId", "x-1", "")), refused(errors.InviteTokenTargetIDInvalid("x-1")))
	do(Success, "default privileges need no right", string(inviting("groupJoinGroup", "groupId", "g-plain", "")), meta(`["group_view"]`, `"infinity"`))
	do(BadInput, "privileges without the right to set them", string(inviting("groupJoinGroup", "groupId", "g-plain", `,"privileges":["group_view"]`)), refused(errors.InviteTokenSubjectNotAuthorized()))
	do(BadInput, "invitation with a caveat that is bad", group(`,"caveats":[{}]`), refused(errors.BadValueCaveat(raw(`{}`))))
	do(Order, "the invitation before the usage limit", string(inviting("userJoinGroup", "groupId", "x-1", `,"usageLimit":0`)), refused(errors.InviteTokenTargetIDInvalid("x-1")))
	do(Order, "the right to set privileges before the usage limit", string(inviting("groupJoinGroup", "groupId", "g-plain", `,"privileges":[],"usageLimit":"x"`)), refused(errors.InviteTokenSubjectNotAuthorized()))
	do(Order, "privileges before the invitation", string(inviting("userJoinGroup", "groupId", "x-1", `,"privileges":5`)), refused(errors.BadValueListOfStrings("privileges")))
	do(Order, "the invitation before the services", string(inviting("userJoinGroup", "groupId", "x-1", `,"caveats":[{"type":"service","whitelist":["opw-p-lyon"]}]`)), refused(errors.InviteTokenTargetIDInvalid("x-1")))
}

func patched() (list []Case) {
	do := func(g Group, name, body string, want Want) {
		list = append(list, Case{"PATCH /tokens/named/{id}", g, name, func(w *Fixture) (Request, Want) {
			return Request{Method: http.MethodPatch, Path: "/tokens/named/" + w.Laptop.ID(), As: w.By(w.tb, Alice), Body: body}, want
		}})
	}
	becomes := func(members string) Want {
		return Want{Status: http.StatusNoContent, Check: func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
			tb.Helper()
			x := w.Do(tb, Request{Method: http.MethodGet, Path: "/tokens/named/" + w.Laptop.ID(), As: w.By(tb, Alice)})
			contains(members)(tb, w, x.Response)
		}}
	}
	least := refused(errors.MissingAtLeastOneValue("customMetadata", "name", "revoked"))
	do(BadInput, "nothing to change", `{}`, least)
	do(BadInput, "no body", ``, least)
	do(BadInput, "nothing that can change", `{"type":{"identityToken":{}},"caveats":[],"usageLimit":1,"privileges":[],"subject":5}`, least)
	do(BadInput, "occupied name", `{"name":"identity"}`, refused(errors.BadValueIdentifierOccupied("name")))
	do(Success, "name that another party has", `{"name":"transfer"}`, becomes(`{"name":"transfer"}`))
	do(Success, "its own name", `{"name":"laptop"}`, becomes(`{"name":"laptop"}`))
	do(Success, "name = true", `{"name":true}`, becomes(`{"name":"true"}`))
	do(Success, "custom metadata as a whole", `{"customMetadata":{"b":2}}`, becomes(`{"name":"laptop","metadata":{"creationTime":1727784000,"custom":{"b":2}}}`))
	do(Success, "revoked", `{"revoked":true}`, becomes(`{"revoked":true,"name":"laptop"}`))
	do(Success, "everything at once", `{"revoked":true,"name":"desk","customMetadata":{}}`, becomes(`{"revoked":true,"name":"desk"}`))
	list = append(list, Case{"PATCH /tokens/named/{id}", Success, "restored, of a blocked user", func(w *Fixture) (Request, Want) {
		w.must(w.tb, w.Authority.Revoke(context.Background(), w.Laptop.ID()))
		w.block(Alice)
		return Request{Method: http.MethodPatch, Path: "/tokens/named/" + w.Laptop.ID(), As: w.By(w.tb, Ada), Body: `{"revoked":false}`},
			Want{Status: http.StatusNoContent, Check: func(tb testing.TB, w *Fixture, _ macaroontest.Response) {
				tb.Helper()
				if n, err := w.Authority.Get(tb.Context(), w.Laptop.ID()); err != nil || n.Revoked {
					tb.Errorf("revoked %v, %v", n.Revoked, err)
				}
			}}
	}})
	return append(list, Case{"GET /tokens/named/{id}/status", Success, "revoked", func(w *Fixture) (Request, Want) {
		w.must(w.tb, w.Authority.Revoke(context.Background(), w.Laptop.ID()))
		return Request{Method: http.MethodGet, Path: "/tokens/named/" + w.Laptop.ID() + "/status", As: w.By(w.tb, Alice)}, ok(`{"revoked":true}`)
	}})
}

func temporary() (list []Case) {
	for holder, subject := range holders {
		do := func(g Group, name, body string, want Want) {
			c := creation(g, holder, "temporary", name, func(*Fixture) object { return parsed(body) }, want)
			inner := c.Make
			c.Make = func(w *Fixture) (Request, Want) {
				req, want := inner(w)
				req.As = w.By(w.tb, subject)
				return req, want
			}
			list = append(list, c)
		}
		required := refused(errors.TokenTimeCaveatRequired(604800))
		do(BadInput, "no end", `{}`, required)
		do(BadInput, "end too late", `{"caveats":[{"type":"time","validUntil":1728388801}]}`, required)
		do(Success, "latest end", `{"caveats":[{"type":"time","validUntil":1728388800}]}`, Want{Status: http.StatusCreated, Check: isTemporary})
		do(Success, "end in the past", `{"caveats":[{"type":"time","validUntil":5}]}`, Want{Status: http.StatusCreated})
		do(Success, "earliest of two ends", `{"caveats":[{"type":"time","validUntil":1828388801},{"type":"time","validUntil":1727784001}]}`, Want{Status: http.StatusCreated, Check: isTemporary})
		do(Success, "fields of named tokens are ignored", `{"caveats":[{"type":"time","validUntil":1727784001}],"name":5,"usageLimit":5.5,"privileges":5,"customMetadata":5,"revoked":5}`,
			Want{Status: http.StatusCreated, Check: isTemporary})
		for _, text := range badTypes {
			do(BadInput, "type = "+text, `{"caveats":[{"type":"time","validUntil":1727784001}],"type":`+text+`}`, refused(errors.BadValueTokenType("type")))
		}
		do(Order, "caveats before a bad type", `{"caveats":5,"type":{}}`, refused(errors.BadData("caveats")))
		do(Order, "subject before the end", `{"type":{"accessToken":{"sessionId":"s-bob"}}}`, refused(errors.TokenSessionInvalid()))
		invite := refused(errors.InviteTokenSubjectNotAuthorized())
		if subject == Alice {
			invite = Want{Status: http.StatusCreated}
		}
		do(map[caveat.Subject]Group{Alice: Success, Krakow: BadInput}[subject], "invitation", string(inviting("userJoinGroup", "groupId", "g-plain", `,"caveats":[{"type":"time","validUntil":1727784001}]`)), invite)
		do(BadInput, "session token with an end too late", `{"type":{"identityToken":{}},"caveats":[{"type":"time","validUntil":2000000000}]}`, required)
		list = append(list, Case{"GET " + template(holder+"/tokens/temporary"), Success, "later generation", func(w *Fixture) (Request, Want) {
			w.must(w.tb, w.Authority.RevokeTemporary(context.Background(), subject))
			w.must(w.tb, w.Authority.RevokeTemporary(context.Background(), subject))
			return Request{Method: http.MethodGet, Path: holder + "/tokens/temporary", As: w.By(w.tb, subject)}, ok(`{"generation":2}`)
		}})
	}
	for _, holder := range []string{"/users/", "/providers/"} { // with an id that no store accepts
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			list = append(list, Case{method + " " + holder + "{id}/tokens/temporary", Refusal, "impossible id", func(w *Fixture) (Request, Want) {
				return Request{Method: method, Path: holder + "a%00b/tokens/temporary", As: w.By(w.tb, Ada)}, Want{
					Status: http.StatusBadRequest, Error: errors.From(store.ValidateHolder(caveat.User("\x00"))),
				}
			}})
		}
	}
	return list
}

func legacy() []Case {
	const route = "DELETE /user/client_tokens/{tid}"
	del := func(g Group, name string, client caveat.Subject, text func(w *Fixture) string, want Want) Case {
		return Case{route, g, name, func(w *Fixture) (Request, Want) {
			return Request{Method: http.MethodDelete, Path: "/user/client_tokens/" + text(w), As: w.By(w.tb, client)}, want
		}}
	}
	deleted := Want{Status: http.StatusNoContent, Check: gone("laptop")}
	absent := refused(errors.NotFound())
	mint := func(subject caveat.Subject, id string) func(w *Fixture) string {
		return func(w *Fixture) string {
			t, err := macaroon.Mint(macaroon.Spec{Domain: "d", ID: id, Subject: subject, Type: macaroon.AccessToken()}, store.NewSecret("x"))
			w.must(w.tb, err)
			return t.String()
		}
	}
	return []Case{
		del(Success, "confined copy", Alice, func(w *Fixture) string {
			t, err := w.Laptop.ConfineUnchecked("moon = full")
			w.must(w.tb, err)
			return t.String()
		}, deleted),
		del(Success, "wrong signature", Alice, func(w *Fixture) string { return mint(Alice, w.Laptop.ID())(w) }, deleted),
		del(Success, "version 1", Alice, func(w *Fixture) string { return w.Version1().String() }, Want{Status: http.StatusNoContent}),
		del(Success, "token of a Oneprovider, by who may change its cluster", Olga, func(w *Fixture) string { return w.Transfer.String() },
			Want{Status: http.StatusNoContent, Check: gone("transfer")}),
		del(Refusal, "no token", Alice, func(*Fixture) string { return "nonsense" }, absent),
		del(Refusal, "temporary token", Alice, func(w *Fixture) string { return w.Temporary().String() }, absent),
		del(Refusal, "temporary token with the id of a named one", Alice, func(w *Fixture) string {
			t, err := macaroon.Mint(macaroon.Spec{
				Domain: "d", ID: w.Laptop.ID(), Generation: 1, Subject: Alice, Type: macaroon.AccessToken(),
			}, store.NewSecret("x"))
			w.must(w.tb, err)
			return t.String()
		}, absent),
		del(Refusal, "no record", Alice, mint(Alice, "absent"), absent),
		del(Refusal, "somebody else's that is not there", Alice, mint(Bob, "absent"), refused(errors.Forbidden(""))),
		del(Refusal, "record of somebody else, claimed", Bob, func(w *Fixture) string { return mint(Bob, w.Laptop.ID())(w) }, absent),
		del(Refusal, "version 1 of somebody else", Bob, func(w *Fixture) string { return w.Version1().String() }, absent),
	}
}

// second returns the error of a call with two results.
func second[T any](_ T, err error) error { return err }
