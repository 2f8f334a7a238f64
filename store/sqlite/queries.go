package sqlite

import (
	"strings"

	"github.com/onezone-go/onezone/store/internal/backend"
)

// The statements that are specific to SQLite.
const (
	lock = backend.NumQueries + iota
	createToken
	createTokenIfActive
	lastChange
	listChanges
)

const insertToken = `INSERT INTO onezone.tokens (` + backend.TokenColumns + `, row_id)
	SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		iif(EXISTS (SELECT 1 FROM onezone.tokens WHERE row_id = $18), NULL, $18) WHERE `

// queryTexts are the texts of all statements.
var queryTexts = backend.Statements(inFile, map[backend.Query]string{
	// As the first statement of a transaction this acquires the write lock,
	// like BEGIN IMMEDIATE, whatever mode the handle begins transactions in.
	lock: `DELETE FROM onezone.schema_version WHERE false`,

	// A token is stored in the row given by the hash of its id, so that one
	// search of the table finds it. The second part runs only if the first
	// finds nothing: it searches the index for a token whose row was taken.
	backend.NamedKey: backend.SelectNamedKey + `WHERE t.row_id = $2 AND t.id = $1
		UNION ALL ` + backend.SelectNamedKey + `WHERE t.id = $1 LIMIT 1`,
	createToken: insertToken + `true`,
	createTokenIfActive: insertToken +
		`EXISTS (SELECT 1 FROM onezone.identities WHERE subject = $4 AND NOT blocked)`,

	backend.ClearUsernames: `UPDATE onezone.identities SET username = NULL
		WHERE subject IN (SELECT value FROM json_each($1)) AND username IS NOT NULL`,
	backend.ClearTokenNames: `UPDATE onezone.tokens SET name = NULL WHERE id IN (SELECT value FROM json_each($1))`,
	backend.ImportToken:     insertToken + `true` + backend.OverwriteToken,

	backend.LastUses: backend.SelectUse + `WHERE token_id IN (SELECT value FROM json_each($1))`,

	lastChange:  `SELECT max(number) FROM onezone.changes`,
	listChanges: `SELECT number, kind, key FROM onezone.changes WHERE number >= $1 ORDER BY number LIMIT $2`,
})

// inFile rewrites a statement for a schema to the table names in a file.
func inFile(query string) string { return strings.ReplaceAll(query, "onezone.", "onezone_") }
