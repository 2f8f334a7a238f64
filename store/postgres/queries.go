package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// queries are the statements of the data path, in the schema of the store. They
// keep to what CockroachDB and YugabyteDB take as well: no advisory locks, no
// notifications, no types or operators of extensions.
type queries struct {
	in                                                                  func(query string) string
	namedKey, temporaryKey                                              string
	ensureTemporary, rotateTemporary, replaceTemporary, deleteTemporary string
	createToken, getToken, lockToken, updateToken, deleteToken          string
	records, places                                                     listings
	countTokens                                                         string
	createIdentity, getIdentity, getUser, getStatus                     string
	lockIdentity, updateIdentity, deleteIdentity                        string
	exportIdentities, exportTemporary, exportTokens                     string
	unnameIdentities, importIdentity, importTemporary                   string
	unnameTokens, importToken                                           string
}

const (
	tokenColumns = `id, name, version, subject, type, caveats, secret, created, revoked, revoked_tails,
		custom, privileges, usage_limit, usage_count`
	insertToken = `INSERT INTO onezone.tokens (` + tokenColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) `
	selectToken = `SELECT ` + tokenColumns + ` FROM onezone.tokens `

	identityColumns = `subject, username, full_name, password, blocked, created`
	insertIdentity  = `INSERT INTO onezone.identities (` + identityColumns + `) VALUES ($1, $2, $3, $4, $5, $6) `
	selectIdentity  = `SELECT ` + identityColumns + ` FROM onezone.identities `
)

// newQueries writes the statements for the schema. Here they are for the schema
// onezone.
func newQueries(schema string) queries {
	in := inSchema(schema)
	return queries{
		in: in,

		namedKey: in(`SELECT t.subject, t.secret, t.revoked, t.revoked_tails, i.blocked
			FROM onezone.tokens AS t LEFT JOIN onezone.identities AS i ON i.subject = t.subject
			WHERE t.id = $1`),
		temporaryKey: in(`SELECT k.secret, k.generation, i.blocked
			FROM onezone.temporary_keys AS k LEFT JOIN onezone.identities AS i ON i.subject = k.subject
			WHERE k.subject = $1`),
		ensureTemporary: in(`INSERT INTO onezone.temporary_keys (subject, secret, generation) VALUES ($1, $2, 1)
			ON CONFLICT (subject) DO NOTHING`),
		rotateTemporary: in(`INSERT INTO onezone.temporary_keys AS k (subject, secret, generation) VALUES ($1, $2, 1)
			ON CONFLICT (subject) DO UPDATE SET secret = excluded.secret, generation = k.generation + 1
			RETURNING generation`),
		replaceTemporary: in(`UPDATE onezone.temporary_keys SET secret = $3 WHERE subject = $1 AND secret = $2`),
		deleteTemporary:  in(`DELETE FROM onezone.temporary_keys WHERE subject = $1`),

		// For whatever subject, or as $15 tells, for one that is active. It returns
		// whether the subject is blocked, NULL where there is no identity.
		createToken: in(`WITH
			holder AS (SELECT blocked FROM onezone.identities WHERE subject = $4),
			created AS (INSERT INTO onezone.tokens (` + tokenColumns + `)
				SELECT $1::text, $2::text, $3::smallint, $4::text, $5::text, $6::text[], $7::bytea, $8::bigint,
					$9::boolean, $10::bytea, $11::text, $12::text[], $13::bigint, $14::bigint
				WHERE $15::boolean OR EXISTS (SELECT 1 FROM holder WHERE NOT blocked)
				RETURNING id) -- which CockroachDB asks of what writes here
			SELECT (SELECT blocked FROM holder)`),
		getToken:  in(selectToken + `WHERE id = $1`),
		lockToken: in(selectToken + `WHERE id = $1 FOR UPDATE`),
		updateToken: in(`UPDATE onezone.tokens SET name = $2, version = $3, type = $4, caveats = $5, secret = $6,
			revoked = $7, revoked_tails = $8, custom = $9, privileges = $10, usage_limit = $11, usage_count = $12
			WHERE id = $1`),
		deleteToken: in(`DELETE FROM onezone.tokens WHERE id = $1`),
		records:     newListings(in, selectToken),
		places:      newListings(in, `SELECT created, id FROM onezone.tokens `),
		countTokens: in(`SELECT count(*) FROM onezone.tokens WHERE subject = $1`),

		createIdentity: in(insertIdentity),
		getIdentity:    in(selectIdentity + `WHERE subject = $1`),
		getStatus:      in(`SELECT (SELECT blocked FROM onezone.identities WHERE subject = $1)`), // one row always
		getUser:        in(selectIdentity + `WHERE username = $1`),
		lockIdentity:   in(selectIdentity + `WHERE subject = $1 FOR UPDATE`),
		updateIdentity: in(`UPDATE onezone.identities SET username = $2, full_name = $3, password = $4, blocked = $5
			WHERE subject = $1`),
		deleteIdentity: in(`DELETE FROM onezone.identities WHERE subject = $1`),

		exportIdentities: in(selectIdentity + `WHERE subject > $1 ORDER BY subject LIMIT $2`),
		exportTemporary: in(`SELECT subject, secret, generation FROM onezone.temporary_keys
			WHERE subject > $1 ORDER BY subject LIMIT $2`),
		exportTokens: in(selectToken + `WHERE id > $1 ORDER BY id LIMIT $2`),

		// An import takes away the names of all that it replaces before it gives
		// any, so that records may swap names. It locks them in the order of keys,
		// as it then writes them: imports do not wait for each other in a circle.
		unnameIdentities: in(`UPDATE onezone.identities SET username = NULL WHERE subject IN
			(SELECT subject FROM onezone.identities WHERE subject = ANY ($1) ORDER BY subject FOR UPDATE)`),
		importIdentity: in(insertIdentity + `ON CONFLICT (subject) DO UPDATE SET username = excluded.username,
			full_name = excluded.full_name, password = excluded.password, blocked = excluded.blocked,
			created = excluded.created`),
		importTemporary: in(`INSERT INTO onezone.temporary_keys (subject, secret, generation) VALUES ($1, $2, $3)
			ON CONFLICT (subject) DO UPDATE SET secret = excluded.secret, generation = excluded.generation`),
		unnameTokens: in(`UPDATE onezone.tokens SET name = NULL WHERE id IN
			(SELECT id FROM onezone.tokens WHERE id = ANY ($1) ORDER BY id FOR UPDATE)`),
		importToken: in(insertToken + `ON CONFLICT (id) DO UPDATE SET name = excluded.name,
			version = excluded.version, subject = excluded.subject, type = excluded.type,
			caveats = excluded.caveats, secret = excluded.secret, created = excluded.created,
			revoked = excluded.revoked, revoked_tails = excluded.revoked_tails, custom = excluded.custom,
			privileges = excluded.privileges, usage_limit = excluded.usage_limit,
			usage_count = excluded.usage_count`),
	}
}

// newListings writes the statements of listings that begin with the given part.
func newListings(in func(string) string, selectRow string) listings {
	return listings{
		all: in(selectRow + `WHERE (created, id) > ($1, $2) ORDER BY created, id LIMIT $3`),
		subject: in(selectRow + `WHERE (created, id) > ($1, $2) AND subject = $4
			ORDER BY created, id LIMIT $3`),
		name: in(selectRow + `WHERE (created, id) > ($1, $2) AND subject = $4 AND name = $5
			ORDER BY created, id LIMIT $3`),
	}
}

// inSchema returns what rewrites a statement for the schema onezone into one for
// the given schema.
func inSchema(schema string) func(query string) string {
	quoted := pgx.Identifier{schema}.Sanitize()
	return func(query string) string { return strings.ReplaceAll(query, "onezone.", quoted+".") }
}
