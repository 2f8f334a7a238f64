package sqlite

import (
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// DefaultBusyTimeout is how long a call waits for others that keep the file
// locked, unless [Options] say otherwise.
const DefaultBusyTimeout = 5 * time.Second

// Options is how a [Store] uses its file. The zero Options are the defaults.
type Options struct {
	// BusyTimeout is how long a call waits for other stores and processes that
	// keep the file locked, before it fails. A context that ends sooner ends the
	// wait. 0: DefaultBusyTimeout; negative: it does not wait. Waiting for the
	// writes of the same store to be done does not count.
	BusyTimeout time.Duration

	// Synchronous is what a write waits for. 0: Full. It is for [Open]: the
	// handle given to [New] decides for itself.
	Synchronous Synchronous

	// Readers is how many connections may read at once. 0: as many as there are
	// processors, and four at least. It is for Open, like Synchronous.
	Readers int
}

// Synchronous is what a write waits for: PRAGMA synchronous.
type Synchronous uint8

// The settings of Synchronous. The zero value stands for Full.
const (
	// Full waits until the disk has the write.
	Full Synchronous = iota + 1
	// Normal lets the last writes be lost when the system crashes or loses
	// power, and none when only the process does: a new token is gone then, and a
	// revoked token is good again. The file stays intact.
	Normal
	// Off leaves all to the system. A crash of the system or a loss of power may
	// spoil the file. It is for tests, and for loading what can be loaded again.
	Off
)

// contract has the methods of a Store that it does not write out.
type contract = backend.Contract

// Store is a [store.Store] in SQLite. Make one with [New] or [Open].
type Store struct {
	contract
	reader, writer *sql.DB // one and the same handle where the caller gave it
	owned          bool    // Close closes the handles
	patience       time.Duration

	prepared atomic.Pointer[prepared]      // nil before the first call
	turn     chan struct{}                 // holds one while a call writes
	changed  atomic.Pointer[chan struct{}] // closed after the next write of this store

	life    backend.Life
	release sync.Once
}

var _ store.Store = (*Store)(nil)

// New returns a store over the handle, which stays the caller's to close. It
// does not connect; the tables are there after [Store.Migrate].
//
// The handle is one of the driver modernc.org/sqlite. What its connections are
// set to is the caller's choice, and the store is right with any: PRAGMAs
// journal_mode(WAL) keeps readers from waiting for writers, and synchronous(FULL)
// makes writes as durable as the package doc says, and secure_delete(ON)
// overwrites secrets that are deleted. A database in memory needs a
// handle of one connection that is never given up.
func New(db *sql.DB, o Options) *Store {
	s := &Store{reader: db, writer: db, patience: o.BusyTimeout, turn: make(chan struct{}, 1), life: backend.NewLife()}
	if s.patience == 0 {
		s.patience = DefaultBusyTimeout
	}
	changed := make(chan struct{})
	s.changed.Store(&changed)
	s.contract = backend.NewContract(newDriver(s))
	return s
}

// Close makes all later calls fail with [store.ErrClosed] and ends those of
// [Store.Watch]. It waits for the write that is under way, and closes the handles
// that [Open] made. Closing twice is no error.
func (s *Store) Close() error {
	var err error
	s.life.End()
	s.release.Do(func() {
		s.turn <- struct{}{} // for ever: those who wait for it see that the store is closed
		s.forget()
		if s.owned {
			// The writer goes last: it may have to write what the log holds.
			err = errors.Join(s.reader.Close(), s.writer.Close())
		}
	})
	if err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}
