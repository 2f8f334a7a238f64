package store

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// Archive moves whole records, and replaces secrets in place: what copying
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

	// ReplaceTemporarySecret puts secret in place of the temporary secret of the
	// subject if that is still old, byte for byte, and leaves the generation. It
	// reports false and writes nothing where the secret is another or there is
	// none. badData: as in EnsureTemporaryKey.
	ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret Secret) (replaced bool, err error)

	// Scrub removes from the files of the store what is not in its records any
	// more, which re-sealing asks for at its end. A store that has no files of its
	// own does nothing: those of a server are the server's. It may take as long as
	// writing all records anew, and keep others from writing in the meantime. The
	// errors are operational; a call that failed can be repeated.
	Scrub(ctx context.Context) error
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
