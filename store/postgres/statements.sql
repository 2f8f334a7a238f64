-- The statements that are specific to PostgreSQL. They use only features that CockroachDB and YugabyteDB share: no
-- advisory locks, no notifications, and no types or operators of extensions. The form is that of
-- store/internal/backend/statements.sql.

-- Creates the token for any holder, or only for an active one, depending on $18. Returns whether the holder is blocked;
-- NULL means that it has no identity. CockroachDB requires RETURNING.
-- name: CreateToken
WITH
	holder AS (SELECT blocked FROM onezone.identities WHERE subject = $4),
	created AS (INSERT INTO onezone.tokens ({tokenColumns})
		SELECT $1::text, $2::text, $3::smallint, $4::text, $5::text, $6::text[], $7::bytea, $8::bigint,
			$9::boolean, $10::bytea, $11::text, $12::text[], $13::bigint, $14::bigint,
			$15::text[], $16::smallint, $17::text
		WHERE $18::boolean OR EXISTS (SELECT 1 FROM holder WHERE NOT blocked)
		RETURNING id)
	SELECT (SELECT blocked FROM holder)
-- Always returns one row.
-- name: GetStatus
SELECT (SELECT blocked FROM onezone.identities WHERE subject = $1)

-- A notification of the feed to itself. It need not wait for the disk, because its loss does not matter. The channel has
-- the name of the schema, which PostgreSQL truncates.
-- name: Notify
SELECT pg_catalog.set_config('synchronous_commit', 'off', true),
	pg_catalog.pg_notify($1::text::pg_catalog.name::text, $2)

-- name: LockToken
{selectToken} WHERE id = $1 FOR UPDATE
-- name: LockIdentity
{selectIdentity} WHERE subject = $1 FOR UPDATE
-- The lock keeps the token until its use is written, so that a concurrent deletion of the token deletes the use, too. A
-- foreign key would do the same, but would not let an operator truncate the tokens.
-- name: {ofTokenToUse}
FROM onezone.tokens WHERE id = $1 FOR KEY SHARE

-- An import locks the replaced records in the order of their keys, and then writes them in that order, so that imports
-- do not deadlock.
-- name: ClearUsernames
UPDATE onezone.identities SET username = NULL WHERE subject IN
	(SELECT subject FROM onezone.identities WHERE subject = ANY ($1) ORDER BY subject FOR UPDATE)
-- name: ClearTokenNames
UPDATE onezone.tokens SET name = NULL WHERE id IN
	(SELECT id FROM onezone.tokens WHERE id = ANY ($1) ORDER BY id FOR UPDATE)

-- name: LastUses
{selectUse} WHERE token_id = ANY ($1)
