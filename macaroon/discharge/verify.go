package discharge

import (
	"context"
	"crypto/subtle"
	"fmt"

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
	case m.IsZero() || key.IsZero() || !areDistinct(discharges):
		return nil, errors.TokenInvalid()
	}
	v := verification{root: m.Signature(), discharges: discharges, unused: len(discharges), used: make([]bool, len(discharges))}
	if !v.verify(m, mac.Derive(key.Reveal()), false) || v.unused > 0 {
		return nil, errors.TokenInvalid()
	}
	return v.conditions, nil
}

// areDistinct reports whether the discharges have distinct identifiers.
func areDistinct(discharges []general.Macaroon) bool {
	for i, d := range discharges {
		if d.IsZero() {
			return false
		}
		for _, other := range discharges[:i] {
			if d.Identifier() == other.Identifier() {
				return false
			}
		}
	}
	return true
}

// verification is the state of verifying one macaroon with its discharges.
type verification struct {
	root       [mac.Size]byte // the signature that discharges are bound to
	discharges []general.Macaroon
	used       []bool
	unused     int
	conditions []string
	hasher     mac.Hasher
}

// verify verifies one macaroon with its root key, and then the discharges of its
// caveats. It ends, because each discharge is used at most once.
func (v *verification) verify(m general.Macaroon, key [mac.Size]byte, isDischarge bool) bool {
	caveats := m.Caveats()
	keys, ok := v.chain(m, caveats, key, isDischarge)
	if !ok {
		return false
	}
	for _, c := range caveats {
		if !c.IsThirdParty() {
			v.conditions = append(v.conditions, c.Text)
			continue
		}
		root, ok := openKey(keys[0], c.VerificationID)
		keys = keys[1:]
		if !ok || !v.discharge(c.Text, root) {
			return false
		}
	}
	return true
}

// chain computes the chain of HMACs and compares its end with the signature. It
// returns the keys of the verification ids: the signature before each third-party
// caveat.
func (v *verification) chain(m general.Macaroon, caveats []general.Caveat, key [mac.Size]byte, isDischarge bool) (keys [][mac.Size]byte, ok bool) {
	link := v.hasher.Sum(&key, m.Identifier())
	for _, c := range caveats {
		if c.IsThirdParty() {
			keys = append(keys, link)
			link = v.hasher.SumPair(&link, c.VerificationID, c.Text)
		} else {
			link = v.hasher.Sum(&link, c.Text)
		}
	}
	if isDischarge {
		var zeros [mac.Size]byte
		link = v.hasher.SumPair(&zeros, string(v.root[:]), string(link[:]))
	}
	signature := m.Signature()
	return keys, subtle.ConstantTimeCompare(link[:], signature[:]) == 1
}

// discharge verifies the discharge of a caveat with its root key.
func (v *verification) discharge(identifier string, key [mac.Size]byte) bool {
	for i, d := range v.discharges {
		if d.Identifier() == identifier {
			if v.used[i] {
				return false
			}
			v.used[i] = true
			v.unused--
			return v.verify(d, key, true)
		}
	}
	return false
}
