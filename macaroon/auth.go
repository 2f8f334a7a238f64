package macaroon

import (
	"context"
	"net/netip"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Auth is what a verified token proves. The zero Auth proves and allows
// nothing; every failed verification returns it.
type Auth struct {
	TokenID string
	Type    Type
	Subject caveat.Subject     // nobody for a version 1 token that was verified without its record
	Service caveat.ServiceType // service of a Oneprovider that presents the token; an unsigned hint, zero if absent
	PeerIP  netip.Addr         // IP address in the request
	Session string             // session the token is bound to; "" if none

	verified   bool // false only in the zero Auth
	temporary  bool // the token has no record
	discharged bool // the token has third-party caveats
	caveats    caveat.List
}

// Caveats returns all first-party caveats of the token, in order, with those of
// its discharges in place of third-party caveats, and then those that its
// owner added ([Authority.Tighten]). The verification has not enforced data and
// api caveats: see [Auth.Authorize] and [Auth.CheckFile].
func (a Auth) Caveats() []caveat.Caveat { return a.caveats.Caveats() }

// Additions returns those of Caveats that the owner added to the record of the
// token ([Authority.Tighten]).
func (a Auth) Additions() []caveat.Addition { return a.caveats.Additions() }

// Expiry returns the earliest expiry among the token's time caveats, in Unix
// seconds. ok is false if it has no time caveat.
func (a Auth) Expiry() (validUntil int64, ok bool) { return a.caveats.Expiry() }

// Authorize checks that the token's caveats allow the operation on the resource
// at the service. The service itself must still check the rights of the
// subject. Errors: those of [caveat.Authorize]; unauthorized without details
// for the zero Auth.
func (a Auth) Authorize(service caveat.ServiceType, operation caveat.Operation, gri caveat.GRI) error {
	if !a.verified {
		return errors.Unauthorized(nil)
	}
	return a.caveats.Authorize(service, operation, gri)
}

// CheckFile checks that the token's caveats allow the access to the file.
// Errors: those of [caveat.CheckFile]; unauthorized without details for the
// zero Auth.
func (a Auth) CheckFile(file caveat.File, access caveat.Access) error {
	if !a.verified {
		return errors.Unauthorized(nil)
	}
	return a.caveats.CheckFile(file, access)
}

// CheckKind checks the token's caveats of one kind that the verification
// skipped because [caveat.Request].Ignored lists it. ctx and req carry the
// values that these caveats are compared with; the vocabulary is that of the
// verification. Errors: those of [caveat.List.CheckKind]; unauthorized without
// details for the zero Auth.
func (a Auth) CheckKind(ctx context.Context, kind caveat.Type, req caveat.Request) error {
	if !a.verified {
		return errors.Unauthorized(nil)
	}
	return a.caveats.CheckKind(ctx, kind, &req)
}
