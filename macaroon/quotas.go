package macaroon

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// Quotas bound what one subject can have a store keep. They apply when a named
// token is created and when its custom metadata changes: neither revocation nor
// copies of a store are held to them. Zero fields stand for the defaults. Past one
// the error is limitReached with the limit.
type Quotas struct {
	// NamedTokens is how many named tokens a subject may have. It may be exceeded
	// by as many as are issued at the same time. 0: DefaultNamedTokens.
	NamedTokens int
	// CustomMetadata is how many bytes the custom metadata of a token may have.
	// 0: DefaultCustomMetadata.
	CustomMetadata int
	// Record is how many bytes all texts in the record of a token may have
	// together. Revoked copies are not counted. 0: DefaultRecord.
	Record int
}

// Defaults of [Quotas].
const (
	DefaultNamedTokens    = 10_000
	DefaultCustomMetadata = 64 << 10
	DefaultRecord         = 256 << 10
)

// withDefaults returns the quotas with the defaults in place of zero. The error is
// badValueTooLow for a quota below zero.
func (q Quotas) withDefaults() (Quotas, error) {
	for _, field := range []struct {
		name  string
		value *int
		def   int
	}{
		{"namedTokens", &q.NamedTokens, DefaultNamedTokens},
		{"customMetadata", &q.CustomMetadata, DefaultCustomMetadata},
		{"record", &q.Record, DefaultRecord},
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

// checkCustomMetadata returns limitReached for metadata that is too long.
func (q Quotas) checkCustomMetadata(custom []byte) error {
	if len(custom) > q.CustomMetadata {
		return errors.LimitReached(q.CustomMetadata, "bytes of custom metadata")
	}
	return nil
}

// checkRecord returns limitReached for a record that is too large.
func (q Quotas) checkRecord(t store.Token) error {
	if recordSize(t) > q.Record {
		return errors.LimitReached(q.Record, "bytes in the record of a token")
	}
	return nil
}

// checkQuotas reports whether the subject of the record may have it as well.
func (a *Authority) checkQuotas(ctx context.Context, t store.Token) error {
	if err := a.quotas.checkRecord(t); err != nil {
		return err
	}
	return a.checkNamedTokens(ctx, t.Subject)
}

// checkNamedTokens returns limitReached where the subject has as many named tokens
// as it may have.
func (a *Authority) checkNamedTokens(ctx context.Context, subject caveat.Subject) error {
	n, err := a.store.CountTokens(ctx, subject)
	if err != nil {
		return fmt.Errorf("counting the named tokens of a subject: %w", err)
	}
	if n >= int64(a.quotas.NamedTokens) {
		return errors.LimitReached(a.quotas.NamedTokens, "named tokens of one subject")
	}
	return nil
}

// recordSize returns how many bytes the texts in the record have.
func recordSize(t store.Token) int {
	n := len(t.ID) + len(t.Name) + len(t.Type) + len(t.Subject.ID) + len(t.Custom)
	for _, texts := range [][]string{t.Caveats, t.Privileges} {
		for _, text := range texts {
			n += len(text)
		}
	}
	return n
}
