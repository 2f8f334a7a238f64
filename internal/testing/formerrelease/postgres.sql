CREATE SCHEMA onezone;
CREATE FUNCTION onezone.notify_all() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
	PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, '*');
	RETURN NULL;
END $$;
CREATE FUNCTION onezone.notify_subject() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.subject <> NEW.subject THEN
		PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, TG_ARGV[0] || OLD.subject);
	END IF;
	PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, TG_ARGV[0] || coalesce(NEW.subject, OLD.subject));
	RETURN NULL;
END $$;
CREATE FUNCTION onezone.notify_token() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN
		PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, 't' || OLD.id);
	END IF;
	PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, 't' || coalesce(NEW.id, OLD.id));
	RETURN NULL;
END $$;
CREATE TABLE onezone.identities (
    subject text NOT NULL COLLATE pg_catalog."C",
    username text COLLATE pg_catalog."C",
    full_name text NOT NULL,
    password bytea NOT NULL,
    blocked boolean NOT NULL,
    created bigint NOT NULL,
    rights text[]
);
CREATE TABLE onezone.schema_version (
    one_row boolean NOT NULL,
    version bigint NOT NULL,
    feed boolean NOT NULL
);
CREATE TABLE onezone.temporary_keys (
    subject text NOT NULL COLLATE pg_catalog."C",
    secret bytea NOT NULL,
    generation bigint NOT NULL
);
CREATE TABLE onezone.tokens (
    id text NOT NULL COLLATE pg_catalog."C",
    name text COLLATE pg_catalog."C",
    version smallint NOT NULL,
    subject text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL,
    caveats text[] NOT NULL,
    secret bytea NOT NULL,
    created bigint NOT NULL,
    revoked boolean NOT NULL,
    revoked_tails bytea NOT NULL,
    custom text,
    privileges text[],
    usage_limit bigint NOT NULL,
    usage_count bigint NOT NULL
);
INSERT INTO onezone.identities VALUES ('prv-p1', NULL, 'Provider', '\x', true, 1500000001, NULL);
INSERT INTO onezone.identities VALUES ('usr-alice', 'alice', 'Alice Żak', '\x68617368', false, 1500000000, '{oz_tokens_manage,oz_users_view}');
INSERT INTO onezone.schema_version VALUES (true, 2, true);
INSERT INTO onezone.temporary_keys VALUES ('usr-alice', '\x74656d706f72617279', 3);
INSERT INTO onezone.tokens VALUES ('a1', 'backup', 2, 'usr-alice', 'act', '{"time < 1900000000","ip = 10.0.0.0/8"}', '\x736563726574206131', 1600000000, false, '\x6f5a6034e770acbfb3f797e6a7eb7948d470d45f9928f92b7d72dc7c45e6d0cd', '{"purpose":"backup"}', NULL, 0, 0);
INSERT INTO onezone.tokens VALUES ('a2', 'invite', 2, 'usr-alice', 'ujg:g1', '{}', '\x736563726574206132', 1600000001, true, '\x', NULL, '{group_view}', 7, 3);
INSERT INTO onezone.tokens VALUES ('b1', 'backup', 1, 'prv-p1', 'act', '{}', '\x00ff20736563726574', 1600000000, false, '\x', NULL, NULL, 0, 0);
ALTER TABLE ONLY onezone.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (subject);
ALTER TABLE ONLY onezone.identities
    ADD CONSTRAINT identities_username_key UNIQUE (username);
ALTER TABLE ONLY onezone.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (one_row);
ALTER TABLE ONLY onezone.temporary_keys
    ADD CONSTRAINT temporary_keys_pkey PRIMARY KEY (subject);
ALTER TABLE ONLY onezone.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);
ALTER TABLE ONLY onezone.tokens
    ADD CONSTRAINT tokens_subject_name_key UNIQUE (subject, name);
CREATE INDEX tokens_by_age ON onezone.tokens USING btree (created, id);
CREATE INDEX tokens_by_subject ON onezone.tokens USING btree (subject, created, id);
CREATE TRIGGER notify_all AFTER TRUNCATE ON onezone.identities FOR EACH STATEMENT EXECUTE FUNCTION onezone.notify_all();
CREATE TRIGGER notify_all AFTER TRUNCATE ON onezone.temporary_keys FOR EACH STATEMENT EXECUTE FUNCTION onezone.notify_all();
CREATE TRIGGER notify_all AFTER TRUNCATE ON onezone.tokens FOR EACH STATEMENT EXECUTE FUNCTION onezone.notify_all();
CREATE TRIGGER notify_change AFTER INSERT OR DELETE OR UPDATE ON onezone.identities FOR EACH ROW EXECUTE FUNCTION onezone.notify_subject('i');
CREATE TRIGGER notify_change AFTER INSERT OR DELETE OR UPDATE ON onezone.temporary_keys FOR EACH ROW EXECUTE FUNCTION onezone.notify_subject('k');
CREATE TRIGGER notify_change AFTER INSERT OR DELETE OR UPDATE ON onezone.tokens FOR EACH ROW EXECUTE FUNCTION onezone.notify_token();
