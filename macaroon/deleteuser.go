package macaroon

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// DeleteUser removes a user with all named tokens and the temporary secret. When
// it has returned nil, no token that was issued before works again, also if a user
// with the same id is created. The error is notFound if there is no such user; what
// is left of a former one is removed all the same.
//
// The user is blocked first, so that no token is issued concurrently, and the
// identity is removed last: an interrupted call leaves a blocked user, and can be
// repeated.
func (a *Authority) DeleteUser(ctx context.Context, user caveat.Subject) error {
	missing := a.changeUser(ctx, user, func(i *store.Identity) { i.Blocked = true })
	if missing != nil && !errors.Is(missing, errors.IDNotFound) {
		return missing
	}
	if err := a.Forget(ctx, user); err != nil || missing != nil {
		return errors.Join(missing, err)
	}
	if err := a.store.DeleteIdentity(ctx, user); err != nil {
		return fmt.Errorf("deleting a user: %w", err)
	}
	a.observe(ctx, Event{Kind: UserDeleted, Subject: user})
	return nil
}

// Forget removes all named tokens and the temporary secret of a subject that is
// deleted. The error is tokenSubjectInvalid if the subject is no user or
// Oneprovider. [Authority.DeleteUser] calls it.
//
// Call it when the [Directory], or the store if there is none, reports the subject
// as blocked or missing, and before a subject with the same id is created. Then no
// token works again that was issued before: calls that issue tokens concurrently
// take them back.
func (a *Authority) Forget(ctx context.Context, subject caveat.Subject) error {
	if !isHolder(subject) {
		return errors.TokenSubjectInvalid()
	}
	if err := a.removeTokens(ctx, subject); err != nil {
		return err
	}
	a.observe(ctx, Event{Kind: Forgotten, Subject: subject})
	return nil
}

func (a *Authority) removeTokens(ctx context.Context, subject caveat.Subject) error {
	if err := a.DeleteAll(ctx, subject); err != nil {
		return err
	}
	if err := a.store.DeleteTemporaryKey(ctx, subject); err != nil {
		return fmt.Errorf("deleting the temporary secret: %w", err)
	}
	a.recognition.removeTemporary(subject)
	return nil
}

// takeOver unblocks a user who was created blocked with an id that somebody may
// have had before, after it removed what that one left: the identity may have been
// removed without the tokens, or unblocked while it was being deleted.
func (a *Authority) takeOver(ctx context.Context, user caveat.Subject) error {
	err := a.removeTokens(ctx, user)
	if err == nil {
		err = a.changeUser(ctx, user, func(i *store.Identity) { i.Blocked = false })
	}
	if err == nil {
		return nil
	}
	// The caller knows of no user, and can try again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	return errors.Join(err, a.store.DeleteIdentity(ctx, user))
}

// undoTimeout is how long it may take to undo what a call that failed has done.
const undoTimeout = 5 * time.Second
