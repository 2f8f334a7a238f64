package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/store/internal/backend"
)

// The statements besides those that all databases have in common.
const (
	createToken = backend.NumQueries + iota
	getStatus
	notify
)

// newQueries returns the statements of the data path for the schema. They keep to
// what CockroachDB and YugabyteDB take as well: no advisory locks, no
// notifications, no types or operators of extensions.
func newQueries(schema string) []string {
	in := inSchema(schema)
	queries := backend.Statements(in, map[backend.Query]string{
		// For whatever subject, or as $15 tells, for one that is active. It returns
		// whether the subject is blocked, NULL where there is no identity.
		createToken: `WITH
			holder AS (SELECT blocked FROM onezone.identities WHERE subject = $4),
			created AS (INSERT INTO onezone.tokens (` + backend.TokenColumns + `)
				SELECT $1::text, $2::text, $3::smallint, $4::text, $5::text, $6::text[], $7::bytea, $8::bigint,
					$9::boolean, $10::bytea, $11::text, $12::text[], $13::bigint, $14::bigint
				WHERE $15::boolean OR EXISTS (SELECT 1 FROM holder WHERE NOT blocked)
				RETURNING id) -- which CockroachDB asks of what writes here
			SELECT (SELECT blocked FROM holder)`,
		// A notification of the feed to itself. Nothing is lost with it: the disk need
		// not be waited for. The channel is called after the schema, of whose name
		// PostgreSQL cuts off the end.
		notify: `SELECT pg_catalog.set_config('synchronous_commit', 'off', true),
			pg_catalog.pg_notify($1::text::pg_catalog.name::text, $2)`,
		getStatus: `SELECT (SELECT blocked FROM onezone.identities WHERE subject = $1)`, // one row always

		// An import locks what it replaces in the order of keys, as it then writes
		// it: imports do not wait for each other in a circle.
		backend.ClearUsernames: `UPDATE onezone.identities SET username = NULL WHERE subject IN
			(SELECT subject FROM onezone.identities WHERE subject = ANY ($1) ORDER BY subject FOR UPDATE)`,
		backend.ClearTokenNames: `UPDATE onezone.tokens SET name = NULL WHERE id IN
			(SELECT id FROM onezone.tokens WHERE id = ANY ($1) ORDER BY id FOR UPDATE)`,
	})
	queries[backend.LockToken] += ` FOR UPDATE`
	queries[backend.LockIdentity] += ` FOR UPDATE`
	return queries
}

// inSchema returns what rewrites a statement for the schema onezone into one for
// the given schema.
func inSchema(schema string) func(query string) string {
	quoted := pgx.Identifier{schema}.Sanitize()
	return func(query string) string { return strings.ReplaceAll(query, "onezone.", quoted+".") }
}
