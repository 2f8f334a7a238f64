package postgres

import (
	_ "embed"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/onezone-go/onezone/store/internal/backend"
)

// The statements that are specific to PostgreSQL.
const (
	createToken backend.Query = "CreateToken"
	getStatus   backend.Query = "GetStatus"
	notify      backend.Query = "Notify"
)

//go:embed statements.sql
var ownStatements string

// inSchema returns a function that rewrites a statement for the schema onezone
// to the given schema.
func inSchema(schema string) func(query string) string {
	quoted := pgx.Identifier{schema}.Sanitize()
	return func(query string) string { return strings.ReplaceAll(query, "onezone.", quoted+".") }
}
