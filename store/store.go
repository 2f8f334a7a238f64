package store

import (
	"context"
	"io"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Store keeps everything that a token authority needs. It is safe for
// concurrent use. Close releases what the store itself opened; a handle that
// the caller passed in stays open, and so does the backend of a decorator.
// Calls on a backend that is closed fail with [ErrClosed].
type Store interface {
	Keys
	Tokens
	Lists
	Identities
	Archive
	Watcher
	io.Closer
}

// Keys answers verifications: each method gives in one look-up all that decides
// about a token, and keeps the secrets of temporary tokens.
type Keys interface {
	// NamedKey returns the key of the named token with the given id. Its
	// Generation is 0. notFound: there is no such token.
	NamedKey(ctx context.Context, id string) (Key, error)

	// TemporaryKey returns the current secret of the subject's temporary tokens
	// and its generation. notFound: none was ever made. It never writes, so that
	// a forged token cannot fill the store.
	TemporaryKey(ctx context.Context, subject caveat.Subject) (Key, error)

	// EnsureTemporaryKey returns the current key, and where there is none first
	// makes one of generation 1 with the given secret. Of several concurrent
	// calls one makes it and all return the same key. The key's Holder is what
	// the subject is while the key is there: a caller that is told of an active
	// subject has a key that a later deletion of the subject's key removes. The
	// subject need not exist. badData: the subject is not a user or Oneprovider, or the secret is
	// empty.
	EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret Secret) (Key, error)

	// RotateTemporaryKey replaces the secret and returns the new generation:
	// one more than the last, or 1 where there was none. Concurrent calls each
	// get a generation of their own. badData: as in EnsureTemporaryKey.
	RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret Secret) (generation int64, err error)

	// DeleteTemporaryKey forgets the secret and the generation; the next key of
	// the subject has generation 1 again. Deleting what is not there is no error.
	DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error
}

// Tokens keeps the records of named tokens.
type Tokens interface {
	// CreateToken adds the record. The zero require ignores the holder, and the
	// Status is zero. With HolderActive it writes only where the identity of the
	// token's subject is active, and returns what the holder is, zero with an
	// error: nothing is written unless that is HolderActive.
	//
	// When a call that blocks or deletes the identity has returned, a listing that
	// begins then has every token that was or will be reported as created for an
	// active holder. Other tokens of the subject may be listed too, and are taken
	// back.
	//
	// alreadyExists: the id is taken. badValueIdentifierOccupied {key "name"}:
	// another token of the subject has that name. Where an active holder is
	// required, these are errors of active holders only. badData, whatever the
	// holder is: the record is not valid, or require is another Status.
	// [Token.ValidateNew] checks this for a backend.
	CreateToken(ctx context.Context, t Token, require Status) (holder Status, err error)

	// GetToken returns the record, a copy. notFound: there is no such token.
	GetToken(ctx context.Context, id string) (Token, error)

	// UpdateToken changes the record by what change does to a copy of it,
	// atomically: of concurrent updates each sees the outcome of the one before.
	// change may be called more than once and must not call the store. Its error
	// is returned as it is and nothing is written. notFound: there is no such
	// token. badValueIdentifierOccupied {key "name"}: the new name is taken.
	// badData: the new record is not valid, or id, subject or creation time
	// differ. [UpdateToken] does these checks for a backend.
	UpdateToken(ctx context.Context, id string, change func(*Token) error) error

	// DeleteToken removes the record and frees its name. notFound: there is no
	// such token.
	DeleteToken(ctx context.Context, id string) error
}

// Lists lists and counts named tokens.
type Lists interface {
	// ListTokens returns one page of records in the order of creation, then of
	// the id, and the cursor of the next page, zero after the last. An unknown
	// subject or name gives an empty page. A record that is in the store during
	// the whole of a listing is in it exactly once, whatever else changes; an
	// import that gives it another subject or time of creation moves it.
	// A store that seals secrets returns a record without its secret where that
	// does not open, so that one record does not hide the others.
	// badData {key "subject"}: there is a Name without a Subject. After has to
	// be a cursor of an earlier page: what another gives is up to the backend.
	ListTokens(ctx context.Context, q Query) (page []Token, next Cursor, err error)

	// ListTokenIDs returns the ids of the records that ListTokens returns for
	// the query, and the same cursor and errors. It does not read the records,
	// however large they are, except the one that a Name selects.
	ListTokenIDs(ctx context.Context, q Query) (page []string, next Cursor, err error)

	// CountTokens returns how many named tokens the subject has, 0 for an unknown
	// subject, without reading records. Concurrent writes may be counted or not.
	CountTokens(ctx context.Context, subject caveat.Subject) (int64, error)
}

// Identities keeps users and Oneproviders.
type Identities interface {
	// CreateIdentity adds the record. alreadyExists: the subject is known.
	// badValueIdentifierOccupied {key "username"}: another user has that name.
	// badData: the record is not valid ([Identity.Validate]).
	CreateIdentity(ctx context.Context, i Identity) error

	// GetIdentity returns the record. notFound: there is none.
	GetIdentity(ctx context.Context, subject caveat.Subject) (Identity, error)

	// GetIdentityByUsername returns the user with exactly that name. notFound:
	// there is none, or the name is empty.
	GetIdentityByUsername(ctx context.Context, username string) (Identity, error)

	// UpdateIdentity changes the record like UpdateToken does. The subject and
	// creation time cannot be changed. badValueIdentifierOccupied {key
	// "username"}: the new name is taken.
	UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*Identity) error) error

	// DeleteIdentity removes the record; the subject's tokens and temporary
	// secret stay, with [HolderMissing]. notFound: there is none.
	DeleteIdentity(ctx context.Context, subject caveat.Subject) error
}

// Query selects named tokens. The zero Query is the first page of all tokens.
type Query struct {
	Subject caveat.Subject // tokens of this subject only; zero: of all
	Name    string         // only the token with exactly this name; needs a Subject
	After   Cursor         // where the page before ended
	Limit   int            // records in the page at most; below 1: DefaultPage, over MaxPage: MaxPage
}

// Sizes of a page of [Lists.ListTokens] and [Lists.ListTokenIDs], in records.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// Validate reports whether the query can be answered. badData {key "subject"}:
// there is a Name without a Subject.
func (q Query) Validate() error {
	if q.Name != "" && q.Subject.IsZero() {
		return errors.BadDataHint("subject", "names of tokens are looked up within a subject")
	}
	return nil
}

// PageSize is the number of records that the page of the query may hold.
func (q Query) PageSize() int {
	if q.Limit <= 0 {
		return DefaultPage
	}
	return min(q.Limit, MaxPage)
}

// Cursor is a place in the order of a listing: after the token with this
// creation time, in Unix seconds, and id. The zero Cursor is the beginning.
type Cursor struct {
	Created int64
	ID      string
}

// IsZero reports whether the cursor is the beginning of a listing, or as the
// next cursor, its end.
func (c Cursor) IsZero() bool { return c == Cursor{} }
