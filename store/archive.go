package store

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
)

// Exporter exports whole records.
type Exporter interface {
	// Export returns up to limit records of the kind after a position, in an
	// order of the backend's own. It also returns the position of the last
	// record, or "" at the end. An empty position means the beginning. limit
	// works like the Limit of a [Query].
	//
	// Positions stay valid across restarts of the backend. The result for any
	// other text depends on the backend. An import that gives a record another
	// subject or creation time moves it, so a concurrent export may miss the
	// record or return it twice. badData {key "kind"}: there is no such kind.
	Export(ctx context.Context, kind RecordKind, after string, limit int) (records []Record, next string, err error)
}

// Archive exports and imports whole records and replaces secrets in place.
// Copies between backends, bulk loading and resealing use it.
type Archive interface {
	Exporter

	// Import writes all records or none, and replaces records with the same
	// keys. If several records have the same key, the last one wins. Names must
	// be unique only after the whole import, so records may swap names. A use
	// replaces that of its token, and is dropped if the token is neither in the
	// store nor among the records.
	//
	// badValueIdentifierOccupied: a name belongs to another key. badData: a
	// record is invalid. A backend that spreads records over several machines
	// documents that it may fail after some records were written.
	Import(ctx context.Context, records []Record) error

	// ReplaceTemporarySecret replaces the temporary secret of the subject if it
	// equals old byte for byte, and keeps the generation. It returns false and
	// writes nothing if the secret differs or does not exist. badData: as in
	// EnsureTemporaryKey.
	ReplaceTemporarySecret(ctx context.Context, subject caveat.Subject, old, secret Secret) (replaced bool, err error)

	// Scrub removes overwritten and deleted data from the files of the store.
	// Resealing calls it at the end. A store without files of its own does
	// nothing, because the files of a server belong to the server. It may take
	// as long as rewriting all records, and block writers during that time.
	// Errors are operational; a failed call can be repeated.
	Scrub(ctx context.Context) error
}

// RecordKind is the kind of a record. The zero kind is invalid.
type RecordKind uint8

// The kinds of records, in the order in which a copy writes them.
const (
	IdentityRecords RecordKind = iota + 1
	TemporaryRecords
	TokenRecords
	UseRecords
)

// kindNames are the names of the kinds.
var kindNames = [...]string{
	"unknown record", IdentityRecords: "identity", TemporaryRecords: "temporary secret", TokenRecords: "named token", UseRecords: "last use",
}

// String returns "identity", "temporary secret", "named token" or "last use",
// and "unknown record" for other values.
func (k RecordKind) String() string {
	if int(k) >= len(kindNames) {
		k = 0
	}
	return kindNames[k]
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
	Use       *Use // without its token, an import drops it
}
