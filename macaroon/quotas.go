package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Quotas limit how much one subject can store. They apply when a named token is
// created, when its custom metadata changes, and when caveats are added, but not to revocation or to
// copies of a store. Zero fields mean the defaults. Beyond a quota the error is
// limitReached with the limit.
type Quotas struct {
	// NamedTokens limits the named tokens of a subject. Calls that issue tokens
	// concurrently may exceed it by their number. Default: 10,000.
	NamedTokens int
	// CustomMetadata limits the custom metadata of a token, in bytes. Default:
	// 64 KiB.
	CustomMetadata int
	// Record limits the total size of the texts in the record of a token, in
	// bytes. Revoked copies do not count. Default: 256 KiB.
	Record int
}

// Defaults of [Quotas].
const (
	defaultNamedTokens    = 10_000
	defaultCustomMetadata = 64 << 10
	defaultRecord         = 256 << 10
)

// withDefaults returns the quotas with zero fields replaced by the defaults.
// The error is badValueTooLow for a negative field.
func (q Quotas) withDefaults() (Quotas, error) {
	for _, field := range []struct {
		name  string
		value *int
		def   int
	}{
		{"namedTokens", &q.NamedTokens, defaultNamedTokens},
		{"customMetadata", &q.CustomMetadata, defaultCustomMetadata},
		{"record", &q.Record, defaultRecord},
	} {
		switch {
		case *field.value < 0:
			return Quotas{}, errors.BadValueTooLow(field.name, 1)
		case *field.value == 0:
			*field.value = field.def
		}
	}
	return q, nil
}

// checkRecord returns limitReached if the record is too large.
func (q Quotas) checkRecord(t store.Token) error {
	if recordSize(t) > q.Record {
		return errors.LimitReached(q.Record, "bytes in the record of a token")
	}
	return nil
}

// checkQuotas returns limitReached if the new record exceeds a quota.
func (a *Authority) checkQuotas(ctx context.Context, t store.Token) error {
	if err := a.quotas.checkRecord(t); err != nil {
		return err
	}
	n, err := a.store.CountTokens(ctx, t.Subject)
	if err != nil {
		return fmt.Errorf("counting the named tokens of a subject: %w", err)
	}
	if n >= int64(a.quotas.NamedTokens) {
		return errors.LimitReached(a.quotas.NamedTokens, "named tokens of one subject")
	}
	return nil
}

// recordSize returns the total size of the texts in the record, in bytes.
func recordSize(t store.Token) int {
	n := len(t.ID) + len(t.Name) + len(t.Type) + len(t.Subject.ID) + len(t.Custom)
	for _, texts := range [][]string{t.Caveats, t.Privileges} {
		for _, text := range texts {
			n += len(text)
		}
	}
	for _, c := range t.Tightened {
		n += len(c.Text)
	}
	return n
}
