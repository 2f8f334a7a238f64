package sqlite

import (
	_ "embed"
	"strings"

	"github.com/onezone-go/onezone/store/internal/backend"
)

// The statements that are specific to SQLite.
const (
	lock                backend.Query = "Lock"
	savepoint           backend.Query = "Savepoint"
	release             backend.Query = "Release"
	rollbackTo          backend.Query = "RollbackTo"
	createToken         backend.Query = "CreateToken"
	createTokenIfActive backend.Query = "CreateTokenIfActive"
	lastChange          backend.Query = "LastChange"
	listChanges         backend.Query = "ListChanges"
)

//go:embed statements.sql
var ownStatements string

// queryTexts are the texts of all statements.
var queryTexts = backend.Statements(inFile, ownStatements)

// inFile rewrites a statement for a schema to the table names in a file.
func inFile(query string) string { return strings.ReplaceAll(query, "onezone.", "onezone_") }
