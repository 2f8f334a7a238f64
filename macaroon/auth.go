package macaroon

import (
	"context"
	"net/netip"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
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

	verified  bool // false of the zero Auth alone
	temporary bool // the token has no record
	caveats   caveat.List
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
// [caveat.List.CheckKind] for the errors, and unauthorized without details for
// the zero Auth.
func (a Auth) CheckKind(ctx context.Context, kind caveat.Type, req caveat.Request) error {
	if !a.verified {
		return errors.Unauthorized(nil)
	}
	return a.caveats.CheckKind(ctx, kind, &req)
}
