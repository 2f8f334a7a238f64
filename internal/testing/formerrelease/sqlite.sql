PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE onezone_schema_version (
		one_row INTEGER PRIMARY KEY CHECK (one_row = 1),
		version INTEGER NOT NULL
	) STRICT;
INSERT INTO onezone_schema_version VALUES(1,2);
CREATE TABLE onezone_identities (
	subject   TEXT NOT NULL PRIMARY KEY,
	username  TEXT UNIQUE, -- NULL: none
	full_name TEXT NOT NULL,
	password  BLOB NOT NULL, -- encoded hash, empty: none
	blocked   INTEGER NOT NULL,
	created   INTEGER NOT NULL -- all times are in Unix seconds
, rights TEXT) STRICT, WITHOUT ROWID;
INSERT INTO onezone_identities VALUES('prv-p1',NULL,'Provider',X'',1,1500000001,NULL);
INSERT INTO onezone_identities VALUES('usr-alice','alice','Alice Żak',X'68617368',0,1500000000,'["oz_tokens_manage","oz_users_view"]');
CREATE TABLE onezone_temporary_keys (
	subject    TEXT NOT NULL PRIMARY KEY,
	secret     BLOB NOT NULL,
	generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO onezone_temporary_keys VALUES('usr-alice',X'74656d706f72617279',3);
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
INSERT INTO onezone_tokens VALUES(620391772497200423,'a1','backup',2,'usr-alice','act','["time \u003c 1900000000","ip = 10.0.0.0/8"]',X'736563726574206131',1600000000,0,X'6f5a6034e770acbfb3f797e6a7eb7948d470d45f9928f92b7d72dc7c45e6d0cd','{"purpose":"backup"}',NULL,0,0);
INSERT INTO onezone_tokens VALUES(620392872008828634,'a2','invite',2,'usr-alice','ujg:g1','[]',X'736563726574206132',1600000001,1,X'',NULL,'["group_view"]',7,3);
INSERT INTO onezone_tokens VALUES(623188930078801532,'b1','backup',1,'prv-p1','act','[]',X'00ff20736563726574',1600000000,0,X'',NULL,NULL,0,0);
CREATE TABLE onezone_changes (
	number INTEGER PRIMARY KEY,
	kind   TEXT NOT NULL, -- t: a token, k: a temporary key, i: an identity
	key    TEXT NOT NULL
) STRICT;
INSERT INTO onezone_changes VALUES(0,'','');
INSERT INTO onezone_changes VALUES(1,'i','prv-p1');
INSERT INTO onezone_changes VALUES(2,'i','usr-alice');
INSERT INTO onezone_changes VALUES(3,'k','usr-alice');
INSERT INTO onezone_changes VALUES(4,'t','a1');
INSERT INTO onezone_changes VALUES(5,'t','a2');
INSERT INTO onezone_changes VALUES(6,'t','b1');
CREATE INDEX onezone_tokens_by_age ON onezone_tokens (created, id);
CREATE INDEX onezone_tokens_by_subject ON onezone_tokens (subject, created, id);
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
COMMIT;
