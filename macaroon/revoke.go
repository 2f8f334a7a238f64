package macaroon

import (
	"context"
	"crypto/subtle"
	"fmt"
	"slices"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Revoke marks the named token as revoked; it and all its copies stop working
// until it is restored. The error is notFound if the id does not exist.
func (a *Authority) Revoke(ctx context.Context, id string) error {
	return a.Update(ctx, id, Change{Revoked: new(true)})
}

// Restore makes a revoked token valid again, except for copies that were
// revoked with RevokeConfined. The error is notFound if the id does not exist.
func (a *Authority) Restore(ctx context.Context, id string) error {
	return a.Update(ctx, id, Change{Revoked: new(false)})
}

// maxRevokedTails bounds the revoked copies in the record of one token.
const maxRevokedTails = 1024

// RevokeConfined revokes one confined copy of a named token, and every copy
// confined from that one, past or future. The original token and its other
// copies remain valid. The revocation cannot be undone. If t has no caveats
// beyond those it was issued with, RevokeConfined is the same as
// [Authority.Revoke].
//
// The application decides which clients may revoke copies. It should restrict
// this, because the holder of one copy could confine and revoke it until the
// limit of 1024 revoked copies is reached.
//
// Errors:
//   - tokenInvalid, tokenRevoked and tokenSubjectInvalid as in a verification;
//   - notSupported for a temporary token, which has no record;
//   - limitReached for more than 1024 revoked copies of one token.
func (a *Authority) RevokeConfined(ctx context.Context, t Token) error {
	if t.Generation() > 0 {
		return errors.NotSupported()
	}
	err := a.authenticate(ctx, &candidate{token: &t}, nil)
	if bait, ok := err.(*baitUse); ok {
		return a.report(ctx, &t, caveat.Subject{}, bait)
	}
	if err != nil {
		return err
	}
	record, err := a.Get(ctx, t.ID())
	if errors.Is(err, errors.IDNotFound) { // deleted concurrently
		return errors.TokenInvalid()
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(record.Signature(), t.Signature()) == 1 {
		return a.Revoke(ctx, t.ID()) // not a copy, but the token itself
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
	case errors.Is(err, errors.IDNotFound): // deleted concurrently
		return errors.TokenInvalid()
	case err != nil:
		return fmt.Errorf("revoking a confined token: %w", err)
	}
	a.recognition.removeToken(t.ID())
	a.observe(ctx, Event{Kind: Revoked, TokenID: t.ID(), Type: t.Type(), Subject: t.Subject()})
	return nil
}

// RevokeTemporary revokes all temporary tokens of the subject permanently. The
// error is tokenSubjectInvalid if the subject is neither a user nor a
// Oneprovider.
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

// TemporaryGeneration returns the generation of the subject's temporary tokens.
// It starts at 1, and each RevokeTemporary increments it. The error is
// tokenSubjectInvalid if the subject is neither a user nor a Oneprovider.
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
