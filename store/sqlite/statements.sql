-- The statements that are specific to SQLite. The form is that of store/internal/backend/statements.sql.

-- As the first statement of a transaction this acquires the write lock, like BEGIN IMMEDIATE, whatever mode the handle
-- begins transactions in.
-- name: Lock
DELETE FROM onezone.schema_version WHERE false

-- A savepoint in a transaction that several calls share.
-- name: Savepoint
SAVEPOINT onezone
-- name: Release
RELEASE onezone
-- name: RollbackTo
ROLLBACK TO onezone

-- A token is stored in the row given by the hash of its id, so that one search of the table finds it. The second part
-- runs only if the first finds nothing: it searches the index for a token whose row was taken.
-- name: NamedKey
{selectNamedKey} WHERE t.row_id = $2 AND t.id = $1
	UNION ALL {selectNamedKey} WHERE t.id = $1 LIMIT 1

-- name: {insertToken}
INSERT INTO onezone.tokens ({tokenColumns}, row_id)
	SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
-- name: CreateToken
{insertToken} $18
-- name: CreateTokenIfActive
{insertToken} $18 WHERE EXISTS (SELECT 1 FROM onezone.identities WHERE subject = $4 AND NOT blocked)
-- name: ImportToken
{insertToken} iif(EXISTS (SELECT 1 FROM onezone.tokens WHERE row_id = $18), NULL, $18) WHERE true {overwriteToken}

-- name: ClearUsernames
UPDATE onezone.identities SET username = NULL
	WHERE subject IN (SELECT value FROM json_each($1)) AND username IS NOT NULL
-- name: ClearTokenNames
UPDATE onezone.tokens SET name = NULL WHERE id IN (SELECT value FROM json_each($1))
-- name: LastUses
{selectUse} WHERE token_id IN (SELECT value FROM json_each($1))

-- name: LastChange
SELECT max(number) FROM onezone.changes
-- name: ListChanges
SELECT number, kind, key FROM onezone.changes WHERE number >= $1 ORDER BY number LIMIT $2
