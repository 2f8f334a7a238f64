package restcases

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

// object is the body of a request. Its values are sent unchanged.
type object map[string]any

// row is a route, or one use of a route: the clients that may use it, and a
// request that succeeds.
type row struct {
	route  string
	path   string         // without the prefix; {laptop} and the like are ids of tokens of the world
	op     string         // as match specs name it
	gri    string         // for the client that the row is about
	actor  caveat.Subject // of the success
	access access
	status int                     // of the success
	body   func(w *Fixture) object // nil: none
	fields []field                 // of the body, in the order in which they are judged
	check  func(tb testing.TB, w *Fixture, res macaroontest.Response)
}

// access holds the result of the row for each authorized client: an error, or
// nil for success. All other clients are forbidden. everybody includes clients
// without credentials.
type access map[caveat.Subject]*errors.Error

var everybody = access{
	caveat.Nobody(): nil, Alice: nil, Bob: nil, Olga: nil, Mia: nil, Ada: nil, Krakow: nil, Lyon: nil,
}

func only(subjects ...caveat.Subject) access {
	a := access{}
	for _, s := range subjects {
		a[s] = nil
	}
	return a
}

// all returns the clients with which each row is tested.
func all() []caveat.Subject {
	return []caveat.Subject{caveat.Nobody(), Alice, Bob, Olga, Mia, Ada, Krakow, Lyon}
}

func (a access) and(b access) access {
	sum := maps.Clone(a)
	maps.Copy(sum, b)
	return sum
}

// rows returns the table of routes, according to the specification.
func rows() []row {
	list := append(publicRows(), explainRows()...)
	list = append(list, instanceRows()...)
	list = append(list, legacyRows()...)
	list = append(list, zoneRows()...)

	list = append(list, holder{route: "/users/{id}", path: "/users/u-alice", kind: "user", actor: Alice,
		manages: only(Alice, Ada), generation: only(Alice, Ada, Krakow)}.rows()...)
	list = append(list, holder{route: "/users/{id}", path: "/users/u-nobody", kind: "user", actor: Ada,
		manages: only(Ada), generation: only(Ada), missing: true}.rows()...)
	list = append(list, holder{route: "/user", path: "/user", kind: "user", actor: Alice,
		manages: only(Alice, Bob, Olga, Mia, Ada), generation: only(Alice, Bob, Olga, Mia, Ada)}.rows()...)
	list = append(list, holder{route: "/providers/{id}", path: "/providers/p-krakow", kind: "provider", actor: Krakow,
		manages: only(Krakow, Olga, Ada), generation: only(Krakow, Mia, Ada)}.rows()...)
	return append(list, holder{route: "/provider", path: "/provider", kind: "provider", actor: Krakow,
		manages: only(Krakow, Lyon, Ada), generation: only(Krakow, Lyon, Ada)}.rows()...)
}

func instanceRows() []row {
	type target struct {
		id, name   string
		actor      caveat.Subject
		may, knows access
	}
	notFound := access{Ada: errors.NotFound()}
	list := []row{{
		route: "GET /tokens/named", op: "get", gri: "token.null.list:private", actor: Ada, access: only(Ada),
		status: http.StatusOK, check: listsAll,
	}}
	for _, t := range []target{
		{"{laptop}", "laptop", Alice, only(Alice, Ada), only(Alice, Ada, Krakow)},
		{"{transfer}", "transfer", Krakow, only(Krakow, Olga, Ada), only(Krakow, Mia, Ada)},
		{"absent", "", Ada, notFound, notFound},
		{"absent%2Fabsent", "", Ada, notFound, notFound},
		{"a.b%00%FF", "", Ada, notFound, notFound},
	} {
		path := "/tokens/named/" + t.id
		instance := "token." + t.id + ".instance:private"
		list = append(list,
			row{route: "GET /tokens/named/{id}", path: path, op: "get", gri: instance, actor: t.actor, access: t.may,
				status: http.StatusOK, check: showsNamed(t.name)},
			row{route: "PATCH /tokens/named/{id}", path: path, op: "update", gri: instance, actor: t.actor, access: t.may,
				status: http.StatusNoContent, body: fixed(object{"name": "desk"}), fields: patchFields(), check: renamed(t.name)},
			row{route: "DELETE /tokens/named/{id}", path: path, op: "delete", gri: instance, actor: t.actor, access: t.may,
				status: http.StatusNoContent, check: gone(t.name)},
			row{route: "GET /tokens/named/{id}/family", path: path + "/family", op: "get", gri: instance, actor: t.actor, access: t.may,
				status: http.StatusOK, check: showsFamily(t.name)},
			row{route: "POST /tokens/named/{id}/revoke_family", path: path + "/revoke_family", op: "update", gri: instance,
				actor: t.actor, access: t.may, status: http.StatusNoContent, body: fixed(object{}), check: isRevoked(t.name)},
			row{route: "GET /tokens/named/{id}/status", path: path + "/status", op: "get",
				gri: "token." + t.id + ".instance:shared", actor: t.actor, access: t.knows,
				status: http.StatusOK, check: answers(`{"revoked":false}`)},
			row{route: "POST /tokens/named/{id}/revoke_copy", path: path + "/revoke_copy", op: "update", gri: instance, actor: t.actor, access: t.may,
				status: http.StatusNoContent, body: copyOf(t.name), fields: []field{tokenField("token", true)}, check: copyRevoked(t.name)},
		)
	}
	return list
}

// users returns the access to routes about the client itself. They exist only
// for users; a Oneprovider gets an error.
func users() access {
	return only(Alice, Bob, Olga, Mia, Ada).and(access{Krakow: errors.NotFound(), Lyon: errors.NotFound()})
}

func zoneRows() []row {
	return []row{
		{route: "GET /user", op: "get", gri: "user.ME.instance:protected", actor: Alice, access: users(), status: http.StatusOK,
			check: answers(`{"userId":"u-alice","fullName":"Alice of Kraków","username":"alice","emails":[],"linkedAccounts":[],
				"basicAuthEnabled":true,"blocked":false,"creationTime":1727784000,
				"name":"Alice of Kraków","login":"alice","alias":"alice","emailList":[]}`)},
		{route: "GET /user/tokens/records", op: "get", gri: "token.null.user_token_records,ME:private", actor: Alice, access: users(),
			status: http.StatusOK, check: listsRecords},
		{route: "GET /configuration", op: "get", gri: "oz_worker.null.configuration:public", actor: Alice, access: everybody, status: http.StatusOK,
			check: answers(`{"name":null,"domain":"onezone.example.com","version":"unknown","build":"unknown","subdomainDelegationSupported":false,
				"supportedIdPs":[{"id":"basicAuth","offlineAccess":false}],"compatibilityRegistryRevision":0,
				"compatibleOneproviderVersions":[],"availableSpaceTags":{}}`)},
	}
}

func legacyRows() []row {
	mayDelete := only(Alice, Ada).and(access{Krakow: errors.NotFound(), Lyon: errors.NotFound()})
	return []row{
		{route: "POST /user/client_tokens", op: "create", gri: "user.ME.client_tokens:private", actor: Alice, access: users(),
			status: http.StatusOK, body: fixed(object{}), check: isClientToken},
		{route: "GET /user/client_tokens", op: "get", gri: "user.ME.client_tokens:private", actor: Alice, access: users(),
			status: http.StatusOK, check: listsClientTokens},
		{route: "DELETE /user/client_tokens/{tid}", path: "/user/client_tokens/{laptop text}", op: "delete",
			gri: "user.ME.client_token,{laptop text}:private", actor: Alice, access: mayDelete,
			status: http.StatusNoContent, check: gone("laptop")},
	}
}

// holder describes the routes for the tokens of one party.
type holder struct {
	route, path string
	kind        string // as resources name it
	actor       caveat.Subject
	manages     access // clients that may manage its tokens
	generation  access // clients that may request its generation
	missing     bool   // the party does not exist
}

func (h holder) rows() []row {
	id, name, own := "ME", "laptop", Alice
	if h.kind == "provider" {
		name, own = "transfer", Krakow
	}
	if !strings.HasSuffix(h.path, h.kind) {
		id = h.path[strings.LastIndex(h.path, "/")+1:]
	}
	// On routes about the client itself, only the row's actor has the named
	// token; for all other clients it is not found. The same holds for a
	// missing party.
	manages, named := h.manages, h.manages
	if id == "ME" || h.missing {
		named = access{}
		for client := range h.manages {
			if named[client] = errors.NotFound(); client == own && !h.missing {
				named[client] = nil
			}
		}
	}
	creates := manages
	if h.kind == "provider" && id == "ME" || h.missing {
		creates = manages.and(access{Ada: errors.TokenSubjectInvalid()})
	}
	aspect := func(of string) string { return strings.NewReplacer("KIND", h.kind, "ID", id).Replace(of) }
	one := aspect("token.null.KIND_named_token,ID:private")
	many := aspect("token.null.KIND_named_tokens,ID:private")
	list := []row{
		{route: "POST /tokens/named", path: "/tokens/named", op: "create", gri: one, access: creates,
			status: http.StatusCreated, body: fixed(object{"name": "phone"}), fields: namedFields(h.kind), check: isCreated},
		{route: "GET /tokens/named", path: "/tokens/named", op: "get", gri: many, access: manages,
			status: http.StatusOK, check: listsOf(h)},
		{route: "DELETE /tokens/named", path: "/tokens/named", op: "delete", gri: many, access: manages,
			status: http.StatusNoContent, check: emptied(h)},
		{route: "GET /tokens/named/name/{name}", path: "/tokens/named/name/" + name, op: "get",
			gri: aspect("token." + name + ".KIND_named_token,ID:private"), access: named,
			status: http.StatusOK, check: showsNamed(name)},
		{route: "POST /tokens/temporary", path: "/tokens/temporary", op: "create",
			gri: aspect("token.null.KIND_temporary_token,ID:private"), access: creates, status: http.StatusCreated,
			body: func(w *Fixture) object { return object{"caveats": []any{w.Hour()}} }, fields: temporaryFields(h.kind), check: isTemporary},
		{route: "GET /tokens/temporary", path: "/tokens/temporary", op: "get",
			gri: aspect("temporary_token_secret.ID.KIND:shared"), access: h.generation,
			status: http.StatusOK, check: answers(`{"generation":1}`)},
		{route: "DELETE /tokens/temporary", path: "/tokens/temporary", op: "delete",
			gri: aspect("token.null.KIND_temporary_tokens,ID:private"), access: manages,
			status: http.StatusNoContent, check: rotated(h)},
	}
	for i := range list {
		r := &list[i]
		method, path, _ := strings.Cut(r.route, " ")
		r.route, r.path, r.actor = method+" "+h.route+path, h.path+r.path, h.actor
	}
	return list
}

// copyOf returns the body with a confined copy of a token of the world.
func copyOf(name string) func(*Fixture) object {
	return func(w *Fixture) object { return object{"token": w.confinedCopy(name).String()} }
}

// fixed returns a body that does not depend on the world.
func fixed(o object) func(*Fixture) object { return func(*Fixture) object { return maps.Clone(o) } }

// method and template of the row's route.
func (r row) method() string { m, _, _ := strings.Cut(r.route, " "); return m }

// request returns the request of the row, from a client.
func (r row) request(tb testing.TB, w *Fixture, client caveat.Subject, cs ...caveat.Caveat) Request {
	tb.Helper()
	path := r.path
	if path == "" {
		_, path, _ = strings.Cut(r.route, " ")
	}
	req := Request{Method: r.method(), Path: w.fill(path)}
	if client.Type != caveat.SubjectNobody {
		req.As, w.inherited = w.By(tb, client, cs...), cs
	}
	if r.body != nil {
		req.Body = encode(tb, r.body(w))
	}
	return req
}

// fill replaces placeholders by the ids and texts of the world's tokens.
func (w *Fixture) fill(pattern string) string {
	return strings.NewReplacer("{laptop}", w.Laptop.ID(), "{laptop text}", w.Laptop.String(), "{transfer}", w.Transfer.ID()).Replace(pattern)
}

func encode(tb testing.TB, o object) string {
	tb.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		tb.Fatalf("encoding a body: %v", err)
	}
	return string(data)
}
