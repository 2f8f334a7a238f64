package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// LogIn returns the user with this name and password. Failures count for the
// name and for the address of the [Actor] in ctx; see [WithThrottle].
//
// Errors:
//   - badBasicCredentials for a wrong name or password, and for any password of
//     a user without one; all of these take the same time;
//   - userBlocked for a blocked user, if the password is right;
//   - a [ThrottledError] after too many failures.
//
// Hashing concurrency is limited so that token verification keeps a CPU; a call
// waits for a free slot or until ctx is done.
func (a *Authority) LogIn(ctx context.Context, username, password string) (caveat.Subject, error) {
	actor := ActorFrom(ctx)
	finish, err := a.logIns.attempt(ctx, username, actor.Address)
	if err != nil {
		if errors.As(err, new(ThrottledError)) {
			a.observe(ctx, Event{Kind: LogInThrottled, Username: username, Err: err})
		}
		return caveat.Subject{}, err
	}
	failed := true // a panic counts as a failure
	defer func() { finish(failed) }()
	user, err := a.checkPassword(ctx, username, password)
	_, failed = err.(*errors.Error)
	switch {
	case failed:
		a.observe(ctx, Event{Kind: LogInFailed, Username: username, Subject: user, Err: err})
		return caveat.Subject{}, err
	case err != nil:
		return caveat.Subject{}, err
	}
	a.logIns.known.add(username, networkOf(actor.Address))
	a.observe(ctx, Event{Kind: LoggedIn, Username: username, Subject: user})
	return user, nil
}

// checkPassword returns the user with this name and password. It returns a
// known user also together with an error of the catalogue. The time for a wrong
// password does not depend on whether the user exists, on its hash or its
// state.
func (a *Authority) checkPassword(ctx context.Context, username, password string) (caveat.Subject, error) {
	i, err := a.store.GetIdentityByUsername(ctx, username)
	if err != nil && !errors.Is(err, errors.IDNotFound) {
		return caveat.Subject{}, fmt.Errorf("looking up a user: %w", err)
	}
	hash := a.passwords.dummyHash()
	if i.Password.IsSealed() {
		return caveat.Subject{}, fmt.Errorf("reading the password hash of %v: %w", i.Subject, store.ErrSealed)
	}
	if err == nil && !i.Password.IsZero() {
		var ok bool
		if hash, ok = parsePasswordHash(i.Password); !ok {
			return caveat.Subject{}, fmt.Errorf("reading the password hash of %v: unknown form", i.Subject)
		}
	}
	forms := a.passwordForms(password)
	right, err := a.passwords.compare(ctx, hash, forms)
	switch {
	case err != nil:
		return caveat.Subject{}, err
	case right < 0:
		return i.Subject, errors.BadBasicCredentials()
	case i.Blocked:
		return i.Subject, errors.UserBlocked()
	}
	if right > 0 || hash.iterations < a.passwords.iterations {
		a.upgradePassword(ctx, i, forms[0])
	}
	return i.Subject, nil
}

// passwordForms returns the forms of a password to compare with a stored hash:
// the prepared one, and the unprepared one if it differs. A hash of the latter
// dates from before the authority had a password profile.
func (a *Authority) passwordForms(password string) []string {
	prepared, err := a.preparePassword(password)
	if err != nil || prepared == password {
		return []string{password}
	}
	return []string{prepared, password}
}

// upgradePassword replaces a weak hash, or the hash of an unprepared password.
// After a failure the old hash stays, and the next log-in retries.
func (a *Authority) upgradePassword(ctx context.Context, old store.Identity, password string) {
	hashed, err := a.hash(ctx, password)
	if err != nil {
		return
	}
	_ = a.changeUser(ctx, old.Subject, func(i *store.Identity) {
		if i.Password.Equal(old.Password) { // unless it was changed concurrently
			i.Password = hashed
		}
	})
}

// hash returns the hash of a password, under a new salt, for the store.
func (a *Authority) hash(ctx context.Context, password string) (store.Secret, error) {
	if err := a.checkSeal(ctx); err != nil {
		return store.Secret{}, err
	}
	salt := make([]byte, passwordSaltSize)
	if err := a.readRandom(salt); err != nil {
		return store.Secret{}, err
	}
	return a.passwords.hash(ctx, password, salt)
}
