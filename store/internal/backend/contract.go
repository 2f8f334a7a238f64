// Package backend contains what all backends of a store share.
//
// A driver adds only what is specific to its database: queries or scripts,
// transactions, and the feed.
//
//   - [Contract] implements the methods of [store.Store] over a [Driver]. It
//     checks arguments and separates the two classes of errors.
//   - [SQL] implements most of a Driver over a [DB], for databases that speak
//     SQL.
//   - [Feed] implements Watch over a function that connects once and reads
//     changes.
//   - [Batch] and [Backoff] are helpers for all drivers.
package backend

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Driver is a backend under a [Contract]. Its methods are those of
// [store.Store], with these differences:
//
//   - They are called only if the store is ready and the context is not done.
//     Records, keys, subjects and queries are valid, and limits are from 1 to
//     [store.MaxPage].
//   - Results that are returned with an error are ignored.
//   - Operational errors need no verb phrase. They need not wrap the error of
//     the context or [store.ErrClosed] if that is the cause.
type Driver interface {
	Readier
	store.Keys
	store.Tokens
	store.Lists
	store.Identities
	store.Uses
	Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error)
	Import(ctx context.Context, records []store.Record) error
	ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error)
}

// Readier reports whether a store can be used.
type Readier interface {
	// Ready returns nil if calls can be made, and otherwise an error:
	// [store.ErrClosed] or [store.ErrSchema].
	Ready() error
}

// Life is the time from opening a store until it is closed.
type Life struct {
	Closed context.Context    // done when the store is closed
	End    context.CancelFunc // closes it
}

// NewLife returns the life of an open store.
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

// Check returns an error if a call of the store cannot be made. doing is the
// verb phrase of the call.
func Check(ctx context.Context, r Readier, doing string) error {
	err := ctx.Err()
	if err == nil {
		err = r.Ready()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// Do runs do if the store is ready and ctx is not done. Operational errors
// begin with the verb phrase doing; errors of the catalogue are returned
// unchanged.
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
	// Databases return errors of their own when a context or store ends.
	if cause := Check(ctx, r, doing); cause != nil {
		return cause
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Contract implements the methods of [store.Store] over a driver, except Watch
// and Close.
type Contract struct {
	d       Driver
	timeout time.Duration
}

// NewContract returns the contract over the driver. Calls end after the timeout,
// with an operational error, unless they move many records; 0: none do.
func NewContract(d Driver, timeout time.Duration) Contract { return Contract{d, timeout} }

// call is Do with the timeout of the contract.
func (c Contract) call(ctx context.Context, doing string, do func(context.Context) error) error {
	if c.timeout <= 0 {
		return Do(ctx, c.d, doing, func() error { return do(ctx) })
	}
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := Do(limited, c.d, doing, func() error { return do(limited) })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		// Not wrapped, because the request itself did not time out.
		err = fmt.Errorf("the store did not answer within %v: %v", c.timeout, err)
	}
	return err
}

// find runs do like call, and returns notFound if no such record is possible.
func (c Contract) find(ctx context.Context, doing string, possible bool, do func(context.Context) error) error {
	return c.call(ctx, doing, func(ctx context.Context) error {
		if !possible {
			return errors.NotFound()
		}
		return do(ctx)
	})
}

// get is like find for calls with a result, which is zero with an error.
func get[T any](ctx context.Context, c Contract, doing string, possible bool, do func(context.Context) (T, error)) (T, error) {
	var got T
	err := c.find(ctx, doing, possible, func(ctx context.Context) (err error) {
		got, err = do(ctx)
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return got, nil
}

// NamedKey implements [store.Keys].
func (c Contract) NamedKey(ctx context.Context, id string) (store.Key, error) {
	return get(ctx, c, "look up the key of a named token", isKey(id), func(ctx context.Context) (store.Key, error) { return c.d.NamedKey(ctx, id) })
}

// TemporaryKey implements [store.Keys].
func (c Contract) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	return get(ctx, c, "look up the key of temporary tokens", isHolder(subject),
		func(ctx context.Context) (store.Key, error) { return c.d.TemporaryKey(ctx, subject) })
}

// EnsureTemporaryKey implements [store.Keys].
func (c Contract) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	return put(ctx, c, "ensure a key of temporary tokens", firstTemporary(subject, secret),
		func(ctx context.Context) (store.Key, error) { return c.d.EnsureTemporaryKey(ctx, subject, secret) })
}

// put is like get for calls that write a record. It validates the record.
func put[T any](ctx context.Context, c Contract, doing string, record interface{ Validate() error }, do func(context.Context) (T, error)) (T, error) {
	return get(ctx, c, doing, true, func(ctx context.Context) (T, error) {
		if err := record.Validate(); err != nil {
			return *new(T), err
		}
		return do(ctx)
	})
}

func firstTemporary(subject caveat.Subject, secret store.Secret) store.Temporary {
	return store.Temporary{Subject: subject, Secret: secret, Generation: 1}
}

// RotateTemporaryKey implements [store.Keys].
func (c Contract) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	return put(ctx, c, "rotate a key of temporary tokens", firstTemporary(subject, secret),
		func(ctx context.Context) (int64, error) { return c.d.RotateTemporaryKey(ctx, subject, secret) })
}

// DeleteTemporaryKey implements [store.Keys].
func (c Contract) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	return c.call(ctx, "delete a key of temporary tokens", func(ctx context.Context) error {
		if !isHolder(subject) {
			return nil
		}
		return c.d.DeleteTemporaryKey(ctx, subject)
	})
}

// CreateToken implements [store.Tokens].
func (c Contract) CreateToken(ctx context.Context, t store.Token, require store.Status) (store.Status, error) {
	return get(ctx, c, "create a named token", true, func(ctx context.Context) (store.Status, error) {
		if err := t.ValidateNew(require); err != nil {
			return 0, err
		}
		return c.d.CreateToken(ctx, t, require)
	})
}

// GetToken implements [store.Tokens].
func (c Contract) GetToken(ctx context.Context, id string) (store.Token, error) {
	return get(ctx, c, "get a named token", isKey(id), func(ctx context.Context) (store.Token, error) { return c.d.GetToken(ctx, id) })
}

// UpdateToken implements [store.Tokens].
func (c Contract) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return update(ctx, c, "update a named token", isKey(id), change,
		func(ctx context.Context, change func(*store.Token) error) error {
			return c.d.UpdateToken(ctx, id, change)
		})
}

// errRefused stops an update, so that it is not retried whatever error the
// caller's function returned.
var errRefused = errors.New("the change was refused")

// update runs a call that changes a record. An error of change is returned
// unchanged.
func update[R any](ctx context.Context, c Contract, doing string, possible bool, change func(*R) error,
	do func(ctx context.Context, change func(*R) error) error,
) error {
	var refusal error
	changeOrStop := func(record *R) error {
		if refusal = change(record); refusal != nil {
			return errRefused
		}
		return nil
	}
	if change == nil {
		changeOrStop = nil // the driver rejects it
	}
	err := c.find(ctx, doing, possible, func(ctx context.Context) error { return do(ctx, changeOrStop) })
	if refusal != nil {
		return refusal
	}
	return err
}

// DeleteToken implements [store.Tokens].
func (c Contract) DeleteToken(ctx context.Context, id string) error {
	return c.find(ctx, "delete a named token", isKey(id), func(ctx context.Context) error { return c.d.DeleteToken(ctx, id) })
}

// ListTokens implements [store.Lists].
func (c Contract) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	err = c.list(ctx, q, func(ctx context.Context, q store.Query) (err error) {
		page, next, err = c.d.ListTokens(ctx, q)
		return err
	})
	return page, next, err
}

// ListTokenIDs implements [store.Lists].
func (c Contract) ListTokenIDs(ctx context.Context, q store.Query) (page []string, next store.Cursor, err error) {
	err = c.list(ctx, q, func(ctx context.Context, q store.Query) (err error) {
		page, next, err = c.d.ListTokenIDs(ctx, q)
		return err
	})
	return page, next, err
}

// list runs do unless the query cannot match any token.
func (c Contract) list(ctx context.Context, q store.Query, do func(context.Context, store.Query) error) error {
	return c.call(ctx, "list named tokens", func(ctx context.Context) error {
		if err := q.Validate(); err != nil {
			return err
		}
		switch {
		case q.After.ID != "" && !isKey(q.After.ID):
			return errors.BadDataHint("after", "the id of a cursor must be a valid token id")
		case !q.Subject.IsZero() && !isHolder(q.Subject), q.Name != "" && !isKey(q.Name), q.Parent != "" && !isKey(q.Parent):
			return nil
		}
		q.Limit = q.PageSize()
		return do(ctx, q)
	})
}

// CountTokens implements [store.Lists].
func (c Contract) CountTokens(ctx context.Context, subject caveat.Subject) (int64, error) {
	return get(ctx, c, "count named tokens", true, func(ctx context.Context) (int64, error) {
		if !isHolder(subject) {
			return 0, nil
		}
		return c.d.CountTokens(ctx, subject)
	})
}

// CreateIdentity implements [store.Identities].
func (c Contract) CreateIdentity(ctx context.Context, i store.Identity) error {
	return c.call(ctx, "create an identity", func(ctx context.Context) error {
		if err := i.Validate(); err != nil {
			return err
		}
		return c.d.CreateIdentity(ctx, i)
	})
}

// GetIdentity implements [store.Identities].
func (c Contract) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	return get(ctx, c, "get an identity", isHolder(subject),
		func(ctx context.Context) (store.Identity, error) { return c.d.GetIdentity(ctx, subject) })
}

// GetIdentityByUsername implements [store.Identities].
func (c Contract) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	return get(ctx, c, "get an identity by user name", isKey(username),
		func(ctx context.Context) (store.Identity, error) { return c.d.GetIdentityByUsername(ctx, username) })
}

// UpdateIdentity implements [store.Identities].
func (c Contract) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	return update(ctx, c, "update an identity", isHolder(subject), change,
		func(ctx context.Context, change func(*store.Identity) error) error {
			return c.d.UpdateIdentity(ctx, subject, change)
		})
}

// DeleteIdentity implements [store.Identities].
func (c Contract) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	return c.find(ctx, "delete an identity", isHolder(subject), func(ctx context.Context) error { return c.d.DeleteIdentity(ctx, subject) })
}

// Export implements [store.Archive].
func (c Contract) Export(ctx context.Context, kind store.RecordKind, after string, limit int) (records []store.Record, next string, err error) {
	err = Do(ctx, c.d, "export records", func() (err error) {
		if kind < store.IdentityRecords || kind > store.UseRecords {
			return errors.BadDataHint("kind", "the kind must be IdentityRecords, TemporaryRecords, TokenRecords or UseRecords")
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
	return put(ctx, c, "replace the secret of temporary tokens", firstTemporary(subject, secret),
		func(ctx context.Context) (bool, error) { return c.d.ReplaceTemporarySecret(ctx, subject, old, secret) })
}

// Scrub does nothing, because the files of a server belong to the server.
// Drivers with files of their own replace it.
func (c Contract) Scrub(ctx context.Context) error {
	return Do(ctx, c.d, "scrub the store", func() error { return nil })
}

// isKey reports whether the text can be the id or name of a record. Other texts
// are not looked up: databases reject NUL and invalid UTF-8, and a forged token
// may contain a text of a megabyte.
func isKey(text string) bool { return isHolder(caveat.User(text)) }

// isHolder reports whether the subject can have records.
func isHolder(s caveat.Subject) bool { return store.ValidateHolder(s) == nil }

// isSubject reports whether the text is that of a subject that can have
// records.
func isSubject(text string) bool {
	subject, err := caveat.ParseSubject(text)
	return err == nil && isHolder(subject)
}

// BadPosition returns the error for an export position that no export returned.
func BadPosition() error {
	return errors.BadDataHint("after", "the position must be one that an earlier export returned")
}
