package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
)

// UserID returns the id of the user with that claim sub at an issuer: the first 32
// hexadecimal digits of the SHA-256 of the issuer, a NUL byte and the subject. With
// it, an administrator can create or block a user who has not logged in yet.
func UserID(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return hex.EncodeToString(sum[:16])
}

// errBlocked is the error for a blocked user.
var errBlocked = errors.New("the user is blocked")

// countedFor is how long a count of the users is used.
const countedFor = time.Minute

// users finds and creates users in the store of the authority.
type users struct {
	authority *macaroon.Authority
	issuer    string
	max       int
	now       func() time.Time

	creating chan struct{} // holds a value while a user is created
	count    int           // of users in the store; guarded by creating
	counted  time.Time     // zero: never
}

func newUsers(o Options, a *macaroon.Authority) *users {
	return &users{authority: a, issuer: o.Issuer, max: o.MaxUsers, now: o.Now, creating: make(chan struct{}, 1)}
}

// find returns the user of the identity. more says more about a user to create.
func (u *users) find(ctx context.Context, who identity, more func() (identity, error)) (caveat.Subject, error) {
	subject := caveat.User(UserID(u.issuer, who.subject))
	known, err := u.isKnown(ctx, subject)
	if err == errBlocked { // as CreateUser leaves users until it is done
		return subject, u.alone(ctx, func() error {
			_, err := u.isKnown(ctx, subject)
			return err
		})
	}
	if known || err != nil {
		return subject, err
	}
	if who, err = more(); err != nil {
		return caveat.Subject{}, err
	}
	return subject, u.alone(ctx, func() error { return u.create(ctx, subject, who) })
}

// alone calls do while no other user is created.
func (u *users) alone(ctx context.Context, do func() error) error {
	select {
	case u.creating <- struct{}{}:
		defer func() { <-u.creating }()
		return do()
	case <-ctx.Done():
		return fmt.Errorf("waiting for other users to be created: %w", ctx.Err())
	}
}

// isKnown reports whether the user exists. The error is errBlocked if the user is
// blocked.
func (u *users) isKnown(ctx context.Context, subject caveat.Subject) (bool, error) {
	user, err := u.authority.User(ctx, subject)
	switch {
	case errors.Is(err, errors.IDNotFound):
		return false, nil
	case err != nil:
		return false, err
	case user.Blocked:
		return true, errBlocked
	}
	return true, nil
}

// create creates the user, unless it exists. Users are created one at a time.
func (u *users) create(ctx context.Context, subject caveat.Subject, who identity) error {
	if known, err := u.isKnown(ctx, subject); known || err != nil {
		return err
	}
	if err := u.countUsers(ctx); err != nil {
		return err
	}
	if u.count >= u.max {
		return fmt.Errorf("creating a user: the store has %d users, and MaxUsers is %d", u.count, u.max)
	}
	err := u.createNamed(ctx, macaroon.NewUser{ID: subject.ID, Username: who.username, FullName: who.fullName})
	if errors.Is(err, errors.IDAlreadyExists) { // another process was faster, and may not be done
		if known, err := u.isKnown(ctx, subject); known && err == nil {
			return nil
		}
		return errors.New("creating a user: another process is creating it")
	}
	if err == nil {
		u.count++
	}
	return err
}

// createNamed creates the user, without the names that are not valid or taken.
func (u *users) createNamed(ctx context.Context, user macaroon.NewUser) error {
	for {
		_, err := u.authority.CreateUser(ctx, user)
		switch {
		case user.Username != "" && (errors.Is(err, errors.IDBadValueUsername) || errors.Is(err, errors.IDBadValueIdentifierOccupied)):
			user.Username = ""
		case user.FullName != "" && errors.Is(err, errors.IDBadValueFullName):
			user.FullName = ""
		case err != nil:
			return fmt.Errorf("creating a user: %w", err)
		default:
			return nil
		}
	}
}

// countUsers counts the users in the store, if the last count is too old. It stops
// at the limit.
func (u *users) countUsers(ctx context.Context) error {
	if age := u.now().Sub(u.counted); !u.counted.IsZero() && age >= 0 && age < countedFor {
		return nil
	}
	u.count = 0
	for _, err := range u.authority.Users(ctx) {
		if err != nil {
			u.counted = time.Time{}
			return err
		}
		if u.count++; u.count >= u.max {
			break
		}
	}
	u.counted = u.now()
	return nil
}
