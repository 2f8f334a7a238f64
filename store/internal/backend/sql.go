package backend

import (
	"context"
	"math"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Row is a row of a result, or a query for one row that runs when it is
// scanned.
type Row interface{ Scan(dest ...any) error }

// RowFunc implements Row by its own call.
type RowFunc func(dest ...any) error

// Scan implements [Row].
func (f RowFunc) Scan(dest ...any) error { return f(dest...) }

// Rows are the rows of a result.
type Rows interface {
	Row
	Next() bool
	Err() error
}

// Reader runs queries.
type Reader interface {
	// Read runs a query and passes its rows to read, maybe more than once.
	Read(ctx context.Context, read func(Rows) error, q Query, args ...any) error
}

// DB runs statements. Each is atomic.
type DB interface {
	Reader
	// Row returns a query for one row. Its Scan returns notFound if there is no
	// row. After another error the destinations may still be written.
	Row(ctx context.Context, q Query, args ...any) Row
	// Exec runs a statement that writes, and returns the number of affected
	// rows.
	Exec(ctx context.Context, q Query, args ...any) (affected int64, err error)
	// Transaction runs do in a transaction, maybe more than once. Rows read by
	// a Lock statement do not change until the end.
	Transaction(ctx context.Context, do func(Tx) error) error
	// UniqueViolation reports whether err is the violation of a unique value.
	// key reports whether that value is known to be the key of the record.
	UniqueViolation(err error) (taken, key bool)
}

// Tx runs statements in a transaction.
type Tx interface {
	Row(q Query, args ...any) Row
	Exec(q Query, args ...any) error
	// Import runs the statement clearNames with the list of keys, unless it is
	// None. It then runs write with each of the rows.
	Import(clearNames Query, keys []string, write Query, rows [][]any) error
}

// Dialect describes how values are encoded for a database.
type Dialect struct {
	// List encodes a list as an argument. nil is NULL.
	List func(list []string) any
	// ScanList returns a scanner for a value that List encoded.
	ScanList func(list *[]string) any
	// RowID returns an extra argument for creating a token and for looking up
	// its key: the row where its id is stored. nil: no extra argument.
	RowID func(id string) any
}

// SQL implements a [Driver] over a database that speaks SQL, except Ready and
// CreateToken.
type SQL struct {
	DB
	dialect    Dialect
	tokens     *table[store.Token]
	identities *table[store.Identity]
	temporary  *table[store.Temporary]
	uses       *table[store.Use]
}

// NewSQL returns the driver methods that all SQL databases share.
func NewSQL(db DB, d Dialect) *SQL {
	return &SQL{
		DB: db, dialect: d,
		tokens: &table[store.Token]{
			get: GetToken, lock: LockToken, update: UpdateToken, export: ExportTokens, clearNames: ClearTokenNames, write: ImportToken,
			unique: "name", scan: d.scanToken, args: d.TokenArgs, changes: d.tokenChanges,
			record: func(t *store.Token) (store.Record, string) { return store.Record{Token: t}, t.ID },
		},
		identities: &table[store.Identity]{
			get: GetIdentity, lock: LockIdentity, update: UpdateIdentity, export: ExportIdentities, clearNames: ClearUsernames, write: ImportIdentity,
			unique: "username", scan: d.scanIdentity, args: d.identityArgs, changes: d.identityChanges,
			record: func(i *store.Identity) (store.Record, string) { return store.Record{Identity: i}, i.Subject.String() },
		},
		temporary: &table[store.Temporary]{
			export: ExportTemporary, clearNames: None, write: ImportTemporary, scan: scanTemporary, args: temporaryArgs,
			record: func(t *store.Temporary) (store.Record, string) { return store.Record{Temporary: t}, t.Subject.String() },
		},
		uses: &table[store.Use]{
			export: ExportUses, clearNames: None, write: ImportUse, scan: scanUse, args: useArgs,
			record: func(u *store.Use) (store.Record, string) { return store.Record{Use: u}, u.TokenID },
		},
	}
}

// NamedKey implements [Driver] with one query.
func (s *SQL) NamedKey(ctx context.Context, id string) (store.Key, error) {
	if s.dialect.RowID != nil {
		return s.dialect.scanNamedKey(s.Row(ctx, NamedKey, id, s.dialect.RowID(id)))
	}
	return s.dialect.scanNamedKey(s.Row(ctx, NamedKey, id))
}

// TemporaryKey implements [Driver] with one query.
func (s *SQL) TemporaryKey(ctx context.Context, subject caveat.Subject) (store.Key, error) {
	return scanTemporaryKey(s.Row(ctx, TemporaryKey, subject.String()), subject)
}

// EnsureTemporaryKey implements [Driver] with one query if the key exists.
func (s *SQL) EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (store.Key, error) {
	for {
		key, err := s.TemporaryKey(ctx, subject)
		if !errors.Is(err, errors.IDNotFound) {
			return key, err
		}
		// Look up the key again, whichever call created it. It may be deleted
		// in between.
		if _, err := s.Exec(ctx, EnsureTemporaryKey, subject.String(), secretBytes(secret)); err != nil {
			return store.Key{}, err
		}
	}
}

// RotateTemporaryKey implements [Driver].
func (s *SQL) RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret store.Secret) (int64, error) {
	var generation int64
	if err := s.Row(ctx, RotateTemporaryKey, subject.String(), secretBytes(secret)).Scan(&generation); err != nil {
		return 0, err // the driver may still write the generation
	}
	return generation, nil
}

// ReplaceTemporarySecret implements [Driver].
func (s *SQL) ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret store.Secret) (bool, error) {
	replaced, err := s.Exec(ctx, ReplaceTemporarySecret, subject.String(), secretBytes(old), secretBytes(secret))
	return replaced > 0, err
}

// DeleteTemporaryKey implements [Driver].
func (s *SQL) DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error {
	_, err := s.Exec(ctx, DeleteTemporaryKey, subject.String())
	return err
}

// TokenArgs returns the arguments of the statement that inserts a token.
func (s *SQL) TokenArgs(t *store.Token) []any { return s.dialect.TokenArgs(t) }

// CreateTokenError converts a unique violation by a new token to the error of
// the catalogue.
func (s *SQL) CreateTokenError(ctx context.Context, err error, id string) error {
	return s.tokens.createError(ctx, s.DB, err, id)
}

// GetToken implements [Driver].
func (s *SQL) GetToken(ctx context.Context, id string) (store.Token, error) {
	return s.tokens.scan(s.Row(ctx, GetToken, id))
}

// UpdateToken implements [Driver]. change is called while the row is locked.
func (s *SQL) UpdateToken(ctx context.Context, id string, change func(*store.Token) error) error {
	return s.tokens.change(ctx, s.DB, id, func(old store.Token) (store.Token, error) { return store.UpdateToken(old, change) })
}

// DeleteToken implements [Driver]. It deletes the use after the token, so that
// none remains that is recorded concurrently.
func (s *SQL) DeleteToken(ctx context.Context, id string) error {
	return s.Transaction(ctx, func(tx Tx) error {
		if err := tx.Row(DeleteToken, id).Scan(new(string)); err != nil {
			return err
		}
		return tx.Exec(DeleteUse, id)
	})
}

// ListTokens implements [Driver]. It reads only the rows of the page and one
// more, using an index.
func (s *SQL) ListTokens(ctx context.Context, q store.Query) (page []store.Token, next store.Cursor, err error) {
	query, args := listing(q, [...]Query{ListTokens, ListTokensOf, ListTokensNamed, ListTokensMinted})
	page, more, err := Page(ctx, s.DB, s.tokens.scan, q.Limit, query, args...)
	if more {
		last := page[len(page)-1]
		next = store.Cursor{Created: last.Created, ID: last.ID}
	}
	return page, next, err
}

// ListTokenIDs implements [Driver]. It reads only the index, except for a name.
func (s *SQL) ListTokenIDs(ctx context.Context, q store.Query) (ids []string, next store.Cursor, err error) {
	query, args := listing(q, [...]Query{ListIDs, ListIDsOf, ListIDsNamed, ListIDsMinted})
	page, more, err := Page(ctx, s.DB, scanCursor, q.Limit, query, args...)
	for _, c := range page {
		ids = append(ids, c.ID)
	}
	if more {
		next = page[len(page)-1]
	}
	return ids, next, err
}

// listing returns the statement that selects the page and one more row, and its
// arguments. The statements select tokens of all subjects, of one subject, with
// a name, and with a parent.
func listing(q store.Query, statements [4]Query) (Query, []any) {
	after := q.After
	if after.IsZero() {
		after.Created = math.MinInt64 // before all tokens, because no id is empty
	}
	args := []any{after.Created, after.ID, q.Limit + 1}
	switch {
	case q.Parent != "":
		return statements[3], append(args, q.Parent)
	case q.Subject.IsZero():
		return statements[0], args
	case q.Name == "":
		return statements[1], append(args, q.Subject.String())
	}
	return statements[2], append(args, q.Subject.String(), q.Name)
}

// CountTokens implements [Driver]. It reads the subject's part of an index.
func (s *SQL) CountTokens(ctx context.Context, subject caveat.Subject) (count int64, err error) {
	err = s.Row(ctx, CountTokens, subject.String()).Scan(&count)
	return count, err
}

// CreateIdentity implements [Driver].
func (s *SQL) CreateIdentity(ctx context.Context, i store.Identity) error {
	_, err := s.Exec(ctx, CreateIdentity, s.dialect.identityArgs(&i)...)
	return s.identities.createError(ctx, s.DB, err, i.Subject.String())
}

// GetIdentity implements [Driver].
func (s *SQL) GetIdentity(ctx context.Context, subject caveat.Subject) (store.Identity, error) {
	return s.dialect.scanIdentity(s.Row(ctx, GetIdentity, subject.String()))
}

// GetIdentityByUsername implements [Driver].
func (s *SQL) GetIdentityByUsername(ctx context.Context, username string) (store.Identity, error) {
	return s.dialect.scanIdentity(s.Row(ctx, GetIdentityByUsername, username))
}

// UpdateIdentity implements [Driver] like UpdateToken.
func (s *SQL) UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*store.Identity) error) error {
	return s.identities.change(ctx, s.DB, subject.String(),
		func(old store.Identity) (store.Identity, error) { return store.UpdateIdentity(old, change) })
}

// DeleteIdentity implements [Driver].
func (s *SQL) DeleteIdentity(ctx context.Context, subject caveat.Subject) error {
	deleted, err := s.Exec(ctx, DeleteIdentity, subject.String())
	if err == nil && deleted == 0 {
		return errors.NotFound()
	}
	return err
}

// Export implements [Driver] in the order of keys, which are the positions.
func (s *SQL) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	return s.Exporter(s.DB).Export(ctx, kind, after, limit)
}

// Exporter returns an exporter of the records that the reader sees, such as
// those of a transaction.
func (s *SQL) Exporter(r Reader) store.Exporter { return exporter{s, r} }

type exporter struct {
	sql  *SQL
	from Reader
}

func (e exporter) Export(ctx context.Context, kind store.RecordKind, after string, limit int) ([]store.Record, string, error) {
	if after != "" && !isKey(after) || after != "" && kind < store.TokenRecords && !isSubject(after) {
		return nil, "", BadPosition()
	}
	limit = store.Query{Limit: limit}.PageSize()
	switch kind {
	case store.IdentityRecords:
		return e.sql.identities.page(ctx, e.from, after, limit)
	case store.TemporaryRecords:
		return e.sql.temporary.page(ctx, e.from, after, limit)
	case store.UseRecords:
		return e.sql.uses.page(ctx, e.from, after, limit)
	}
	return e.sql.tokens.page(ctx, e.from, after, limit)
}

// Import implements [Driver] in one transaction.
func (s *SQL) Import(ctx context.Context, records []store.Record) error {
	b, err := NewBatch(records)
	if err != nil {
		return err
	}
	return s.Transaction(ctx, func(tx Tx) error {
		if err := importAll(s.DB, tx, s.identities, b.Identities); err != nil {
			return err
		}
		if err := importAll(s.DB, tx, s.temporary, b.Temporary); err != nil {
			return err
		}
		if err := importAll(s.DB, tx, s.tokens, b.Tokens); err != nil {
			return err
		}
		return importAll(s.DB, tx, s.uses, b.Uses)
	})
}
