package discharge

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/general"
)

// VerifyBundle verifies all tokens of the bundle with their discharges, and
// returns the conditions of each, in the order of [general.Bundle.Entries]. It
// verifies the signatures of all tokens before it checks a condition. One token
// that does not verify refuses the bundle, so call [general.Bundle.Filter] first
// if clients may send tokens for other services.
//
// Errors: those of [Verify], where tokenInvalid also means a token without a key;
// badToken for an empty bundle; an operational error of keys.
func VerifyBundle(ctx context.Context, b general.Bundle, keys general.Keys, req caveat.Request) ([]caveat.List, error) {
	if b.IsZero() {
		return nil, errors.BadToken("the bundle is empty")
	}
	entries := b.Entries()
	lists := make([]caveat.List, len(entries))
	for i, e := range entries {
		key, err := keys(ctx, e.Token)
		switch {
		case errors.Is(err, errors.IDNotFound):
			return nil, errors.TokenInvalid()
		case err != nil:
			return nil, fmt.Errorf("looking up the root key of a token: %w", err)
		}
		conditions, err := conditionsOf(e.Token, key, e.Discharges, DefaultMaxDischarges)
		if err != nil {
			return nil, err
		}
		lists[i] = req.Vocabulary.ParseList(conditions)
	}
	for _, list := range lists {
		if _, err := list.Check(ctx, caveat.UseAccess, &req); err != nil {
			return nil, err
		}
	}
	return lists, nil
}
