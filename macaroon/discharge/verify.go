package discharge

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/internal/mac"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// DefaultMaxDischarges is the default limit on the discharges of one macaroon.
const DefaultMaxDischarges = 64

// Verify verifies the macaroon, with its root key and its bound discharges, and
// returns the conditions of all of them. It checks all signatures first, and then
// each condition in order, in the vocabulary of the request. It is
// [general.Macaroon.Verify] for macaroons with third-party caveats.
//
// Errors: limitReached for more than [DefaultMaxDischarges] discharges;
// tokenInvalid if the macaroon or a discharge breaks a rule of this package;
// tokenCaveatUnknown {caveat}; tokenCaveatUnverified {caveat}; the operational
// error [store.ErrSealed] for a sealed key.
func Verify(ctx context.Context, m general.Macaroon, key store.Secret, req caveat.Request, discharges ...general.Macaroon) (caveat.List, error) {
	conditions, err := conditionsOf(m, key, discharges, DefaultMaxDischarges)
	if err != nil {
		return caveat.List{}, err
	}
	caveats := req.Vocabulary.ParseList(conditions)
	if _, err := caveats.Check(ctx, caveat.UseAccess, &req); err != nil {
		return caveat.List{}, err
	}
	return caveats, nil
}

// conditionsOf verifies all signatures and returns the conditions to check, those
// of a discharge in place of the caveat that it discharges.
func conditionsOf(m general.Macaroon, key store.Secret, discharges []general.Macaroon, limit int) ([]string, error) {
	switch {
	case len(discharges) > limit:
		return nil, errors.LimitReached(limit, "discharges of a token")
	case key.IsSealed():
		return nil, fmt.Errorf("verifying a macaroon with discharges: %w", store.ErrSealed)
	case m.IsZero() || key.IsZero():
		return nil, errors.TokenInvalid()
	}
	v := verification{root: m.Signature(), discharges: discharges, used: make([]bool, len(discharges))}
	if problem := v.verify(m, key.Root()); problem != nil {
		return nil, errors.TokenInvalid().WithCause(problem)
	}
	return v.conditions, nil
}

// The causes of tokenInvalid, for logs.
var (
	errSignature = errors.New("the signature of the macaroon is wrong")
	errMissing   = errors.New("a discharge is missing")
	errUnused    = errors.New("a discharge is not needed, or there are two for one caveat")
	errReused    = errors.New("a discharge is needed more than once")
	errEncrypted = errors.New("a verification id cannot be decrypted")
	errDischarge = errors.New("the signature of a discharge is wrong, or it is not bound to the macaroon")
)

// verification is the state of verifying one macaroon with its discharges.
type verification struct {
	root       [mac.Size]byte // the signature that discharges are bound to
	discharges []general.Macaroon
	used       []bool
	conditions []string
	hasher     mac.Hasher
}

// verify verifies everything. It looks at the discharges only if the signature of
// the macaroon is right, so a forged macaroon costs no decryption.
func (v *verification) verify(m general.Macaroon, key *mac.Root) error {
	caveats := m.Caveats()
	link, keys := v.chain(key.First(&v.hasher, m.Identifier()), caveats)
	if subtle.ConstantTimeCompare(link[:], v.root[:]) != 1 {
		return errSignature
	}
	v.conditions = make([]string, 0, len(caveats))
	if err := v.collect(caveats, keys); err != nil {
		return err
	}
	if slices.Contains(v.used, false) {
		return errUnused
	}
	return nil
}

// chain computes the chain of HMACs of a macaroon from its first link. It returns
// the last one, and the link before each third-party caveat, which is the key of
// its verification id.
func (v *verification) chain(link [mac.Size]byte, caveats []general.Caveat) (last [mac.Size]byte, keys [][mac.Size]byte) {
	for _, c := range caveats {
		if c.IsThirdParty() {
			keys = append(keys, link)
			link = v.hasher.SumPair(&link, c.VerificationID, c.Text)
		} else {
			link = v.hasher.Sum(&link, c.Text)
		}
	}
	return link, keys
}

// collect collects the conditions of a genuine macaroon, and verifies the
// discharges of its third-party caveats.
func (v *verification) collect(caveats []general.Caveat, keys [][mac.Size]byte) error {
	for _, c := range caveats {
		if !c.IsThirdParty() {
			v.conditions = append(v.conditions, c.Text)
			continue
		}
		root, ok := openKey(keys[0], c.VerificationID)
		if !ok {
			return errEncrypted
		}
		if err := v.discharge(c.Text, root); err != nil {
			return err
		}
		keys = keys[1:]
	}
	return nil
}

// discharge verifies the discharge of a caveat with its root key. Of two with the
// same identifier, one remains unused. The recursion ends, because no discharge is
// used twice.
func (v *verification) discharge(identifier string, key [mac.Size]byte) error {
	i := slices.IndexFunc(v.discharges, func(d general.Macaroon) bool { return d.Identifier() == identifier })
	switch {
	case i < 0:
		return errMissing
	case v.used[i]:
		return errReused
	}
	v.used[i] = true
	caveats, signature := v.discharges[i].Caveats(), v.discharges[i].Signature()
	link, keys := v.chain(v.hasher.Sum(&key, identifier), caveats)
	bound := v.hasher.Bind(&v.root, &link)
	if subtle.ConstantTimeCompare(bound[:], signature[:]) != 1 {
		return errDischarge
	}
	return v.collect(caveats, keys)
}
