package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/internal/backend"
)

// defaultBusyTimeout is how long a call waits for the lock of the file by
// default.
const defaultBusyTimeout = 5 * time.Second

// Options configures a [Store]. The zero value uses the defaults.
type Options struct {
	// BusyTimeout is how long a call waits while other stores and processes
	// lock the file. A context that ends earlier ends the wait. 0: 5 seconds;
	// negative: no wait. Waiting for writes of the same store does not count.
	BusyTimeout time.Duration

	// Synchronous is what a write waits for. 0: Full. Only [Open] uses it; the
	// handle given to [New] has its own setting.
	Synchronous Synchronous

	// Readers is the number of connections that read concurrently. 0: the
	// number of processors, but at least four. Only Open uses it.
	Readers int
}

// Synchronous is what a write waits for: PRAGMA synchronous.
type Synchronous uint8

// The values of Synchronous. The zero value means Full.
const (
	// Full waits until the write is on the disk.
	Full Synchronous = iota + 1
	// Normal may lose the last writes when the system crashes or loses power,
	// but not when only the process crashes. A new token is then lost, and a
	// revoked token is valid again. The file stays intact.
	Normal
	// Off waits for nothing. A crash of the system or a loss of power may
	// corrupt the file. It is for tests, and for data that can be loaded again.
	Off
)

// contract implements the other methods of a Store.
type contract = backend.Contract

// Store is a [store.Store] in SQLite. Make one with [New] or [Open].
type Store struct {
	contract
	reader, writer *sql.DB // the same handle if the caller gave it
	owned          bool    // Close closes the handles
	busyTimeout    time.Duration

	prepared  atomic.Pointer[prepared] // nil before the first call
	turns     turns                    // of the calls that write
	groupTime time.Duration
	changed   atomic.Pointer[chan struct{}] // closed by the next write of this store

	life    backend.Life
	release sync.Once
}

var _ store.Store = (*Store)(nil)

// New returns a store over the handle, which the caller closes. It does not
// connect; [Store.Migrate] creates the tables.
//
// The handle must use the driver modernc.org/sqlite. The store is correct with
// any settings of its connections. Recommended PRAGMAs: journal_mode(WAL), so
// that readers never wait for writers; synchronous(FULL), for the durability in
// the package documentation; secure_delete(ON), to overwrite deleted secrets. A
// database in memory needs a handle with one connection that is never closed.
func New(db *sql.DB, o Options) *Store {
	s := &Store{reader: db, writer: db, busyTimeout: o.BusyTimeout, groupTime: groupTime, life: backend.NewLife()}
	s.turns.arrived = make(chan struct{}, 1)
	if s.busyTimeout == 0 {
		s.busyTimeout = defaultBusyTimeout
	}
	s.changed.Store(new(make(chan struct{})))
	s.contract = backend.NewContract(newDriver(s), 0)
	return s
}

// Close makes all later calls return [store.ErrClosed] and ends calls of
// [Store.Watch]. It waits for the write in flight and closes the handles that
// [Open] created. Closing twice is not an error.
func (s *Store) Close() error {
	var err error
	s.life.End()
	s.release.Do(func() {
		_, _ = s.turns.take(&pending{ctx: context.Background()}, nil) // never passed on: waiting writers see that the store is closed
		s.closePrepared()
		if s.owned {
			// The writer is closed last, because it may have to write the log.
			err = errors.Join(s.reader.Close(), s.writer.Close())
		}
	})
	if err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}
