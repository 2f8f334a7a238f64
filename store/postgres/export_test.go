package postgres

import (
	"time"

	"github.com/onezone-go/onezone/store"
)

// SetHeartbeat sets how long a feed may be silent, before it stands.
func (s *Store) SetHeartbeat(d time.Duration) { s.heartbeat = d }

// SetMaxTurn sets how long creations wait for the end of others, before there are
// any.
func (s *Store) SetMaxTurn(d time.Duration) { s.creations.maxTurn = d }

// Waiting is how many creations wait for others.
func (s *Store) Waiting() int {
	s.creations.mu.Lock()
	defer s.creations.mu.Unlock()
	return len(s.creations.waiting)
}

// MaxTurns is how many creations are let through at once.
const MaxTurns = maxTurns

// LatestVersion is the version of the schema that this release makes.
func LatestVersion() int { return len(migrations) }

// ParseChange reads a payload of the feed.
func ParseChange(payload string) (store.Change, bool) { return parseChange(payload) }

// MaxAttempts is how often a transaction is run.
const MaxAttempts = maxAttempts

// LockKey is the advisory lock of the schema's migrations.
func (s *Store) LockKey() int64 { return s.lockKey() }

// PassTurn gives a turn away.
func (s *Store) PassTurn() { s.passTurn() }
