-- Version 1. Every statement can be repeated, for engines that commit each DDL
-- statement separately.

-- Subjects are texts like usr-ID and prv-ID. Keys are ordered by their bytes.
CREATE TABLE IF NOT EXISTS onezone.identities (
	subject   text COLLATE "C" NOT NULL PRIMARY KEY,
	username  text COLLATE "C" UNIQUE, -- NULL: none
	full_name text NOT NULL,
	password  bytea NOT NULL, -- encoded hash, empty: none
	blocked   boolean NOT NULL,
	created   bigint NOT NULL -- all times are in Unix seconds
);

CREATE TABLE IF NOT EXISTS onezone.temporary_keys (
	subject    text COLLATE "C" NOT NULL PRIMARY KEY,
	secret     bytea NOT NULL,
	generation bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS onezone.tokens (
	id            text COLLATE "C" NOT NULL PRIMARY KEY,
	name          text COLLATE "C", -- NULL only within the transaction of an import
	version       smallint NOT NULL,
	subject       text COLLATE "C" NOT NULL,
	type          text NOT NULL,
	caveats       text[] NOT NULL,
	secret        bytea NOT NULL,
	created       bigint NOT NULL,
	revoked       boolean NOT NULL,
	revoked_tails bytea NOT NULL, -- concatenated, 32 bytes each
	custom        text, -- a JSON object as the client wrote it
	privileges    text[],
	usage_limit   bigint NOT NULL,
	usage_count   bigint NOT NULL,
	UNIQUE (subject, name)
);

CREATE INDEX IF NOT EXISTS tokens_by_age ON onezone.tokens (created, id);
CREATE INDEX IF NOT EXISTS tokens_by_subject ON onezone.tokens (subject, created, id);
