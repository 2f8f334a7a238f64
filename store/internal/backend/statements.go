package backend

import (
	"maps"
	"strconv"

	"github.com/onezone-go/onezone/store"
)

// Query identifies a statement. Drivers number their own statements from
// NumQueries.
type Query int

// The statements that SQL runs. Statements returns their default texts.
const (
	NamedKey Query = iota // by id, and by row id if the dialect has one
	TemporaryKey
	EnsureTemporaryKey
	RotateTemporaryKey // writes, and returns a row
	ReplaceTemporarySecret
	DeleteTemporaryKey
	GetToken
	LockToken // reads the record in a transaction that will write it
	UpdateToken
	DeleteToken // returns the id
	DeleteUse
	ListTokens
	ListTokensOf
	ListTokensNamed
	ListTokensMinted
	ListIDs
	ListIDsOf
	ListIDsNamed
	ListIDsMinted
	CountTokens
	CreateIdentity
	GetIdentity
	GetIdentityByUsername
	LockIdentity
	UpdateIdentity
	DeleteIdentity
	ExportIdentities
	ExportTemporary
	ExportTokens
	ClearUsernames // no default: clears the names of the records with the keys
	ImportIdentity
	ImportTemporary
	ClearTokenNames // no default
	ImportToken
	RecordUse
	LastUses // no default: reads the uses of the tokens with the keys
	ExportUses
	ImportUse
	NumQueries
	None Query = -1
)

// Parts of statements.
const (
	TokenColumns = `id, name, version, subject, type, caveats, secret, created, revoked, revoked_tails,
		custom, privileges, usage_limit, usage_count, tightened, bait, parent`
	// OverwriteToken makes an insertion replace a token with the same id.
	OverwriteToken = ` ON CONFLICT (id) DO UPDATE SET name = excluded.name,
		version = excluded.version, subject = excluded.subject, type = excluded.type,
		caveats = excluded.caveats, secret = excluded.secret, created = excluded.created,
		revoked = excluded.revoked, revoked_tails = excluded.revoked_tails, custom = excluded.custom,
		privileges = excluded.privileges, usage_limit = excluded.usage_limit,
		usage_count = excluded.usage_count, tightened = excluded.tightened, bait = excluded.bait,
		parent = excluded.parent`
	// SelectNamedKey selects the key of a token t.
	SelectNamedKey = `SELECT t.subject, t.secret, t.revoked, t.revoked_tails, t.tightened, t.bait, i.blocked
		FROM onezone.tokens AS t LEFT JOIN onezone.identities AS i ON i.subject = t.subject `

	selectToken = `SELECT ` + TokenColumns + ` FROM onezone.tokens `
	selectPlace = `SELECT created, id FROM onezone.tokens `

	// The conditions and the order of listings.
	ofAll     = `WHERE (created, id) > ($1, $2) ORDER BY created, id LIMIT $3`
	ofSubject = `WHERE (created, id) > ($1, $2) AND subject = $4 ORDER BY created, id LIMIT $3`
	ofName    = `WHERE (created, id) > ($1, $2) AND subject = $4 AND name = $5 ORDER BY created, id LIMIT $3`
	ofParent  = `WHERE (created, id) > ($1, $2) AND parent = $4 ORDER BY created, id LIMIT $3`

	identityColumns = `subject, username, full_name, password, blocked, created, rights`
	insertIdentity  = `INSERT INTO onezone.identities (` + identityColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7) `
	selectIdentity  = `SELECT ` + identityColumns + ` FROM onezone.identities `

	// SelectUse selects uses.
	SelectUse = `SELECT token_id, used_at, address, service, interface, use_count FROM onezone.uses `

	// OfTokenToUse selects the token of a use that is written.
	OfTokenToUse = `FROM onezone.tokens WHERE id = $1`
	// insertUse writes a use if its token exists, and replaces all but the
	// count of an earlier use.
	insertUse = `INSERT INTO onezone.uses AS u (token_id, used_at, address, service, interface, use_count)
		SELECT id, CAST($2 AS bigint), CAST($3 AS text), CAST($4 AS text), CAST($5 AS text), CAST($6 AS bigint)
		` + OfTokenToUse + ` ON CONFLICT (token_id) DO UPDATE SET `

	insertTemporary = `INSERT INTO onezone.temporary_keys AS k (subject, secret, generation) VALUES `
)

// statements are the default texts, for the schema onezone. They use only SQL
// that PostgreSQL, CockroachDB, YugabyteDB and SQLite share.
var statements = map[Query]string{
	NamedKey: SelectNamedKey + `WHERE t.id = $1`,
	TemporaryKey: `SELECT k.secret, k.generation, i.blocked
		FROM onezone.temporary_keys AS k LEFT JOIN onezone.identities AS i ON i.subject = k.subject
		WHERE k.subject = $1`,
	EnsureTemporaryKey: insertTemporary + `($1, $2, 1) ON CONFLICT (subject) DO NOTHING`,
	RotateTemporaryKey: insertTemporary + `($1, $2, 1) ON CONFLICT (subject) DO UPDATE
		SET secret = excluded.secret, generation = k.generation + 1 RETURNING generation`,
	ReplaceTemporarySecret: `UPDATE onezone.temporary_keys SET secret = $3 WHERE subject = $1 AND secret = $2`,
	DeleteTemporaryKey:     `DELETE FROM onezone.temporary_keys WHERE subject = $1`,

	GetToken:  selectToken + `WHERE id = $1`,
	LockToken: selectToken + `WHERE id = $1`,
	UpdateToken: `UPDATE onezone.tokens SET name = $2, version = $3, type = $4, caveats = $5, secret = $6,
		revoked = $7, revoked_tails = $8, custom = $9, privileges = $10, usage_limit = $11, usage_count = $12,
		tightened = $13, bait = $14
		WHERE id = $1`,
	DeleteToken:      `DELETE FROM onezone.tokens WHERE id = $1 RETURNING id`,
	DeleteUse:        `DELETE FROM onezone.uses WHERE token_id = $1`,
	ListTokens:       selectToken + ofAll,
	ListTokensOf:     selectToken + ofSubject,
	ListTokensNamed:  selectToken + ofName,
	ListTokensMinted: selectToken + ofParent,
	ListIDs:          selectPlace + ofAll,
	ListIDsOf:        selectPlace + ofSubject,
	ListIDsNamed:     selectPlace + ofName,
	ListIDsMinted:    selectPlace + ofParent,
	CountTokens:      `SELECT count(*) FROM onezone.tokens WHERE subject = $1`,

	CreateIdentity:        insertIdentity,
	GetIdentity:           selectIdentity + `WHERE subject = $1`,
	GetIdentityByUsername: selectIdentity + `WHERE username = $1`,
	LockIdentity:          selectIdentity + `WHERE subject = $1`,
	UpdateIdentity: `UPDATE onezone.identities SET username = $2, full_name = $3, password = $4, blocked = $5, rights = $6
		WHERE subject = $1`,
	DeleteIdentity: `DELETE FROM onezone.identities WHERE subject = $1`,

	ExportIdentities: selectIdentity + `WHERE subject > $1 ORDER BY subject LIMIT $2`,
	ExportTemporary: `SELECT subject, secret, generation FROM onezone.temporary_keys
		WHERE subject > $1 ORDER BY subject LIMIT $2`,
	ExportTokens: selectToken + `WHERE id > $1 ORDER BY id LIMIT $2`,
	ImportIdentity: insertIdentity + `ON CONFLICT (subject) DO UPDATE SET username = excluded.username,
		full_name = excluded.full_name, password = excluded.password, blocked = excluded.blocked,
		created = excluded.created, rights = excluded.rights`,
	ImportTemporary: insertTemporary + `($1, $2, $3) ON CONFLICT (subject) DO UPDATE
		SET secret = excluded.secret, generation = excluded.generation`,
	ImportToken: `INSERT INTO onezone.tokens (` + TokenColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)` + OverwriteToken,

	RecordUse: insertUse + `used_at = ` + later("used_at") + `, address = ` + later("address") + `,
		service = ` + later("service") + `, interface = ` + later("interface") + `,
		use_count = CASE WHEN u.use_count > ` + maxCount + ` - excluded.use_count THEN ` + maxCount + ` ELSE u.use_count + excluded.use_count END`,
	ExportUses: SelectUse + `WHERE token_id > $1 ORDER BY token_id LIMIT $2`,
	ImportUse: insertUse + `used_at = excluded.used_at, address = excluded.address, service = excluded.service,
		interface = excluded.interface, use_count = excluded.use_count`,
}

// maxCount is the largest count of a use.
var maxCount = strconv.FormatInt(store.MaxUseCount, 10)

// later returns the expression for the column of the later of two uses.
func later(column string) string {
	return `CASE WHEN excluded.used_at >= u.used_at THEN excluded.` + column + ` ELSE u.` + column + ` END`
}

// Statements returns the statements of a driver, indexed by Query: the
// defaults, replaced or extended by own. in rewrites a statement for the schema
// onezone to the tables of the store.
func Statements(in func(string) string, own map[Query]string) []string {
	all := maps.Clone(statements)
	maps.Copy(all, own)
	texts := make([]string, len(all))
	for q, text := range all {
		texts[q] = in(text)
	}
	return texts
}
