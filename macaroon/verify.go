package macaroon

import (
	"context"
	"net/netip"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Auth is what a verified token proves. The zero Auth, which every failed
// verification returns, proves and allows nothing.
type Auth struct {
	TokenID string
	Type    Type
	Subject caveat.Subject     // nobody for a version 1 token that was verified without its record
	Service caveat.ServiceType // which service of a Oneprovider presents the token; a hint, zero: none
	PeerIP  netip.Addr         // of the request
	Session string             // that the token is bound to, "" for none

	verified bool // false of the zero Auth alone
	caveats  caveat.List
}

// Caveats returns all caveats of the token, in order. Those of data and api are
// yet to be enforced: see [Auth.Authorize] and [Auth.CheckFile].
func (a Auth) Caveats() []caveat.Caveat { return a.caveats.Caveats() }

// Expiry returns the earliest time caveat of the token in Unix seconds; ok is
// false where it has none.
func (a Auth) Expiry() (validUntil int64, ok bool) { return a.caveats.Expiry() }

// Authorize reports whether the token's caveats allow the operation on the
// resource at the service; see [caveat.Authorize] for the errors, and
// unauthorized without details for the zero Auth. Whether the subject may do it is
// for the service to decide.
func (a Auth) Authorize(service caveat.ServiceType, operation caveat.Operation, gri caveat.GRI) error {
	if !a.verified {
		return errors.Unauthorized(nil)
	}
	return a.caveats.Authorize(service, operation, gri)
}

// CheckFile reports whether the token's caveats allow the access to the file;
// see [caveat.CheckFile] for the errors, and unauthorized without details for the
// zero Auth.
func (a Auth) CheckFile(file caveat.File, access caveat.Access) error {
	if !a.verified {
		return errors.Unauthorized(nil)
	}
	return a.caveats.CheckFile(file, access)
}

// CheckKind decides the token's caveats of a kind that the verification left
// undecided ([caveat.Request].Ignored). What the kind needs to know is in ctx
// and req; the vocabulary is that of the verification. See
// [caveat.List.CheckKind] for the errors, and unauthorized without details for the zero Auth.
func (a Auth) CheckKind(ctx context.Context, kind caveat.Type, req caveat.Request) error {
	if !a.verified {
		return errors.Unauthorized(nil)
	}
	return a.caveats.CheckKind(ctx, kind, &req)
}

// Verify checks the token against its secret and the request: the signature
// first, then each caveat in order, then the session. It knows of no records:
// whether the token is revoked and its subject exists is for [Authority].
//
// Errors: tokenInvalid, tokenCaveatUnknown {caveat}, tokenCaveatUnverified
// {caveat}, tokenSessionInvalid.
func (t Token) Verify(ctx context.Context, secret store.Secret, req caveat.Request) (auth Auth, err error) {
	if !t.chain(secret, nil) {
		return Auth{}, errors.TokenInvalid()
	}
	err = t.check(ctx, &req, &auth).orNil()
	return auth, err
}

// refusal is why a token is not accepted, with the caveat to blame.
type refusal struct {
	err    error
	caveat caveat.Caveat // nil where no caveat is to blame
	index  int           // of the caveat in the token
}

func (r *refusal) orNil() error {
	if r == nil {
		return nil
	}
	return r.err
}

// check decides about the caveats and session of a token whose signature was
// found good, and fills in auth when all is well.
func (t *Token) check(ctx context.Context, req *caveat.Request, auth *Auth) *refusal {
	typ := t.identifier.typ
	list := req.Vocabulary.ParseList(t.caveats)
	if i, err := list.Check(ctx, typ.use(req.ProveIdentity), req); err != nil {
		return &refusal{err, list.Caveats()[i], i}
	}
	if typ.Kind() == Access && !req.Session.Accepts(typ.Session()) {
		return &refusal{err: errors.TokenSessionInvalid()}
	}
	*auth = Auth{
		TokenID: t.identifier.id, Type: typ, Subject: t.identifier.subject, PeerIP: req.IP, Session: typ.Session(),
		verified: true, caveats: list,
	}
	if auth.Subject.Type == caveat.SubjectProvider {
		auth.Service = t.indicated
	}
	return nil
}

// use tells what a token of the type is used for.
func (t Type) use(proveIdentity bool) caveat.Use {
	switch {
	case t.kind == Access && proveIdentity:
		return caveat.UseAccessAsIdentity
	case t.kind == Access:
		return caveat.UseAccess
	case t.kind == Identity:
		return caveat.UseIdentity
	}
	return caveat.UseInvite
}
