package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// LogIn returns the user with this name and password. Failures are counted by the
// name and by the address of the [Actor] in ctx; see [WithThrottle].
//
// Errors:
//   - badBasicCredentials for a wrong name or password, and for every password of
//     a user who has none; all of them take the same time;
//   - userBlocked for a blocked user, if the password is right;
//   - a [ThrottledError] after too many failures.
//
// Hashing concurrency is limited so that token verification keeps a CPU; a call
// waits for its turn, or for ctx.
func (a *Authority) LogIn(ctx context.Context, username, password string) (caveat.Subject, error) {
	actor := ActorFrom(ctx)
	conclude, err := a.logIns.attempt(ctx, username, actor.Address)
	if err != nil {
		if errors.As(err, new(ThrottledError)) {
			a.observe(ctx, Event{Kind: LogInThrottled, Username: username, Err: err})
		}
		return caveat.Subject{}, err
	}
	failed := true // also where a panic ends the call
	defer func() { conclude(failed) }()
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

// checkPassword returns the user with this name, even along with an error of the
// catalogue. Whether there is one, with what hash and in what state does not show
// in the time that a wrong password takes.
func (a *Authority) checkPassword(ctx context.Context, username, password string) (caveat.Subject, error) {
	i, err := a.store.GetIdentityByUsername(ctx, username)
	if err != nil && !errors.Is(err, errors.IDNotFound) {
		return caveat.Subject{}, fmt.Errorf("looking up a user: %w", err)
	}
	hash := a.passwords.nobodysHash()
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
	if right > 0 || a.passwords.isWeak(hash) {
		a.upgradePassword(ctx, i, forms[0])
	}
	return i.Subject, nil
}

// passwordForms returns the texts that a stored hash may be of: the prepared
// password, and the password as it came where that is another. The latter was
// hashed before the authority had a profile.
func (a *Authority) passwordForms(password string) []string {
	prepared, err := a.preparePassword(password)
	switch {
	case err != nil || prepared == password:
		return []string{password}
	}
	return []string{prepared, password}
}

// upgradePassword replaces a hash that is weak, or of a password that was not
// prepared. After a failure the old hash stays, and the next log-in tries again.
func (a *Authority) upgradePassword(ctx context.Context, old store.Identity, password string) {
	hashed, err := a.hash(ctx, password)
	if err != nil {
		return
	}
	_ = a.changeUser(ctx, old.Subject, func(i *store.Identity) {
		if i.Password.Equal(old.Password) { // not changed concurrently
			i.Password = hashed
		}
	})
}

// hash returns the hash of a password for the store.
func (a *Authority) hash(ctx context.Context, password string) (store.Secret, error) {
	if err := a.checkSeal(ctx); err != nil {
		return store.Secret{}, err
	}
	salt := make([]byte, passwordSaltSize)
	if err := a.read(salt); err != nil {
		return store.Secret{}, err
	}
	return a.passwords.hash(ctx, password, salt)
}
