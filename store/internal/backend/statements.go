package backend

import (
	_ "embed"
	"strings"
)

// Query is the name of a statement.
type Query string

// The statements that SQL runs. Their texts are in statements.sql, except those
// that each driver has to define.
const (
	NamedKey               Query = "NamedKey" // by id, and by row id if the dialect has one
	TemporaryKey           Query = "TemporaryKey"
	EnsureTemporaryKey     Query = "EnsureTemporaryKey"
	RotateTemporaryKey     Query = "RotateTemporaryKey" // writes, and returns a row
	ReplaceTemporarySecret Query = "ReplaceTemporarySecret"
	DeleteTemporaryKey     Query = "DeleteTemporaryKey"
	GetToken               Query = "GetToken"
	LockToken              Query = "LockToken" // reads the record in a transaction that will write it
	UpdateToken            Query = "UpdateToken"
	DeleteToken            Query = "DeleteToken" // returns the id
	DeleteUse              Query = "DeleteUse"
	ListTokens             Query = "ListTokens"
	ListTokensOf           Query = "ListTokensOf"
	ListTokensNamed        Query = "ListTokensNamed"
	ListTokensMinted       Query = "ListTokensMinted"
	ListIDs                Query = "ListIDs"
	ListIDsOf              Query = "ListIDsOf"
	ListIDsNamed           Query = "ListIDsNamed"
	ListIDsMinted          Query = "ListIDsMinted"
	CountTokens            Query = "CountTokens"
	CreateIdentity         Query = "CreateIdentity"
	GetIdentity            Query = "GetIdentity"
	GetIdentityByUsername  Query = "GetIdentityByUsername"
	LockIdentity           Query = "LockIdentity"
	UpdateIdentity         Query = "UpdateIdentity"
	DeleteIdentity         Query = "DeleteIdentity"
	ExportIdentities       Query = "ExportIdentities"
	ExportTemporary        Query = "ExportTemporary"
	ExportTokens           Query = "ExportTokens"
	ClearUsernames         Query = "ClearUsernames" // of the driver: clears the names of the records with the keys
	ImportIdentity         Query = "ImportIdentity"
	ImportTemporary        Query = "ImportTemporary"
	ClearTokenNames        Query = "ClearTokenNames" // of the driver
	ImportToken            Query = "ImportToken"
	RecordUse              Query = "RecordUse"
	LastUses               Query = "LastUses" // of the driver: reads the uses of the tokens with the keys
	ExportUses             Query = "ExportUses"
	ImportUse              Query = "ImportUse"
	None                   Query = ""
)

//go:embed statements.sql
var shared string

// Statements returns the shared statements, replaced or extended by those in
// own, which has the form of statements.sql. in rewrites a statement for the
// schema onezone to the tables of the store.
func Statements(in func(string) string, own string) map[Query]string {
	texts := make(map[string]string)
	name := ""
	for line := range strings.Lines(shared + own) {
		switch next, isName := strings.CutPrefix(line, "-- name: "); {
		case isName:
			name = strings.TrimSpace(next)
			texts[name] = ""
		case !strings.HasPrefix(line, "--"):
			texts[name] += line
		}
	}
	all := make(map[Query]string)
	for name, text := range texts {
		if name != "" && name[0] != '{' {
			all[Query(name)] = in(strings.TrimSpace(withParts(text, texts)))
		}
	}
	return all
}

// withParts replaces the names of parts in a text.
func withParts(text string, texts map[string]string) string {
	before, rest, found := strings.Cut(text, "{")
	if !found {
		return text
	}
	name, after, _ := strings.Cut(rest, "}")
	return before + withParts(texts["{"+name+"}"], texts) + withParts(after, texts)
}
