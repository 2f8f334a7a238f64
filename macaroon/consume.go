package macaroon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Consume uses an invite token once. It verifies the token for the consumer and
// address of the request, checks that the inviter may still invite, and calls
// apply, which must make the consumer a member of the target. A use counts only
// if apply returns nil. A token with a usage limit of N is applied successfully
// at most N times, even by concurrent calls. apply must not consume the same
// token.
//
// Errors:
//   - those of [Authority.VerifyInvite], except that userBlocked becomes
//     inviteTokenSubjectNotAuthorized;
//   - inviteTokenConsumerInvalid {consumer};
//   - inviteTokenUsageLimitReached;
//   - those of [Inviters];
//   - the error that apply returns.
func (a *Authority) Consume(
	ctx context.Context, text string, expected InviteType, req caveat.Request,
	apply func(ctx context.Context, i Invitation) error,
) error {
	if apply == nil {
		return errors.BadDataHint("apply", "the function that applies the invitation must not be nil")
	}
	use := partyRequest(req)
	use.Consumer, use.Interface = req.Consumer, 0
	auth, err := a.VerifyInvite(ctx, text, expected, use)
	if err != nil {
		if errors.Is(err, errors.IDUserBlocked) {
			return errors.InviteTokenSubjectNotAuthorized()
		}
		return err
	}
	invite, target := auth.Type.Invitation()
	if !invite.acceptsConsumer(req.Consumer) {
		return errors.InviteTokenConsumerInvalid(req.Consumer)
	}
	i := Invitation{Inviter: auth.Subject, Type: invite, Target: target, Privileges: invite.DefaultPrivileges()}
	if auth.temporary {
		if err = a.checkInvitation(ctx, i); err == nil {
			err = apply(ctx, i)
		}
	} else {
		err = a.consumeNamed(ctx, auth.TokenID, i, apply)
	}
	if err == nil {
		a.observe(ctx, Event{Kind: Consumed, TokenID: auth.TokenID, Type: auth.Type, Subject: auth.Subject})
	}
	return err
}

// acceptsConsumer reports whether the consumer may use invitations of the type.
func (i InviteType) acceptsConsumer(consumer caveat.Subject) bool {
	switch i {
	case SupportSpace:
		return consumer.Type == caveat.SubjectProvider
	case RegisterOneprovider:
		return true
	}
	return consumer.Type == caveat.SubjectUser
}

func (a *Authority) consumeNamed(
	ctx context.Context, id string, i Invitation, apply func(ctx context.Context, i Invitation) error,
) error {
	// One use at a time in this process: while the last use is being applied,
	// other calls wait for its result. The reservation in the store enforces
	// the limit across processes.
	unlock, err := a.inviteLocks.lock(ctx, id)
	if err != nil {
		return fmt.Errorf("waiting for other uses of an invite token: %w", err)
	}
	defer unlock()

	record, err := a.store.GetToken(ctx, id)
	if err == nil {
		err = checkUsable(&record)
	}
	if err != nil {
		return recordError(err)
	}
	if record.Privileges != nil {
		i.Custom = !slices.Equal(record.Privileges, i.Privileges)
		i.Privileges = record.Privileges
	}
	if err := a.checkInvitation(ctx, i); err != nil {
		return err
	}
	return a.reserve(ctx, id, func() error { return apply(ctx, i) })
}

// releaseTimeout bounds the time for undoing a count after a failure.
const releaseTimeout = 10 * time.Second

// reserve counts a use, calls use, and undoes the count if use fails. A crash
// in between loses a use but never grants an extra one.
func (a *Authority) reserve(ctx context.Context, id string, use func() error) (err error) {
	err = a.store.UpdateToken(ctx, id, func(t *store.Token) error {
		if err := checkUsable(t); err != nil {
			return err
		}
		t.UsageCount++
		return nil
	})
	if err != nil {
		return recordError(err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		// use may have failed because ctx is done; the count must be undone
		// anyway.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		releaseErr := a.store.UpdateToken(ctx, id, func(t *store.Token) error {
			t.UsageCount = max(t.UsageCount-1, 0)
			return nil
		})
		if releaseErr != nil && !errors.Is(releaseErr, errors.IDNotFound) {
			err = errors.Join(err, fmt.Errorf("undoing the count of a use of an invite token: %w", releaseErr))
		}
	}()
	err = use()
	done = err == nil
	return err
}

// checkUsable returns an error if a token cannot be consumed once more.
func checkUsable(t *store.Token) error {
	switch {
	case t.Revoked:
		return errors.TokenRevoked()
	case t.UsageLimit > 0 && t.UsageCount >= t.UsageLimit:
		return errors.InviteTokenUsageLimitReached()
	}
	return nil
}

// recordError returns the error for a record that could not be used. A record
// deleted since the verification becomes tokenInvalid, as in a verification.
func recordError(err error) error {
	if errors.Is(err, errors.IDNotFound) {
		return errors.TokenInvalid()
	}
	if e, ok := errors.AsType[*errors.Error](err); ok {
		return e
	}
	return fmt.Errorf("counting a use of an invite token: %w", err)
}
