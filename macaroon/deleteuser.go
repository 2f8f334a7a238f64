package macaroon

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// DeleteUser removes a user, all named tokens and the temporary secret. After
// it has returned nil, no earlier token of the user works again, even if a user
// with the same id is created. The error is notFound if the user does not
// exist; leftovers of a former user with the id are removed in that case too.
//
// DeleteUser blocks the user first, so that no token is issued concurrently,
// and removes the identity last. An interrupted call leaves a blocked user and
// can be repeated.
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

// Forget removes all named tokens and the temporary secret of a deleted
// subject. The error is tokenSubjectInvalid if the subject is neither a user
// nor a Oneprovider. [Authority.DeleteUser] calls Forget.
//
// An application with a [Directory] must call Forget after the Directory
// reports the subject as blocked or missing, and before a subject with the same
// id is created. Without a Directory, the same applies to the identity in the
// store. No earlier token then works again: calls that issue tokens
// concurrently undo their work.
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

// activateReusedID removes the tokens of a former user or Oneprovider with the
// same id, and then unblocks the new one, which was created blocked. Such tokens
// exist if the identity was removed without them, or unblocked during its
// deletion.
func (a *Authority) activateReusedID(ctx context.Context, subject caveat.Subject) error {
	err := a.removeTokens(ctx, subject)
	if err == nil {
		err = a.changeUser(ctx, subject, func(i *store.Identity) { i.Blocked = false })
	}
	if err == nil {
		return nil
	}
	// Remove the identity again: the caller gets an error and can retry.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	return errors.Join(err, a.store.DeleteIdentity(ctx, subject))
}

// undoTimeout bounds the time for undoing the changes of a failed call.
const undoTimeout = 5 * time.Second
