package sqlite

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Scrub implements [store.Archive]: it writes the file anew without what was
// overwritten or deleted in it (VACUUM), and empties the write-ahead log. No
// call writes in the meantime, and it needs room for another copy of the file.
//
// It waits up to the busy timeout for readers of an older state of the file,
// which need the log. What the file system keeps of the blocks that it frees,
// and copies of the file, are beyond it.
func (s *Store) Scrub(ctx context.Context) error {
	return backend.Do(ctx, s.life, "remove from the file what was overwritten", func() error {
		return s.inTurn(ctx, func() error {
			if _, err := s.writer.ExecContext(ctx, `VACUUM`); err != nil {
				return err
			}
			return s.emptyLog(ctx)
		})
	})
}

var errLogInUse = errors.New("others are still reading what is in the write-ahead log; call again when they are done")

// emptyLog moves all pages from the write-ahead log to the file, and cuts the log
// to nothing.
func (s *Store) emptyLog(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, max(s.patience, 0))
	defer cancel()
	for b := newBackoff(); ; {
		var busy bool
		var pages, moved int64 // -1 where there is no such log
		err := s.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
		switch {
		case err != nil && !isBusy(err):
			return fmt.Errorf("empty the write-ahead log: %w", err)
		case err == nil && !busy:
			return nil
		}
		if b.Pause(waiting) != nil {
			return errLogInUse
		}
	}
}
