// Package backend is what the backends of a store have in common, so that a
// driver is left with what is its database's own: queries or scripts,
// transactions, and the feed.
//
//   - [Contract] implements the methods of [store.Store] over a [Driver]. It
//     checks arguments and tells errors of the two classes apart.
//   - [SQL] implements most of a Driver over a [DB], for databases that speak SQL.
//   - [Feed] implements Watch over one attempt to read changes.
//   - [Batch], [Backoff] and the Is functions are for all others.
package backend

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Driver is a backend under a [Contract]. Its methods are those of [store.Store]
// and differ in this:
//
//   - They are called when the store is ready and the context is not done, with
//     arguments that are valid: records, keys, subjects and queries that can be
//     there, and limits from 1 to [store.MaxPage].
//   - What goes with an error does not matter.
//   - An operational error needs no verb phrase, and need not wrap the error of
//     the context, nor [store.ErrClosed], where that is its cause.
type Driver interface {
	Readier
	store.Keys
	store.Tokens
	store.Lists
	store.Identities
	Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error)
	Import(ctx context.Context, records []store.Record) error
	ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error)
}

// Readier tells whether a store can be used.
type Readier interface {
	// Ready returns nil if calls can be made, or why not: [store.ErrClosed] or
	// [store.ErrSchema].
	Ready() error
}

// Life is the time until a store is closed.
type Life struct {
	Closed context.Context    // done when the store is closed
	End    context.CancelFunc // closes it
}

// NewLife returns the life of a store that is open.
func NewLife() (l Life) {
	l.Closed, l.End = context.WithCancel(context.Background())
	return l
}

// Ready implements [Readier].
func (l Life) Ready() error {
	if l.Closed.Err() != nil {
		return store.ErrClosed
	}
	return nil
}

// Check returns why a call of a store cannot be made, nil if it can. doing is its
// verb phrase.
func Check(ctx context.Context, r Readier, doing string) error {
	if err := unready(ctx, r); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

func unready(ctx context.Context, r Readier) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.Ready()
}

// Do makes a call of a store: it runs do if the store is ready and ctx is not
// done. doing is the verb phrase of operational errors; errors of the catalogue
// are returned as they are.
func Do(ctx context.Context, r Readier, doing string, do func() error) error {
	if err := Check(ctx, r, doing); err != nil {
		return err
	}
	err := do()
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*errors.Error](err); ok {
		return err
	}
	// A database has errors of its own for the end of a context or store.
	if cause := Check(ctx, r, doing); cause != nil {
		return cause
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// find makes a call about a record. The error is notFound where there can be none.
func find(ctx context.Context, r Readier, doing string, possible bool, do func() error) error {
	return Do(ctx, r, doing, func() error {
		if !possible {
			return errors.NotFound()
		}
		return do()
	})
}

// get makes a call like find that returns one thing, the zero one with an error.
func get[T any](ctx context.Context, r Readier, doing string, possible bool, do func() (T, error)) (T, error) {
	var got T
	err := find(ctx, r, doing, possible, func() (err error) {
		got, err = do()
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return got, nil
}

// Contract implements the methods of [store.Store] over a driver, except Watch
// and Close.
type Contract struct{ d Driver }

// NewContract returns the contract over the driver.
func NewContract(d Driver) Contract { return Contract{d} }

// NamedKey implements [store.Keys].
func (c Contract) NamedKey(ctx context.Context, id string) (store.Key, error) {
	return get(ctx, c.d, "look up the key of a named token", IsKey(id), func() (store.Key, error) { return c.d.NamedKey(ctx, id) })
}

// TemporaryKey implements [store.Keys].
func (c Contract) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	return get(ctx, c.d, "look up the key of temporary tokens", IsHolder(subject),
		func() (store.Key, error) { return c.d.TemporaryKey(ctx, subject) })
}

// EnsureTemporaryKey implements [store.Keys].
func (c Contract) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	return put(ctx, c.d, "make sure of a key of temporary tokens", firstOf(subject, secret),
		func() (store.Key, error) { return c.d.EnsureTemporaryKey(ctx, subject, secret) })
}

// put makes a call like get that writes a record, which it validates.
func put[T any](ctx context.Context, r Readier, doing string, record interface{ Validate() error }, do func() (T, error)) (T, error) {
	return get(ctx, r, doing, true, func() (T, error) {
		if err := record.Validate(); err != nil {
			return *new(T), err
		}
		return do()
	})
}

func firstOf(subject caveat.Subject, secret store.Secret) store.Temporary {
	return store.Temporary{Subject: subject, Secret: secret, Generation: 1}
}

// RotateTemporaryKey implements [store.Keys].
func (c Contract) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	return put(ctx, c.d, "rotate a key of temporary tokens", firstOf(subject, secret),
		func() (int64, error) { return c.d.RotateTemporaryKey(ctx, subject, secret) })
}

// DeleteTemporaryKey implements [store.Keys].
func (c Contract) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	return Do(ctx, c.d, "delete a key of temporary tokens", func() error {
		if !IsHolder(subject) {
			return nil
		}
		return c.d.DeleteTemporaryKey(ctx, subject)
	})
}

// CreateToken implements [store.Tokens].
func (c Contract) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	return get(ctx, c.d, "create a named token", true, func() (store.Status, error) {
		if err := t.ValidateNew(require); err != nil {
			return 0, err
		}
		return c.d.CreateToken(ctx, t, require)
	})
}

// GetToken implements [store.Tokens].
func (c Contract) GetToken(ctx context.Context, id string) (store.Token, error) {
	return get(ctx, c.d, "get a named token", IsKey(id), func() (store.Token, error) { return c.d.GetToken(ctx, id) })
}

// UpdateToken implements [store.Tokens].
func (c Contract) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return update(ctx, c.d, "update a named token", IsKey(id), change,
		func(change func(*store.Token) error) error { return c.d.UpdateToken(ctx, id, change) })
}

// errRefused ends an update that is not to be tried again, whatever the error of
// the caller's function looks like.
var errRefused = errors.New("the change was refused")

// update makes a call that changes a record. What change refuses with is returned
// as it is.
func update[R any](ctx context.Context, r Readier, doing string, possible bool, change func(*R) error, do func(func(*R) error) error) error {
	var refusal error
	changeOrStop := func(record *R) error {
		if refusal = change(record); refusal != nil {
			return errRefused
		}
		return nil
	}
	if change == nil {
		changeOrStop = nil // which the checks of updates refuse
	}
	err := find(ctx, r, doing, possible, func() error { return do(changeOrStop) })
	if refusal != nil {
		return refusal
	}
	return err
}

// DeleteToken implements [store.Tokens].
func (c Contract) DeleteToken(ctx context.Context, id string) error {
	return find(ctx, c.d, "delete a named token", IsKey(id), func() error { return c.d.DeleteToken(ctx, id) })
}

// ListTokens implements [store.Lists].
func (c Contract) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	err = c.list(ctx, q, func(q store.Query) (err error) {
		page, next, err = c.d.ListTokens(ctx, q)
		return err
	})
	return page, next, err
}

// ListTokenIDs implements [store.Lists].
func (c Contract) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	err = c.list(ctx, q, func(q store.Query) (err error) {
		page, next, err = c.d.ListTokenIDs(ctx, q)
		return err
	})
	return page, next, err
}

// list runs do unless nothing can be selected.
func (c Contract) list(ctx context.Context, q store.Query, do func(store.Query) error) error {
	return Do(ctx, c.d, "list named tokens", func() error {
		if err := q.Validate(); err != nil {
			return err
		}
		switch {
		case q.After.ID != "" && !IsKey(q.After.ID):
			return errors.BadDataHint("after", "the id of a cursor is one that a token can have")
		case !q.Subject.IsZero() && !IsHolder(q.Subject), q.Name != "" && !IsKey(q.Name):
			return nil
		}
		q.Limit = q.PageSize()
		return do(q)
	})
}

// CountTokens implements [store.Lists].
func (c Contract) CountTokens(ctx context.Context, subject caveat.Subject) (int64, error) {
	return get(ctx, c.d, "count named tokens", true, func() (int64, error) {
		if !IsHolder(subject) {
			return 0, nil
		}
		return c.d.CountTokens(ctx, subject)
	})
}

// CreateIdentity implements [store.Identities].
func (c Contract) CreateIdentity(ctx context.Context, i store.Identity) error {
	return Do(ctx, c.d, "create an identity", func() error {
		if err := i.Validate(); err != nil {
			return err
		}
		return c.d.CreateIdentity(ctx, i)
	})
}

// GetIdentity implements [store.Identities].
func (c Contract) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	return get(ctx, c.d, "get an identity", IsHolder(subject),
		func() (store.Identity, error) { return c.d.GetIdentity(ctx, subject) })
}

// GetIdentityByUsername implements [store.Identities].
func (c Contract) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	return get(ctx, c.d, "get an identity by user name", IsKey(username),
		func() (store.Identity, error) { return c.d.GetIdentityByUsername(ctx, username) })
}

// UpdateIdentity implements [store.Identities].
func (c Contract) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	return update(ctx, c.d, "update an identity", IsHolder(subject), change,
		func(change func(*store.Identity) error) error { return c.d.UpdateIdentity(ctx, subject, change) })
}

// DeleteIdentity implements [store.Identities].
func (c Contract) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	return find(ctx, c.d, "delete an identity", IsHolder(subject), func() error { return c.d.DeleteIdentity(ctx, subject) })
}

// Export implements [store.Archive].
func (c Contract) Export(ctx context.Context, kind store.RecordKind, after string, limit int) (records []store.Record, next string, err error) {
	err = Do(ctx, c.d, "export records", func() (err error) {
		if kind < store.IdentityRecords || kind > store.TokenRecords {
			return errors.BadDataHint("kind", "there are no records of that kind")
		}
		records, next, err = c.d.Export(ctx, kind, after, store.Query{Limit: limit}.PageSize())
		return err
	})
	return records, next, err
}

// Import implements [store.Archive].
func (c Contract) Import(ctx context.Context, records []store.Record) error {
	return Do(ctx, c.d, "import records", func() error {
		for _, r := range records {
			if err := r.Validate(); err != nil {
				return err
			}
		}
		if len(records) == 0 {
			return nil
		}
		return c.d.Import(ctx, records)
	})
}

// ReplaceTemporarySecret implements [store.Archive].
func (c Contract) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	return put(ctx, c.d, "replace the secret of temporary tokens", firstOf(subject, secret),
		func() (bool, error) { return c.d.ReplaceTemporarySecret(ctx, subject, old, secret) })
}

// Scrub does nothing: the files of a server are the server's. A driver that has
// files of its own hides it.
func (c Contract) Scrub(ctx context.Context) error {
	return Do(ctx, c.d, "scrub the store", func() error { return nil })
}

// IsKey reports whether a record can have the text as its id or name. What
// cannot be there is not looked up: databases refuse NUL and invalid UTF-8, and
// it is no use to send them a megabyte out of a forged token.
func IsKey(text string) bool { return IsHolder(caveat.User(text)) }

// IsHolder reports whether a record can be about the subject.
func IsHolder(s caveat.Subject) bool { return store.ValidateHolder(s) == nil }

// IsSubject reports whether the text is that of a subject that a record can be
// about.
func IsSubject(text string) bool {
	subject, err := caveat.ParseSubject(text)
	return err == nil && IsHolder(subject)
}

// BadPosition is the error of an export after a position that there is none of.
func BadPosition() error {
	return errors.BadDataHint("after", "a position is one that an earlier export returned")
}
