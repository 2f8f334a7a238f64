package store

import (
	"context"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
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

// Key returns what identifies the record among those of its kind: the id of a
// token, also for its use, and the text of the subject otherwise.
func (r Record) Key() string {
	switch {
	case r.Identity != nil:
		return r.Identity.Subject.String()
	case r.Temporary != nil:
		return r.Temporary.Subject.String()
	case r.Token != nil:
		return r.Token.ID
	case r.Use != nil:
		return r.Use.TokenID
	}
	return ""
}

// Secret returns the secret of the record, zero if it has none.
func (r Record) Secret() Secret {
	switch {
	case r.Identity != nil:
		return r.Identity.Password
	case r.Temporary != nil:
		return r.Temporary.Secret
	case r.Token != nil:
		return r.Token.Secret
	}
	return Secret{}
}

// Current returns the record that the store has with the key of r. notFound: it
// has none.
func Current(ctx context.Context, s Store, r Record) (now Record, err error) {
	switch {
	case r.Identity != nil:
		now.Identity = new(Identity)
		*now.Identity, err = s.GetIdentity(ctx, r.Identity.Subject)
	case r.Temporary != nil:
		key, keyErr := s.TemporaryKey(ctx, r.Temporary.Subject)
		now.Temporary, err = &Temporary{r.Temporary.Subject, key.Secret, key.Generation}, keyErr
	case r.Token != nil:
		now.Token = new(Token)
		*now.Token, err = s.GetToken(ctx, r.Token.ID)
	case r.Use != nil:
		uses, err := s.LastUses(ctx, []string{r.Use.TokenID})
		switch {
		case err != nil:
			return Record{}, err
		case uses[0].IsZero():
			return Record{}, errors.NotFound()
		}
		now.Use = &uses[0]
	default:
		err = errors.New("it is a record without content")
	}
	return now, err
}
