package columns

import "github.com/onezone-go/onezone/store"

// Batch is what an import writes: valid records by their keys. Of records with
// the same key the last one counts.
type Batch struct {
	Identities map[string]*store.Identity
	Temporary  map[string]*store.Temporary
	Tokens     map[string]*store.Token
}

// NewBatch returns the batch of the records. The error is badData where one of
// them is not valid.
func NewBatch(records []store.Record) (Batch, error) {
	b := Batch{
		make(map[string]*store.Identity), make(map[string]*store.Temporary), make(map[string]*store.Token),
	}
	for _, r := range records {
		if err := r.Validate(); err != nil {
			return Batch{}, err
		}
		switch {
		case r.Identity != nil:
			b.Identities[r.Identity.Subject.String()] = r.Identity
		case r.Temporary != nil:
			b.Temporary[r.Temporary.Subject.String()] = r.Temporary
		default:
			b.Tokens[r.Token.ID] = r.Token
		}
	}
	return b, nil
}

// IdentityRecord returns the record that the identity is, and its key.
func IdentityRecord(i *store.Identity) (store.Record, string) {
	return store.Record{Identity: i}, i.Subject.String()
}

// TemporaryRecord returns the record that the temporary secret is, and its key.
func TemporaryRecord(t *store.Temporary) (store.Record, string) {
	return store.Record{Temporary: t}, t.Subject.String()
}

// TokenRecord returns the record that the named token is, and its key.
func TokenRecord(t *store.Token) (store.Record, string) { return store.Record{Token: t}, t.ID }

// Records returns the page of an export, and the position of the last record
// where there are more. Positions are keys.
func Records[R any](page []R, more bool, record func(*R) (store.Record, string)) (records []store.Record, next string) {
	last := ""
	for i := range page {
		var r store.Record
		r, last = record(&page[i])
		records = append(records, r)
	}
	if more {
		next = last
	}
	return records, next
}
