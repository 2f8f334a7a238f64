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

// Consume uses up an invite token: it verifies the token for the consumer and
// address of the request, checks that the inviter still may invite, and calls
// apply, which makes the consumer a member of the target. A use counts only when
// apply returns nil, and a token with a usage limit of N is applied successfully
// N times at most, however many try at once. apply must not consume the same token.
//
// Errors: those of [Authority.VerifyInvite], where userBlocked becomes
// inviteTokenSubjectNotAuthorized; inviteTokenConsumerInvalid {consumer};
// inviteTokenUsageLimitReached; those of [Inviters]; and what apply returns.
func (a *Authority) Consume(
	ctx context.Context, text string, expected InviteType, req caveat.Request,
	apply func(ctx context.Context, i Invitation) error,
) error {
	if apply == nil {
		return errors.BadDataHint("apply", "it takes a function to consume an invitation")
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
	if !invite.admits(req.Consumer) {
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

// admits tells who may consume invitations of the type.
func (i InviteType) admits(consumer caveat.Subject) bool {
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
	// One at a time in this process, so that who comes while the last use is
	// being applied waits for how that ends. What holds across processes is the
	// reservation.
	unlock, err := a.uses.lock(ctx, id)
	if err != nil {
		return fmt.Errorf("waiting for the other uses of an invite token: %w", err)
	}
	defer unlock()

	record, err := a.store.GetToken(ctx, id)
	if err == nil {
		err = usable(&record)
	}
	if err != nil {
		return gone(err)
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

// takeBackTime bounds how long a store may take to give a use back.
const takeBackTime = 10 * time.Second

// reserve counts a use, does it, and takes the use back where it failed: a crash
// in between loses a use and never gives one away.
func (a *Authority) reserve(ctx context.Context, id string, use func() error) (err error) {
	err = a.store.UpdateToken(ctx, id, func(t *store.Token) error {
		if err := usable(t); err != nil {
			return err
		}
		t.UsageCount++
		return nil
	})
	if err != nil {
		return gone(err)
	}
	done := false
	defer func() {
		if done {
			return
		}
		// Even when use failed because ctx is done.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTime)
		defer cancel()
		back := a.store.UpdateToken(ctx, id, func(t *store.Token) error {
			t.UsageCount = max(t.UsageCount-1, 0)
			return nil
		})
		if back != nil && !errors.Is(back, errors.IDNotFound) {
			err = errors.Join(err, fmt.Errorf("taking back a use of an invite token: %w", back))
		}
	}()
	err = use()
	done = err == nil
	return err
}

// usable reports why a token cannot be consumed once more.
func usable(t *store.Token) error {
	switch {
	case t.Revoked:
		return errors.TokenRevoked()
	case t.UsageLimit > 0 && t.UsageCount >= t.UsageLimit:
		return errors.InviteTokenUsageLimitReached()
	}
	return nil
}

// gone reports a record that was deleted since the token was verified as the
// verification would have.
func gone(err error) error {
	var e *errors.Error
	switch {
	case errors.Is(err, errors.IDNotFound):
		return errors.TokenInvalid()
	case errors.As(err, &e):
		return e
	}
	return fmt.Errorf("counting a use of an invite token: %w", err)
}
