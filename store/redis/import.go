package redis

import (
	"context"

	"github.com/onezone-go/onezone/store"
)

// Scrub does nothing: the files are the server's.
func (s *Store) Scrub(ctx context.Context) error { return s.ready(ctx, "scrub the store") }

// Import implements [store.Archive]. Names have to be unique when all records
// are in their places, so that records may swap names. On a single server the
// records are written at once, and the server does nothing else meanwhile: for
// batches of a thousand tokens, some ten milliseconds.
//
// In a Cluster all is checked before anything is written, but then the shards
// are written one after the other: who reads meanwhile may see some of the new
// records and not yet the others, and miss a record that changes its subject or
// user name. After an error of the environment some may be written, and a record
// that changes its subject may be gone from the old one only; importing the same
// records again completes them.
func (s *Store) Import(ctx context.Context, records []store.Record) error {
	const imports = "import records"
	if err := s.ready(ctx, imports); err != nil {
		return err
	}
	b, err := newBatch(records)
	if err != nil {
		return err
	}
	return s.untilFresh(ctx, imports, func() error {
		p, err := s.plan(ctx, b)
		if err == nil {
			_, err = s.commit(ctx, p.steps()...)
		}
		return during(imports, err)
	})
}
