-- Version 4. The last uses of named tokens.
CREATE TABLE onezone_uses (
	token_id  TEXT NOT NULL PRIMARY KEY,
	used_at   INTEGER NOT NULL, -- the beginning of a minute
	address   TEXT NOT NULL,
	service   TEXT NOT NULL,
	interface TEXT NOT NULL,
	use_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
