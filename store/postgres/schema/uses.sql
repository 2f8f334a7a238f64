-- Version 4. The last uses of named tokens. No foreign key, so that the table of
-- tokens can be truncated; deleting a token deletes its use.
CREATE TABLE IF NOT EXISTS onezone.uses (
	token_id  text COLLATE "C" NOT NULL PRIMARY KEY,
	used_at   bigint NOT NULL, -- the beginning of a minute
	address   text NOT NULL,
	service   text NOT NULL,
	interface text NOT NULL,
	use_count bigint NOT NULL
);
