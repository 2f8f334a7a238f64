package macaroon

import (
	"context"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// maxRevokedTails bounds the confined copies that the record of one token can
// list as revoked.
const maxRevokedTails = 1024

// RevokeConfined revokes one confined copy of a named token, and every copy
// that was or will be confined from it; the token itself and its other copies
// go on working. Whoever has the copy can ask for it, so the copy must be
// genuine. It costs verifications nothing while a token has no such copies, and
// cannot be undone. Given the token as it was issued, it does what
// [Authority.Revoke] does. Who may call it is for the application to decide: the
// holder of one copy could use up the copies that can be revoked.
//
// Errors: tokenInvalid, tokenRevoked and tokenSubjectInvalid as for a
// verification; notSupported for a temporary token, which has no record to keep
// it in; limitReached for more than 1024 copies of one token.
func (a *Authority) RevokeConfined(ctx context.Context, t Token) error {
	if t.Generation() > 0 {
		return errors.NotSupported()
	}
	if _, err := a.authenticate(ctx, &candidate{token: &t}); err != nil {
		return err
	}
	record, err := a.Get(ctx, t.ID())
	if errors.Is(err, errors.IDNotFound) { // deleted meanwhile
		return errors.TokenInvalid()
	}
	if err != nil {
		return err
	}
	if string(record.Signature()) == string(t.Signature()) {
		return a.Revoke(ctx, t.ID()) // no copy, but the token itself
	}
	tail := store.TailOf(t.Signature())
	err = a.store.UpdateToken(ctx, t.ID(), func(r *store.Token) error {
		switch {
		case slices.Contains(r.RevokedTails, tail):
		case len(r.RevokedTails) >= maxRevokedTails:
			return errors.LimitReached(maxRevokedTails, "revoked copies of a token")
		default:
			r.RevokedTails = append(r.RevokedTails, tail)
		}
		return nil
	})
	switch {
	case errors.Is(err, errors.IDNotFound): // deleted meanwhile
		return errors.TokenInvalid()
	case err != nil:
		return fmt.Errorf("revoking a confined token: %w", err)
	}
	a.recognition.removeToken(t.ID())
	a.observe(ctx, Event{Kind: Revoked, TokenID: t.ID(), Type: t.Type(), Subject: t.Subject()})
	return nil
}

// RevokeTemporary revokes all temporary tokens that the subject has, for ever.
// The error is tokenSubjectInvalid where it is no user or Oneprovider.
func (a *Authority) RevokeTemporary(ctx context.Context, subject caveat.Subject) error {
	if !isHolder(subject) {
		return errors.TokenSubjectInvalid()
	}
	secret, err := a.newSecret(ctx)
	if err != nil {
		return err
	}
	if _, err := a.store.RotateTemporaryKey(ctx, subject, secret); err != nil {
		return fmt.Errorf("replacing the temporary secret: %w", err)
	}
	a.recognition.removeTemporary(subject)
	a.observe(ctx, Event{Kind: Revoked, Subject: subject})
	return nil
}

// TemporaryGeneration returns the generation of the subject's temporary tokens,
// which is 1 before the first RevokeTemporary. The error is tokenSubjectInvalid
// where the subject is no user or Oneprovider.
func (a *Authority) TemporaryGeneration(ctx context.Context, subject caveat.Subject) (int64, error) {
	if !isHolder(subject) {
		return 0, errors.TokenSubjectInvalid()
	}
	key, err := a.store.TemporaryKey(ctx, subject)
	if errors.Is(err, errors.IDNotFound) {
		var secret store.Secret
		if secret, err = a.newSecret(ctx); err != nil {
			return 0, err
		}
		key, err = a.store.EnsureTemporaryKey(ctx, subject, secret)
	}
	if err != nil {
		return 0, fmt.Errorf("looking up the temporary secret: %w", err)
	}
	return key.Generation, nil
}
