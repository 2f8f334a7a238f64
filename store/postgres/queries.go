package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/store/internal/backend"
)

// The statements that are specific to PostgreSQL.
const (
	createToken = backend.NumQueries + iota
	getStatus
	notify
)

// newQueries returns all statements for the schema. They use only features that
// CockroachDB and YugabyteDB share: no advisory locks, no notifications, and no
// types or operators of extensions.
func newQueries(schema string) []string {
	in := inSchema(schema)
	queries := backend.Statements(in, map[backend.Query]string{
		// Creates the token for any holder, or only for an active one,
		// depending on $18. Returns whether the holder is blocked; NULL means
		// that it has no identity.
		createToken: `WITH
			holder AS (SELECT blocked FROM onezone.identities WHERE subject = $4),
			created AS (INSERT INTO onezone.tokens (` + backend.TokenColumns + `)
				SELECT $1::text, $2::text, $3::smallint, $4::text, $5::text, $6::text[], $7::bytea, $8::bigint,
					$9::boolean, $10::bytea, $11::text, $12::text[], $13::bigint, $14::bigint,
					$15::text[], $16::smallint, $17::text
				WHERE $18::boolean OR EXISTS (SELECT 1 FROM holder WHERE NOT blocked)
				RETURNING id) -- CockroachDB requires RETURNING here
			SELECT (SELECT blocked FROM holder)`,
		// A notification of the feed to itself. It need not wait for the disk,
		// because its loss does not matter. The channel has the name of the
		// schema, which PostgreSQL truncates.
		notify: `SELECT pg_catalog.set_config('synchronous_commit', 'off', true),
			pg_catalog.pg_notify($1::text::pg_catalog.name::text, $2)`,
		getStatus: `SELECT (SELECT blocked FROM onezone.identities WHERE subject = $1)`, // always one row

		// An import locks the replaced records in the order of their keys, and
		// then writes them in that order, so that imports do not deadlock.
		backend.ClearUsernames: `UPDATE onezone.identities SET username = NULL WHERE subject IN
			(SELECT subject FROM onezone.identities WHERE subject = ANY ($1) ORDER BY subject FOR UPDATE)`,
		backend.ClearTokenNames: `UPDATE onezone.tokens SET name = NULL WHERE id IN
			(SELECT id FROM onezone.tokens WHERE id = ANY ($1) ORDER BY id FOR UPDATE)`,

		backend.LastUses: backend.SelectUse + `WHERE token_id = ANY ($1)`,
	})
	// The lock keeps the token until its use is written, so that a concurrent
	// deletion of the token deletes the use, too. A foreign key would do the
	// same, but would not let an operator truncate the tokens.
	for _, q := range []backend.Query{backend.RecordUse, backend.ImportUse} {
		of := in(backend.OfTokenToUse)
		queries[q] = strings.Replace(queries[q], of, of+` FOR KEY SHARE`, 1)
	}
	queries[backend.LockToken] += ` FOR UPDATE`
	queries[backend.LockIdentity] += ` FOR UPDATE`
	return queries
}

// inSchema returns a function that rewrites a statement for the schema onezone
// to the given schema.
func inSchema(schema string) func(query string) string {
	quoted := pgx.Identifier{schema}.Sanitize()
	return func(query string) string { return strings.ReplaceAll(query, "onezone.", quoted+".") }
}
