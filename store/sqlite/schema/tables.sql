-- Version 1. The tables may share a file with those of an application.

-- Subjects are texts like usr-ID and prv-ID. Keys are ordered by their bytes.
CREATE TABLE onezone_identities (
	subject   TEXT NOT NULL PRIMARY KEY,
	username  TEXT UNIQUE, -- NULL: none
	full_name TEXT NOT NULL,
	password  BLOB NOT NULL, -- encoded hash, empty: none
	blocked   INTEGER NOT NULL,
	created   INTEGER NOT NULL -- all times are in Unix seconds
) STRICT, WITHOUT ROWID;

CREATE TABLE onezone_temporary_keys (
	subject    TEXT NOT NULL PRIMARY KEY,
	secret     BLOB NOT NULL,
	generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE onezone_tokens (
	row_id        INTEGER PRIMARY KEY, -- a hash of the id, or another number if that is taken
	id            TEXT NOT NULL UNIQUE,
	name          TEXT, -- NULL only within the transaction of an import
	version       INTEGER NOT NULL,
	subject       TEXT NOT NULL,
	type          TEXT NOT NULL,
	caveats       TEXT NOT NULL, -- a JSON array of texts
	secret        BLOB NOT NULL,
	created       INTEGER NOT NULL,
	revoked       INTEGER NOT NULL,
	revoked_tails BLOB NOT NULL, -- concatenated, 32 bytes each
	custom        TEXT, -- a JSON object as the client wrote it
	privileges    TEXT, -- a JSON array of texts; NULL if the type has none
	usage_limit   INTEGER NOT NULL,
	usage_count   INTEGER NOT NULL,
	UNIQUE (subject, name)
) STRICT;

CREATE INDEX onezone_tokens_by_age ON onezone_tokens (created, id);
CREATE INDEX onezone_tokens_by_subject ON onezone_tokens (subject, created, id);

-- The feed: every committed change of any program.
-- Numbers have no gaps, because the last row is never deleted.
CREATE TABLE onezone_changes (
	number INTEGER PRIMARY KEY,
	kind   TEXT NOT NULL, -- t: a token, k: a temporary key, i: an identity
	key    TEXT NOT NULL
) STRICT;

INSERT INTO onezone_changes (number, kind, key) VALUES (0, '', '');

CREATE TRIGGER onezone_forget_changes AFTER INSERT ON onezone_changes WHEN NEW.number % 1024 = 0
BEGIN DELETE FROM onezone_changes WHERE number <= NEW.number - 16384; END;

CREATE TRIGGER onezone_token_created AFTER INSERT ON onezone_tokens
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('t', NEW.id); END;
CREATE TRIGGER onezone_token_updated AFTER UPDATE ON onezone_tokens
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('t', NEW.id); END;
CREATE TRIGGER onezone_token_moved AFTER UPDATE OF id ON onezone_tokens WHEN OLD.id <> NEW.id
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('t', OLD.id); END;
CREATE TRIGGER onezone_token_deleted AFTER DELETE ON onezone_tokens
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('t', OLD.id); END;

CREATE TRIGGER onezone_temporary_key_created AFTER INSERT ON onezone_temporary_keys
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('k', NEW.subject); END;
CREATE TRIGGER onezone_temporary_key_updated AFTER UPDATE ON onezone_temporary_keys
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('k', NEW.subject); END;
CREATE TRIGGER onezone_temporary_key_moved AFTER UPDATE OF subject ON onezone_temporary_keys WHEN OLD.subject <> NEW.subject
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('k', OLD.subject); END;
CREATE TRIGGER onezone_temporary_key_deleted AFTER DELETE ON onezone_temporary_keys
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('k', OLD.subject); END;

CREATE TRIGGER onezone_identity_created AFTER INSERT ON onezone_identities
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('i', NEW.subject); END;
CREATE TRIGGER onezone_identity_updated AFTER UPDATE ON onezone_identities
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('i', NEW.subject); END;
CREATE TRIGGER onezone_identity_moved AFTER UPDATE OF subject ON onezone_identities WHEN OLD.subject <> NEW.subject
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('i', OLD.subject); END;
CREATE TRIGGER onezone_identity_deleted AFTER DELETE ON onezone_identities
BEGIN INSERT INTO onezone_changes (kind, key) VALUES ('i', OLD.subject); END;
