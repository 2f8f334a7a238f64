package sqlite

// query is one of the statements of the data path.
type query int

const (
	none query = iota - 1
	lock
	namedKey
	temporaryKey
	ensureTemporary
	rotateTemporary
	replaceTemporary
	deleteTemporary
	createToken
	createTokenIfActive
	getToken
	updateToken
	deleteToken
	listAll
	listSubject
	listName
	listAllIDs
	listSubjectIDs
	listNameID
	countTokens
	createIdentity
	getIdentity
	getUser
	updateIdentity
	deleteIdentity
	exportIdentities
	exportTemporary
	exportTokens
	unnameIdentities
	importIdentity
	importTemporary
	unnameTokens
	importToken
	lastChange
	listChanges
)

const (
	tokenColumns = `id, name, version, subject, type, caveats, secret, created, revoked, revoked_tails,
		custom, privileges, usage_limit, usage_count`
	insertToken = `INSERT INTO onezone_tokens (` + tokenColumns + `, place)
		SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
			iif(EXISTS (SELECT 1 FROM onezone_tokens WHERE place = ?15), NULL, ?15) WHERE `
	selectToken = `SELECT ` + tokenColumns + ` FROM onezone_tokens `
	selectPlace = `SELECT created, id FROM onezone_tokens `

	// The conditions and the order of listings.
	ofAll     = `WHERE (created, id) > (?1, ?2) ORDER BY created, id LIMIT ?3`
	ofSubject = `WHERE (created, id) > (?1, ?2) AND subject = ?4 ORDER BY created, id LIMIT ?3`
	ofName    = `WHERE (created, id) > (?1, ?2) AND subject = ?4 AND name = ?5 ORDER BY created, id LIMIT ?3`

	selectNamedKey = `SELECT t.subject, t.secret, t.revoked, t.revoked_tails, i.blocked
		FROM onezone_tokens AS t LEFT JOIN onezone_identities AS i ON i.subject = t.subject `

	identityColumns = `subject, username, full_name, password, blocked, created`
	insertIdentity  = `INSERT INTO onezone_identities (` + identityColumns + `) VALUES (?1, ?2, ?3, ?4, ?5, ?6) `
	selectIdentity  = `SELECT ` + identityColumns + ` FROM onezone_identities `

	insertTemporary = `INSERT INTO onezone_temporary_keys AS k (subject, secret, generation) VALUES (?1, ?2, ?3) `
)

var queryTexts = [...]string{
	// As the first statement of a transaction this makes it BEGIN IMMEDIATE,
	// whatever the handle begins transactions with.
	lock: `DELETE FROM onezone_schema_version WHERE false`,

	// The second part is run where the first finds nothing.
	namedKey: selectNamedKey + `WHERE t.place = ?2 AND t.id = ?1
		UNION ALL ` + selectNamedKey + `WHERE t.id = ?1 LIMIT 1`,
	temporaryKey: `SELECT k.secret, k.generation, i.blocked
		FROM onezone_temporary_keys AS k LEFT JOIN onezone_identities AS i ON i.subject = k.subject
		WHERE k.subject = ?1`,
	ensureTemporary: insertTemporary + `ON CONFLICT (subject) DO NOTHING`,
	rotateTemporary: insertTemporary + `ON CONFLICT (subject) DO UPDATE
		SET secret = excluded.secret, generation = k.generation + 1 RETURNING generation`,
	replaceTemporary: `UPDATE onezone_temporary_keys SET secret = ?3 WHERE subject = ?1 AND secret = ?2`,
	deleteTemporary:  `DELETE FROM onezone_temporary_keys WHERE subject = ?1`,

	createToken: insertToken + `true`,
	createTokenIfActive: insertToken +
		`EXISTS (SELECT 1 FROM onezone_identities WHERE subject = ?4 AND NOT blocked)`,
	getToken: selectToken + `WHERE id = ?1`,
	updateToken: `UPDATE onezone_tokens SET name = ?2, version = ?3, type = ?5, caveats = ?6, secret = ?7,
		revoked = ?9, revoked_tails = ?10, custom = ?11, privileges = ?12, usage_limit = ?13, usage_count = ?14
		WHERE id = ?1`,
	deleteToken:    `DELETE FROM onezone_tokens WHERE id = ?1`,
	listAll:        selectToken + ofAll,
	listSubject:    selectToken + ofSubject,
	listName:       selectToken + ofName,
	listAllIDs:     selectPlace + ofAll,
	listSubjectIDs: selectPlace + ofSubject,
	listNameID:     selectPlace + ofName,
	countTokens:    `SELECT count(*) FROM onezone_tokens WHERE subject = ?1`,

	createIdentity: insertIdentity,
	getIdentity:    selectIdentity + `WHERE subject = ?1`,
	getUser:        selectIdentity + `WHERE username = ?1`,
	updateIdentity: `UPDATE onezone_identities SET username = ?2, full_name = ?3, password = ?4, blocked = ?5
		WHERE subject = ?1`,
	deleteIdentity: `DELETE FROM onezone_identities WHERE subject = ?1`,

	exportIdentities: selectIdentity + `WHERE subject > ?1 ORDER BY subject LIMIT ?2`,
	exportTemporary: `SELECT subject, secret, generation FROM onezone_temporary_keys
		WHERE subject > ?1 ORDER BY subject LIMIT ?2`,
	exportTokens: selectToken + `WHERE id > ?1 ORDER BY id LIMIT ?2`,

	// An import takes away the names of all that it replaces before it gives
	// any, so that records may swap names.
	unnameIdentities: `UPDATE onezone_identities SET username = NULL
		WHERE subject IN (SELECT value FROM json_each(?1)) AND username IS NOT NULL`,
	importIdentity: insertIdentity + `ON CONFLICT (subject) DO UPDATE SET username = excluded.username,
		full_name = excluded.full_name, password = excluded.password, blocked = excluded.blocked,
		created = excluded.created`,
	importTemporary: insertTemporary + `ON CONFLICT (subject) DO UPDATE
		SET secret = excluded.secret, generation = excluded.generation`,
	unnameTokens: `UPDATE onezone_tokens SET name = NULL WHERE id IN (SELECT value FROM json_each(?1))`,
	importToken: insertToken + `true ON CONFLICT (id) DO UPDATE SET name = excluded.name,
		version = excluded.version, subject = excluded.subject, type = excluded.type,
		caveats = excluded.caveats, secret = excluded.secret, created = excluded.created,
		revoked = excluded.revoked, revoked_tails = excluded.revoked_tails, custom = excluded.custom,
		privileges = excluded.privileges, usage_limit = excluded.usage_limit,
		usage_count = excluded.usage_count`,

	lastChange:  `SELECT max(number) FROM onezone_changes`,
	listChanges: `SELECT number, kind, key FROM onezone_changes WHERE number >= ?1 ORDER BY number LIMIT ?2`,
}
