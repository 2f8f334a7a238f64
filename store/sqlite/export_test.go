package sqlite

import (
	"database/sql"
	"maps"
	"slices"
	"time"
)

// Handles returns the handles of the store.
func (s *Store) Handles() (reader, writer *sql.DB) { return s.reader, s.writer }

// LatestVersion is the version of the tables that this release creates.
func LatestVersion() int { return len(migrations) }

// RowIDOf returns the row where a token is looked up first.
func RowIDOf(id string) int64 { return rowIDOf(id) }

// Queries are the texts of all statements.
func Queries() []string { return slices.Collect(maps.Values(queryTexts)) }

// MaxGroup is the maximum number of calls in a group.
const MaxGroup = maxGroup

// SetGroupTime sets how long calls may join a group.
func (s *Store) SetGroupTime(d time.Duration) { s.groupTime = d }

// Waiting returns the number of calls that wait for their turn to write.
func (s *Store) Waiting() int {
	s.turns.mu.Lock()
	defer s.turns.mu.Unlock()
	return len(s.turns.waiting)
}
