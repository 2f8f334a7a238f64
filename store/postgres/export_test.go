package postgres

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SetHeartbeat sets how long a feed may be silent, before it is up.
func (s *Store) SetHeartbeat(d time.Duration) { s.feed.quiet, s.feed.pingLimit = d, d }

// SetProbe sets how often a feed notifies itself, and how old the last
// notification that arrived may be, which is how long the first may take.
func (s *Store) SetProbe(every, age time.Duration) {
	s.feed.probeEvery, s.feed.probeAge, s.feed.firstProbe = every, age, age
}

// SetMaxTurn sets how long creations wait for the end of others, before there are
// any.
func (s *Store) SetMaxTurn(d time.Duration) { s.creations.slotTimeout = d }

// Waiting is how many creations wait for others.
func (s *Store) Waiting() int {
	s.creations.mu.Lock()
	defer s.creations.mu.Unlock()
	return len(s.creations.waiting)
}

// MaxTurns is how many creations are let through at once.
const MaxTurns = maxSlots

// LatestVersion is the version of the schema that this release makes.
func LatestVersion() int { return len(migrations) }

// MaxAttempts is how often a transaction is run.
const MaxAttempts = maxAttempts

// LockKey is the advisory lock of the schema's migrations.
func (s *Store) LockKey() int64 { return s.lockKey() }

// PassTurn gives a turn away.
func (s *Store) PassTurn() { s.passSlot() }

// ParseURL reads a connection string as Open does.
func ParseURL(url string) (*pgxpool.Config, error) { return parseURL("url", url) }
