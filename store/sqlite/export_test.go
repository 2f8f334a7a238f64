package sqlite

import (
	"database/sql"
	"maps"
	"slices"
)

// Handles returns the handles of the store.
func (s *Store) Handles() (reader, writer *sql.DB) { return s.reader, s.writer }

// LatestVersion is the version of the tables that this release creates.
func LatestVersion() int { return len(migrations) }

// RowIDOf returns the row where a token is looked up first.
func RowIDOf(id string) int64 { return rowIDOf(id) }

// Queries are the texts of all statements.
func Queries() []string { return slices.Collect(maps.Values(queryTexts)) }
