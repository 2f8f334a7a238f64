package macaroon

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Users yields all users in the store, in an order of the backend's own. An
// error ends the sequence; it is operational. A user who exists during the whole
// iteration is yielded exactly once.
func (a *Authority) Users(ctx context.Context) iter.Seq2[User, error] {
	return func(yield func(User, error) bool) {
		for after := ""; ; {
			records, next, err := a.store.Export(ctx, store.IdentityRecords, after, store.MaxPage)
			if err != nil {
				yield(User{}, fmt.Errorf("listing users: %w", err))
				return
			}
			for _, r := range records {
				if r.Identity.Subject.Type == caveat.SubjectUser && !yield(userOf(*r.Identity), nil) {
					return
				}
			}
			if after = next; after == "" {
				return
			}
		}
	}
}

// UserError is the reason why one of several users cannot be created.
type UserError struct {
	Index int // of the user in the call
	Err   error
}

// Error implements error.
func (e *UserError) Error() string { return fmt.Sprintf("user %d: %v", e.Index, e.Err) }

// Unwrap returns the reason.
func (e *UserError) Unwrap() error { return e.Err }

// CreateUsers adds all users to the store, or none of them. It returns their
// subjects in the same order. All users are checked before the first password is
// hashed, which takes most of the time: progress, if not nil, is called after
// each password with the number of users that are prepared.
//
// The error joins a [*UserError] for each user that cannot be created. The
// reasons are those of [Authority.CreateUser], and:
//   - badValueIdentifier {key "id"}: the user has an ID, which must be "";
//   - badValueIdentifierOccupied {key "username"}: the user name is taken, also
//     by another user of the call.
//
// A name that another process takes during the call is reported as
// badValueIdentifierOccupied without a UserError. For stores that spread records
// over several machines see [store.Archive]: an operational error may then leave
// some of the users.
func (a *Authority) CreateUsers(ctx context.Context, users []NewUser, progress func(done int)) ([]caveat.Subject, error) {
	if err := a.CheckUsers(ctx, users); err != nil {
		return nil, err
	}
	passwords, err := a.hashAll(ctx, users, progress)
	if err != nil {
		return nil, err
	}
	subjects, records := make([]caveat.Subject, len(users)), make([]store.Record, len(users))
	now := a.clock().Unix()
	for i, u := range users {
		id, err := a.newID()
		if err != nil {
			return nil, err
		}
		subjects[i] = caveat.User(id)
		records[i].Identity = &store.Identity{
			Subject: subjects[i], Username: u.Username, FullName: u.FullName, Password: passwords[i], Created: now,
		}
	}
	if err := a.store.Import(ctx, records); err != nil {
		return nil, fmt.Errorf("storing users: %w", err)
	}
	for i, u := range users {
		a.observe(ctx, Event{Kind: UserCreated, Subject: subjects[i], Username: u.Username})
	}
	return subjects, nil
}

// hashAll returns the hashes of all passwords, on as many CPUs as hashing may
// use.
func (a *Authority) hashAll(ctx context.Context, users []NewUser, progress func(done int)) ([]store.Secret, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	hashed := make([]store.Secret, len(users))
	var next, done int
	var mu sync.Mutex
	var workers sync.WaitGroup
	take := func() (i int, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		i = next
		next++
		return i, i < len(users) && ctx.Err() == nil
	}
	for range cap(a.passwords.slots) {
		workers.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				secret, err := a.newPassword(ctx, users[i].Password)
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				hashed[i], done = secret, done+1
				if progress != nil {
					progress(done)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return hashed, context.Cause(ctx)
}

// CheckUsers returns the error with which [Authority.CreateUsers] would refuse
// the users before it hashes passwords.
func (a *Authority) CheckUsers(ctx context.Context, users []NewUser) error {
	var refused []error
	named := make(map[string]bool, len(users))
	for i, u := range users {
		err := a.checkUser(ctx, u)
		if err == nil && named[u.Username] {
			err = errors.BadValueIdentifierOccupied("username")
		}
		switch {
		case err != nil && !isCatalogued(err):
			return err
		case err != nil:
			refused = append(refused, &UserError{i, err})
		}
		named[u.Username] = u.Username != ""
	}
	return errors.Join(refused...)
}

// checkUser checks one user before the password is hashed.
func (a *Authority) checkUser(ctx context.Context, u NewUser) error {
	if u.ID != "" {
		return errors.BadValueIdentifier("id")
	}
	if err := u.validate(); err != nil {
		return err
	}
	if u.Password != "" {
		if _, err := a.acceptPassword(u.Password); err != nil {
			return err
		}
	}
	if u.Username == "" {
		return nil
	}
	_, err := a.store.GetIdentityByUsername(ctx, u.Username)
	switch {
	case err == nil:
		return errors.BadValueIdentifierOccupied("username")
	case errors.Is(err, errors.IDNotFound):
		return nil
	}
	return fmt.Errorf("looking up a user name: %w", err)
}

func isCatalogued(err error) bool {
	_, ok := errors.AsType[*errors.Error](err)
	return ok
}
