package sqlite

import "database/sql"

// Handles are what the store reads and writes through.
func (s *Store) Handles() (reader, writer *sql.DB) { return s.reader, s.writer }

// LatestVersion is the version of the tables that this release makes.
func LatestVersion() int { return len(migrations) }

// PlaceOf is the place in the table where a token is looked for first.
func PlaceOf(id string) int64 { return placeOf(id) }

// Queries are the texts of the statements of the data path.
func Queries() []string { return queryTexts[:] }
