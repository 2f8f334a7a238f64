package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SetHeartbeat sets how long a feed may be silent before the server is pinged.
func (s *Store) SetHeartbeat(d time.Duration) { s.feed.quiet, s.feed.pingLimit = d, d }

// SetProbe sets the interval of probes and the maximum age of the last one,
// which is also the timeout of the first.
func (s *Store) SetProbe(every, age time.Duration) {
	s.feed.probeEvery, s.feed.probeAge, s.feed.firstProbe = every, age, age
}

// SetSlotTimeout sets how long creations wait for others. Call it before any
// creation.
func (s *Store) SetSlotTimeout(d time.Duration) { s.creations.slotTimeout = d }

// Waiting returns the number of waiting creations.
func (s *Store) Waiting() int {
	s.creations.mu.Lock()
	defer s.creations.mu.Unlock()
	return len(s.creations.waiting)
}

// MaxSlots is the maximum number of concurrent creations.
const MaxSlots = maxSlots

// LatestVersion is the version of the schema that this release creates.
func LatestVersion() int { return len(migrations) }

// MaxAttempts is the maximum number of attempts of a transaction.
const MaxAttempts = maxAttempts

// LockKey returns the key of the advisory lock of the schema's migrations.
func (s *Store) LockKey() int64 { return s.lockKey() }

// PassSlot passes on a slot.
func (s *Store) PassSlot() { s.passSlot() }

// ParseURL parses a connection string as Open does.
func ParseURL(url string) (*pgxpool.Config, error) {
	config, _, err := parseURL("url", url)
	return config, err
}

// ErrNoFeed is the error of Watch for a schema without a feed.
var ErrNoFeed = errNoFeed
