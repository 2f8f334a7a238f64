-- The statements that all databases share, for the schema onezone, in SQL that PostgreSQL, CockroachDB, YugabyteDB and
-- SQLite understand. A line "-- name: X" begins the statement X. A name in braces is that of a part of statements, which
-- replaces the name wherever a statement contains it. The file of a driver replaces statements and parts, and adds others.

-- name: {tokenColumns}
id, name, version, subject, type, caveats, secret, created, revoked, revoked_tails,
	custom, privileges, usage_limit, usage_count, tightened, bait, parent
-- name: {selectToken}
SELECT {tokenColumns} FROM onezone.tokens
-- name: {selectPlace}
SELECT created, id FROM onezone.tokens
-- Makes an insertion replace a token with the same id.
-- name: {overwriteToken}
ON CONFLICT (id) DO UPDATE SET name = excluded.name, version = excluded.version, subject = excluded.subject,
	type = excluded.type, caveats = excluded.caveats, secret = excluded.secret, created = excluded.created,
	revoked = excluded.revoked, revoked_tails = excluded.revoked_tails, custom = excluded.custom,
	privileges = excluded.privileges, usage_limit = excluded.usage_limit, usage_count = excluded.usage_count,
	tightened = excluded.tightened, bait = excluded.bait, parent = excluded.parent

-- The conditions and the order of listings.
-- name: {ofAll}
WHERE (created, id) > ($1, $2) ORDER BY created, id LIMIT $3
-- name: {ofSubject}
WHERE (created, id) > ($1, $2) AND subject = $4 ORDER BY created, id LIMIT $3
-- name: {ofName}
WHERE (created, id) > ($1, $2) AND subject = $4 AND name = $5 ORDER BY created, id LIMIT $3
-- name: {ofParent}
WHERE (created, id) > ($1, $2) AND parent = $4 ORDER BY created, id LIMIT $3

-- name: {identityColumns}
subject, username, full_name, password, blocked, created, rights
-- name: {insertIdentity}
INSERT INTO onezone.identities ({identityColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7)
-- name: {selectIdentity}
SELECT {identityColumns} FROM onezone.identities

-- name: {insertTemporary}
INSERT INTO onezone.temporary_keys AS k (subject, secret, generation) VALUES

-- name: {selectUse}
SELECT token_id, used_at, address, service, interface, use_count FROM onezone.uses
-- The token of a use that is written.
-- name: {ofTokenToUse}
FROM onezone.tokens WHERE id = $1
-- Writes a use if its token exists, and replaces all but the count of an earlier use.
-- name: {insertUse}
INSERT INTO onezone.uses AS u (token_id, used_at, address, service, interface, use_count)
	SELECT id, CAST($2 AS bigint), CAST($3 AS text), CAST($4 AS text), CAST($5 AS text), CAST($6 AS bigint)
	{ofTokenToUse} ON CONFLICT (token_id) DO UPDATE SET

-- The third column is the status of the subject (1: active, 2: blocked, 3: missing), plus 4 if the token is revoked,
-- plus 8 times its bait: every column takes time.
-- name: {selectNamedKey}
SELECT t.subject, t.secret,
	CASE WHEN i.blocked IS NULL THEN 3 WHEN i.blocked THEN 2 ELSE 1 END + CASE WHEN t.revoked THEN 4 ELSE 0 END + 8 * t.bait,
	t.revoked_tails, t.tightened
	FROM onezone.tokens AS t LEFT JOIN onezone.identities AS i ON i.subject = t.subject
-- name: NamedKey
{selectNamedKey} WHERE t.id = $1
-- name: TemporaryKey
SELECT k.secret, k.generation, i.blocked
	FROM onezone.temporary_keys AS k LEFT JOIN onezone.identities AS i ON i.subject = k.subject
	WHERE k.subject = $1
-- name: EnsureTemporaryKey
{insertTemporary} ($1, $2, 1) ON CONFLICT (subject) DO NOTHING
-- name: RotateTemporaryKey
{insertTemporary} ($1, $2, 1) ON CONFLICT (subject) DO UPDATE
	SET secret = excluded.secret, generation = k.generation + 1 RETURNING generation
-- name: ReplaceTemporarySecret
UPDATE onezone.temporary_keys SET secret = $3 WHERE subject = $1 AND secret = $2
-- name: DeleteTemporaryKey
DELETE FROM onezone.temporary_keys WHERE subject = $1

-- name: GetToken
{selectToken} WHERE id = $1
-- name: LockToken
{selectToken} WHERE id = $1
-- name: UpdateToken
UPDATE onezone.tokens SET name = $2, version = $3, type = $4, caveats = $5, secret = $6,
	revoked = $7, revoked_tails = $8, custom = $9, privileges = $10, usage_limit = $11, usage_count = $12,
	tightened = $13, bait = $14
	WHERE id = $1
-- name: DeleteToken
DELETE FROM onezone.tokens WHERE id = $1 RETURNING id
-- name: DeleteUse
DELETE FROM onezone.uses WHERE token_id = $1
-- name: ListTokens
{selectToken} {ofAll}
-- name: ListTokensOf
{selectToken} {ofSubject}
-- name: ListTokensNamed
{selectToken} {ofName}
-- name: ListTokensMinted
{selectToken} {ofParent}
-- name: ListIDs
{selectPlace} {ofAll}
-- name: ListIDsOf
{selectPlace} {ofSubject}
-- name: ListIDsNamed
{selectPlace} {ofName}
-- name: ListIDsMinted
{selectPlace} {ofParent}
-- name: CountTokens
SELECT count(*) FROM onezone.tokens WHERE subject = $1

-- name: CreateIdentity
{insertIdentity}
-- name: GetIdentity
{selectIdentity} WHERE subject = $1
-- name: GetIdentityByUsername
{selectIdentity} WHERE username = $1
-- name: LockIdentity
{selectIdentity} WHERE subject = $1
-- name: UpdateIdentity
UPDATE onezone.identities SET username = $2, full_name = $3, password = $4, blocked = $5, rights = $6
	WHERE subject = $1
-- name: DeleteIdentity
DELETE FROM onezone.identities WHERE subject = $1

-- name: ExportIdentities
{selectIdentity} WHERE subject > $1 ORDER BY subject LIMIT $2
-- name: ExportTemporary
SELECT subject, secret, generation FROM onezone.temporary_keys WHERE subject > $1 ORDER BY subject LIMIT $2
-- name: ExportTokens
{selectToken} WHERE id > $1 ORDER BY id LIMIT $2
-- name: ExportUses
{selectUse} WHERE token_id > $1 ORDER BY token_id LIMIT $2
-- name: ImportIdentity
{insertIdentity} ON CONFLICT (subject) DO UPDATE SET username = excluded.username,
	full_name = excluded.full_name, password = excluded.password, blocked = excluded.blocked,
	created = excluded.created, rights = excluded.rights
-- name: ImportTemporary
{insertTemporary} ($1, $2, $3) ON CONFLICT (subject) DO UPDATE
	SET secret = excluded.secret, generation = excluded.generation
-- name: ImportToken
INSERT INTO onezone.tokens ({tokenColumns})
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) {overwriteToken}
-- name: ImportUse
{insertUse} used_at = excluded.used_at, address = excluded.address, service = excluded.service,
	interface = excluded.interface, use_count = excluded.use_count

-- Keeps the later use, and adds the counts up to store.MaxUseCount.
-- name: RecordUse
{insertUse} used_at = CASE WHEN excluded.used_at >= u.used_at THEN excluded.used_at ELSE u.used_at END,
	address = CASE WHEN excluded.used_at >= u.used_at THEN excluded.address ELSE u.address END,
	service = CASE WHEN excluded.used_at >= u.used_at THEN excluded.service ELSE u.service END,
	interface = CASE WHEN excluded.used_at >= u.used_at THEN excluded.interface ELSE u.interface END,
	use_count = CASE WHEN u.use_count > 9007199254740991 - excluded.use_count THEN 9007199254740991
		ELSE u.use_count + excluded.use_count END
