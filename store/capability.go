package store

import (
	"context"
	"fmt"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
)

// Watcher is the optional capability of telling what changes, whoever changed
// it: the revocation feed that a cache lives on.
type Watcher interface {
	// Watch calls observe for every change from the moment the feed stands,
	// one call at a time, until ctx is done, and returns ctx's error. It
	// reconnects by itself: FeedUp is reported each time the feed starts to
	// stand, FeedDown when it is lost. Changes made while it is down are never
	// reported, so an observer forgets what it knows at either. badData {key
	// "observe"}: it is nil.
	Watch(ctx context.Context, observe func(Change)) error
}

// ChangeKind tells what a [Change] is about. The zero kind is invalid.
type ChangeKind uint8

// The kinds of changes.
const (
	FeedUp           ChangeKind = iota + 1 // the feed stands; changes before it may have been missed
	FeedDown                               // the feed is lost; changes are missed until FeedUp
	TokenChanged                           // the named token TokenID was created, changed or deleted
	TemporaryChanged                       // the temporary secret of Subject was made, replaced or deleted
	IdentityChanged                        // the identity of Subject was created, changed or deleted
)

// Change is one entry of the feed.
type Change struct {
	Kind    ChangeKind
	TokenID string         // of TokenChanged
	Subject caveat.Subject // of TemporaryChanged and IdentityChanged
}

// HolderGuard is the optional capability of looking at the subject of a new
// named token in the step that creates the record, which spares round trips.
// [CreateTokenIfActive] does the same with any store, in several steps where it
// has to.
//
// Both promise: when a call that blocks or deletes the identity has returned, a
// listing that begins then has every token that was or will be reported as
// created for it. Other tokens of the subject may be listed too, and are taken
// back.
//
// Who wraps a store by embedding one that has this capability, and has a
// CreateToken of its own, needs a CreateTokenIfActive too: tokens of active
// subjects go past CreateToken.
type HolderGuard interface {
	// CreateTokenIfActive is CreateToken where the identity of the token's subject
	// is active, and leaves nothing where it is not. It returns what the subject
	// is, zero with an error. That the id or the name is taken is an error of
	// active subjects only; an invalid record is badData whatever the subject is.
	CreateTokenIfActive(ctx context.Context, t Token) (holder Status, err error)
}

// CreateTokenIfActive adds the record to the store where its subject is active
// and returns what the subject is; see [HolderGuard]. A decorator hands the call
// on with it, whatever its backend can do.
func CreateTokenIfActive(ctx context.Context, s Store, t Token) (holder Status, err error) {
	if guard, ok := s.(HolderGuard); ok {
		return guard.CreateTokenIfActive(ctx, t)
	}
	i, err := s.GetIdentity(ctx, t.Subject)
	missing := errors.Is(err, errors.IDNotFound)
	if err != nil && !missing {
		return 0, err
	}
	if err := t.Validate(); err != nil {
		return 0, err
	}
	switch {
	case missing:
		return HolderMissing, nil
	case i.Blocked:
		return HolderBlocked, nil
	}
	if err := s.CreateToken(ctx, t); err != nil {
		return 0, err
	}
	// The subject may have been blocked or deleted before the token was there,
	// and its tokens listed and deleted without this one.
	if i, err = s.GetIdentity(ctx, t.Subject); err == nil && !i.Blocked {
		return HolderActive, nil
	}
	if removal := TakeBackToken(ctx, s, t.ID); removal != nil {
		return 0, removal
	}
	switch {
	case errors.Is(err, errors.IDNotFound):
		return HolderMissing, nil
	case err != nil:
		return 0, err
	}
	return HolderBlocked, nil
}

// takeBackTimeout is how long the removal of a token may take that was created and
// must not be given to anybody.
const takeBackTimeout = 5 * time.Second

// TakeBackToken removes a token that the caller has created and will give to
// nobody, also when ctx is done, within a few seconds. That the token is not there
// is no error.
func TakeBackToken(ctx context.Context, s Tokens, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), takeBackTimeout)
	defer cancel()
	if err := s.DeleteToken(ctx, id); err != nil && !errors.Is(err, errors.IDNotFound) {
		return fmt.Errorf("take back a named token: %w", err)
	}
	return nil
}

// RecordKind is a kind of records. The zero kind is invalid.
type RecordKind uint8

// The kinds of records, in the order in which a copy moves them.
const (
	IdentityRecords RecordKind = iota + 1
	TemporaryRecords
	TokenRecords
)

// String returns "identity", "temporary secret" or "named token", and "unknown
// record" for others.
func (k RecordKind) String() string {
	switch k {
	case IdentityRecords:
		return "identity"
	case TemporaryRecords:
		return "temporary secret"
	case TokenRecords:
		return "named token"
	}
	return "unknown record"
}

// Temporary is the record of a subject's temporary secret.
type Temporary struct {
	Subject    caveat.Subject
	Secret     Secret
	Generation int64 // from 1
}

// Record is one record of any kind: exactly one of the fields is set.
type Record struct {
	Identity  *Identity
	Temporary *Temporary
	Token     *Token
}

// Archive is the optional capability of moving whole records, which copying
// between backends, bulk loading and re-sealing need.
type Archive interface {
	// Export returns up to limit records of the kind that come after the given
	// position in an order of the backend's own, and the position of the last of
	// them, "" at the end. "" as after is the beginning. A position stays valid
	// across restarts of the backend; what another text gives is up to the
	// backend. limit is that of [Query]. A record that an import moves meanwhile,
	// to another subject or time of creation, may be missed or come twice. badData
	// {key "kind"}: there is no such kind.
	Export(ctx context.Context, kind RecordKind, after string, limit int) (records []Record, next string, err error)

	// Import writes the records as they are, each in place of the one with the
	// same key if there is one, all or none. Of records with the same key the last
	// one counts, and names have to be unique when all are in their places, so
	// that records may swap names. badValueIdentifierOccupied: a name belongs to
	// another key. badData: a record is not valid. A backend that spreads records
	// over machines may write some of them and fail, and says so.
	Import(ctx context.Context, records []Record) error
}

// Scrubber is the optional capability of removing from the files of a store what
// was overwritten or deleted in it, which re-sealing asks for at its end.
type Scrubber interface {
	// Scrub removes from the files of the store what is not in its records any
	// more. It may take as long as writing all records anew, and keep others from
	// writing in the meantime. The errors are operational; a call that failed
	// can be repeated.
	Scrub(ctx context.Context) error
}

// TemporaryReplacer is the optional capability of replacing a temporary secret in
// place, which re-sealing needs besides [Archive]: RotateTemporaryKey would take
// back the tokens that were made with the old one, and Import undo what others
// write meanwhile.
type TemporaryReplacer interface {
	// ReplaceTemporarySecret puts secret in place of the temporary secret of the
	// subject if that is still old, byte for byte, and leaves the generation. It
	// reports false and writes nothing where the secret is another or there is
	// none. badData: as in EnsureTemporaryKey.
	ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret Secret) (replaced bool, err error)
}
