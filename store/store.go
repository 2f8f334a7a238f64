package store

import (
	"context"
	"io"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Store keeps all records of a token authority. It is safe for concurrent use.
//
// Close releases only resources that the store itself opened: a handle of the
// caller stays open, and so does the backend of a decorator. Calls on a closed
// backend return [ErrClosed].
type Store interface {
	Keys
	Tokens
	Lists
	Identities
	Uses
	Archive
	Watcher
	io.Closer
}

// Keys answers verifications and keeps the secrets of temporary tokens. Each
// look-up returns everything that decides about a token.
type Keys interface {
	// NamedKey returns the key of the named token with the id. Its Generation
	// is 0. notFound: there is no such token.
	NamedKey(ctx context.Context, id string) (Key, error)

	// TemporaryKey returns the secret of the subject's temporary tokens and its
	// generation. It never writes, so forged tokens cannot fill the store.
	// notFound: the subject has no secret.
	TemporaryKey(ctx context.Context, subject caveat.Subject) (Key, error)

	// EnsureTemporaryKey returns the current key, and first creates one of
	// generation 1 with the secret if there is none. Concurrent calls create
	// one key and all return it.
	//
	// The Holder of the key is the status of the subject while the key exists:
	// if it is HolderActive, deleting the subject's key later removes this key.
	// The subject need not exist. badData: the subject is not a user or
	// Oneprovider, or the secret is empty.
	EnsureTemporaryKey(ctx context.Context, subject caveat.Subject, secret Secret) (Key, error)

	// RotateTemporaryKey replaces the secret and returns the new generation.
	// The generation increases by one, and starts at 1. Concurrent calls get
	// different generations. badData: as in EnsureTemporaryKey.
	RotateTemporaryKey(ctx context.Context, subject caveat.Subject, secret Secret) (generation int64, err error)

	// DeleteTemporaryKey deletes the secret and the generation. The next key of
	// the subject has generation 1 again. Deleting a missing key succeeds.
	DeleteTemporaryKey(ctx context.Context, subject caveat.Subject) error
}

// Tokens keeps the records of named tokens.
type Tokens interface {
	// CreateToken adds the record. If require is zero, the holder is not
	// checked and the returned Status is zero. If require is HolderActive, the
	// record is written only if the identity of the token's subject is active.
	// The returned Status is that of the holder, or zero with an error; nothing
	// is written unless it is HolderActive.
	//
	// After a call that blocks or deletes the identity has returned, a new
	// listing contains every token that was or will be reported as created for
	// an active holder. It may also contain tokens of the subject that are
	// about to be removed.
	//
	// alreadyExists: the id is taken. badValueIdentifierOccupied {key "name"}:
	// another token of the subject has that name. If an active holder is
	// required, these errors are returned for active holders only. badData, for
	// any holder: the record is invalid, or require has another value. Backends
	// can use [Token.ValidateNew].
	CreateToken(ctx context.Context, t Token, require Status) (holder Status, err error)

	// GetToken returns a copy of the record. notFound: there is no such token.
	GetToken(ctx context.Context, id string) (Token, error)

	// UpdateToken applies change to a copy of the record and stores the result
	// atomically. Each of several concurrent updates sees the result of the
	// previous one. change may be called more than once and must not call the
	// store. If it returns an error, that error is returned unchanged and
	// nothing is written.
	//
	// notFound: there is no such token. badValueIdentifierOccupied {key
	// "name"}: the new name is taken. badData: the new record is invalid, or
	// its id, subject, creation time or parent changed. Backends can use the
	// function [UpdateToken].
	UpdateToken(ctx context.Context, id string, change func(*Token) error) error

	// DeleteToken deletes the record and frees its name. notFound: there is no
	// such token.
	DeleteToken(ctx context.Context, id string) error
}

// Lists lists and counts named tokens.
type Lists interface {
	// ListTokens returns one page of records ordered by creation time, then id.
	// It also returns the cursor of the next page, zero after the last. An
	// unknown subject or name gives an empty page.
	//
	// A record that is in the store during the whole listing is returned
	// exactly once, whatever else changes; an import that changes its subject
	// or creation time moves it. A store that seals secrets returns a record
	// without its secret if the secret does not open, so that one record does
	// not hide the others.
	//
	// badData {key "subject"}: Name is set without Subject. badData {key
	// "parent"}: Parent is set together with Subject. After must be a cursor of
	// an earlier page; the result for any other cursor depends on the backend.
	ListTokens(ctx context.Context, q Query) (page []Token, next Cursor, err error)

	// ListTokenIDs returns the ids of the records that ListTokens returns for
	// the query. Cursor and errors are the same. It does not read the records,
	// except the one that a Name selects.
	ListTokenIDs(ctx context.Context, q Query) (page []string, next Cursor, err error)

	// CountTokens returns the number of named tokens of the subject, without
	// reading records. It is 0 for an unknown subject. Concurrent writes may be
	// counted or not.
	CountTokens(ctx context.Context, subject caveat.Subject) (int64, error)
}

// Identities keeps users and Oneproviders.
type Identities interface {
	// CreateIdentity adds the record. alreadyExists: the subject is known.
	// badValueIdentifierOccupied {key "username"}: another user has that name.
	// badData: the record is not valid ([Identity.Validate]).
	CreateIdentity(ctx context.Context, i Identity) error

	// GetIdentity returns the record. notFound: there is no such identity.
	GetIdentity(ctx context.Context, subject caveat.Subject) (Identity, error)

	// GetIdentityByUsername returns the user with exactly that name. notFound:
	// there is no such user, or the name is empty.
	GetIdentityByUsername(ctx context.Context, username string) (Identity, error)

	// UpdateIdentity changes the record like UpdateToken does. The subject and
	// creation time cannot be changed. badValueIdentifierOccupied {key
	// "username"}: the new name is taken.
	UpdateIdentity(ctx context.Context, subject caveat.Subject, change func(*Identity) error) error

	// DeleteIdentity deletes the record. The tokens and temporary secret of the
	// subject stay, with [HolderMissing]. notFound: there is no such identity.
	DeleteIdentity(ctx context.Context, subject caveat.Subject) error
}

// Query selects named tokens. The zero Query is the first page of all tokens.
type Query struct {
	Subject caveat.Subject // tokens of this subject only; zero: of all
	Name    string         // only the token with exactly this name; needs a Subject
	Parent  string         // tokens minted with this token only, of any subject; excludes Subject
	After   Cursor         // end of the previous page
	Limit   int            // maximum number of records; below 1: DefaultPage, over MaxPage: MaxPage
}

// Page sizes of [Lists.ListTokens] and [Lists.ListTokenIDs], in records.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// Validate reports whether the query is valid. badData {key "subject"}: Name is
// set without Subject. badData {key "parent"}: Parent is set with Subject.
func (q Query) Validate() error {
	if q.Name != "" && q.Subject.IsZero() {
		return errors.BadDataHint("subject", "a query by name needs the subject of the token")
	}
	if q.Parent != "" && !q.Subject.IsZero() {
		return errors.BadDataHint("parent", "a query by parent finds tokens of any subject, so it must not have a subject")
	}
	return nil
}

// PageSize returns the maximum number of records in a page of the query.
func (q Query) PageSize() int {
	if q.Limit <= 0 {
		return DefaultPage
	}
	return min(q.Limit, MaxPage)
}

// Cursor is a position in a listing: after the token with this creation time,
// in Unix seconds, and id. The zero Cursor is the beginning.
type Cursor struct {
	Created int64
	ID      string
}

// IsZero reports whether the cursor is the beginning of a listing or, as the
// next cursor, its end.
func (c Cursor) IsZero() bool { return c == Cursor{} }
