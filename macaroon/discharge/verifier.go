package discharge

import (
	"cmp"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// Verifier makes a [macaroon.Authority] accept tokens with third-party caveats:
//
//	macaroon.NewAuthority(store, macaroon.WithDischarges(discharge.Verifier{}))
//
// The discharges are those of the request, [caveat.Request].Discharges. The zero
// Verifier reads them in the format of Onezone, under the default limits.
type Verifier struct {
	// Options say in which formats the discharges may be, and limit each of them.
	general.Options
	// MaxDischarges limits the discharges of one token; 0 means
	// [DefaultMaxDischarges].
	MaxDischarges int
}

var _ macaroon.DischargeVerifier = Verifier{}

// VerifyDischarges implements [macaroon.DischargeVerifier]. A discharge that
// cannot be read is tokenInvalid.
func (v Verifier) VerifyDischarges(t macaroon.Token, key store.Secret, discharges []string) (conditions []string, err error) {
	limit := cmp.Or(max(v.MaxDischarges, 0), DefaultMaxDischarges)
	if len(discharges) > limit {
		return nil, errors.LimitReached(limit, "discharges of a token")
	}
	m, err := general.FromToken(t)
	if err != nil {
		return nil, errors.TokenInvalid()
	}
	parsed := make([]general.Macaroon, len(discharges))
	for i, text := range discharges {
		if parsed[i], err = v.Parse(text); err != nil {
			return nil, errors.TokenInvalid().WithCause(errors.New("a discharge cannot be read: " + errors.From(err).Description))
		}
	}
	return conditionsOf(m, key, parsed, limit)
}
