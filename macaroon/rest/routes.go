package rest

import (
	"net/http"
	"strings"

	"github.com/onezone-go/onezone/caveat"
)

// routes is the table of the API.
func routes() []route {
	list := []route{
		public("examine", (*call).examine),
		public("confine", (*call).confine),
		public("infer_access_token_scope", (*call).inferScope),
		public("verify_access_token", (*call).verifyAccess),
		public("verify_identity_token", (*call).verifyIdentity),
		public("verify_invite_token", (*call).verifyInvite),

		{http.MethodPost, "/tokens/explain", caveat.Create, "token.null.explain:private", allOwners, isClient, (*call).explain},
		{http.MethodPost, "/tokens/narrow", caveat.Create, "token.null.narrow:private", allOwners, isClient, (*call).narrow},

		{http.MethodGet, "/tokens/named", caveat.Get, "token.null.list:private", allOwners, managesTokens, (*call).listAll},
		{http.MethodGet, "/tokens/named/{id}", caveat.Get, "token.{id}.instance:private", namedToken, managesOwner, (*call).get},
		{http.MethodPatch, "/tokens/named/{id}", caveat.Update, "token.{id}.instance:private", namedToken, managesOwner, (*call).patch},
		{http.MethodDelete, "/tokens/named/{id}", caveat.Delete, "token.{id}.instance:private", namedToken, managesOwner, (*call).delete},
		{http.MethodGet, "/tokens/named/{id}/family", caveat.Get, "token.{id}.instance:private", namedToken, managesOwner, (*call).family},
		{http.MethodPost, "/tokens/named/{id}/revoke_family", caveat.Update, "token.{id}.instance:private", namedToken, managesOwner, (*call).revokeFamily},
		{http.MethodPost, "/tokens/named/{id}/revoke_copy", caveat.Update, "token.{id}.instance:private", namedToken, managesOwner, (*call).revokeCopy},
		{http.MethodGet, "/tokens/named/{id}/status", caveat.Get, "token.{id}.instance:shared", namedToken, seesRevocation, (*call).status},

		{http.MethodGet, "/user", caveat.Get, "user.{ME}.instance:protected", clientAsUser, isOwner, (*call).user},
		{http.MethodGet, "/configuration", caveat.Get, "oz_worker.null.configuration:public", nil, nil, (*call).configuration},

		{http.MethodGet, "/user/tokens/records", caveat.Get, "token.null.user_token_records,{ME}:private", clientAsUser, isOwner, (*call).listRecords},

		{http.MethodPost, "/user/client_tokens", caveat.Create, "user.{ME}.client_tokens:private", clientAsUser, isOwner, (*call).createLegacy},
		{http.MethodGet, "/user/client_tokens", caveat.Get, "user.{ME}.client_tokens:private", clientAsUser, isOwner, (*call).listLegacy},
		{http.MethodDelete, "/user/client_tokens/{tid}", caveat.Delete, "user.{ME}.client_token,{tid}:private", claimedToken, managesOwner, (*call).deleteLegacy},
	}
	for _, holder := range []holderRoutes{
		{"/users/{id}", "user", "id"},
		{"/user", "user", "ME"},
		{"/providers/{id}", "provider", "id"},
		{"/provider", "provider", "ME"},
	} {
		list = append(list, holder.routes()...)
	}
	return list
}

// public returns the route of an operation that everybody may use.
func public(name string, do func(*call) error) route {
	return route{http.MethodPost, "/tokens/" + name, caveat.Create, "token.null." + name + ":public", nil, nil, do}
}

// holderRoutes describes the routes for the tokens of one user or Oneprovider.
type holderRoutes struct {
	path string // in front
	kind string // of the holder, as in GRIs
	id   string // path value with its id; ME: the client itself
}

func (h holderRoutes) routes() []route {
	fill := strings.NewReplacer("KIND", h.kind, "ID", "{"+h.id+"}").Replace
	list := []route{
		{http.MethodPost, "/tokens/named", caveat.Create, "token.null.KIND_named_token,ID:private", h.load, managesOwner, (*call).createNamed},
		{http.MethodGet, "/tokens/named", caveat.Get, "token.null.KIND_named_tokens,ID:private", h.load, managesOwner, (*call).list},
		{http.MethodDelete, "/tokens/named", caveat.Delete, "token.null.KIND_named_tokens,ID:private", h.load, managesOwner, (*call).deleteList},
		{http.MethodGet, "/tokens/named/name/{name}", caveat.Get, "token.{name}.KIND_named_token,ID:private", h.load, managesOwner, (*call).getByName},
		{http.MethodPost, "/tokens/temporary", caveat.Create, "token.null.KIND_temporary_token,ID:private", h.load, managesOwner, (*call).createTemporary},
		{http.MethodGet, "/tokens/temporary", caveat.Get, "temporary_token_secret.ID.KIND:shared", h.load, seesRevocation, (*call).generation},
		{http.MethodDelete, "/tokens/temporary", caveat.Delete, "token.null.KIND_temporary_tokens,ID:private", h.load, managesOwner, (*call).deleteTemporary},
	}
	for i := range list {
		r := &list[i]
		r.path, r.gri = h.path+r.path, fill(r.gri)
	}
	return list
}
