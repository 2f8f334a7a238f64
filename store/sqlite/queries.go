package sqlite

import (
	"strings"

	"github.com/onezone-go/onezone/store/internal/backend"
)

// The statements besides those that all databases have in common.
const (
	lock = backend.NumQueries + iota
	createToken
	createTokenIfActive
	lastChange
	listChanges
)

const insertToken = `INSERT INTO onezone.tokens (` + backend.TokenColumns + `, place)
	SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
		iif(EXISTS (SELECT 1 FROM onezone.tokens WHERE place = $15), NULL, $15) WHERE `

// queryTexts are the statements of the data path.
var queryTexts = backend.Statements(inFile, map[backend.Query]string{
	// As the first statement of a transaction this makes it BEGIN IMMEDIATE,
	// whatever the handle begins transactions with.
	lock: `DELETE FROM onezone.schema_version WHERE false`,

	// A token stands at a place made of its id, where one search of the table
	// finds it. The second part is run where the first finds nothing: it searches
	// the index for a token that gave way to another.
	backend.NamedKey: backend.SelectNamedKey + `WHERE t.place = $2 AND t.id = $1
		UNION ALL ` + backend.SelectNamedKey + `WHERE t.id = $1 LIMIT 1`,
	createToken: insertToken + `true`,
	createTokenIfActive: insertToken +
		`EXISTS (SELECT 1 FROM onezone.identities WHERE subject = $4 AND NOT blocked)`,

	backend.UnnameIdentities: `UPDATE onezone.identities SET username = NULL
		WHERE subject IN (SELECT value FROM json_each($1)) AND username IS NOT NULL`,
	backend.UnnameTokens: `UPDATE onezone.tokens SET name = NULL WHERE id IN (SELECT value FROM json_each($1))`,
	backend.ImportToken:  insertToken + `true` + backend.OverwriteToken,

	lastChange:  `SELECT max(number) FROM onezone.changes`,
	listChanges: `SELECT number, kind, key FROM onezone.changes WHERE number >= $1 ORDER BY number LIMIT $2`,
})

// inFile rewrites a statement for the tables of a schema into one for those of a
// file.
func inFile(query string) string { return strings.ReplaceAll(query, "onezone.", "onezone_") }
