package sqlite

import (
	"context"
	"fmt"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// Scrub implements [store.Archive]. It rewrites the file without overwritten
// and deleted data (VACUUM) and empties the write-ahead log. No other call
// writes while it runs, and it needs disk space for another copy of the file.
//
// It waits up to the busy timeout for readers of an older state of the file,
// because they need the log. It cannot remove freed blocks of the file system
// or copies of the file.
func (s *Store) Scrub(ctx context.Context) error {
	return backend.Do(ctx, s.life, "scrub the file", func() error {
		return s.write(ctx, func() error {
			if _, err := s.writer.ExecContext(ctx, `VACUUM`); err != nil {
				return err
			}
			return s.emptyLog(ctx)
		})
	})
}

var errLogInUse = errors.New("the write-ahead log is in use by readers: call Scrub again when they are done")

// emptyLog moves all pages from the write-ahead log to the file and truncates
// the log.
func (s *Store) emptyLog(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, max(s.busyTimeout, 0))
	defer cancel()
	for b := newBackoff(); ; {
		var busy bool
		var pages, moved int64 // -1 if there is no such log
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
