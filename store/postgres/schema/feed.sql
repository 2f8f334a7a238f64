-- The feed: triggers notify a channel of every committed change of any program.
-- The channel has the name of the schema. The payload is a letter for the kind of
-- the record and its key; any other payload means that any record may have changed.

CREATE OR REPLACE FUNCTION onezone.notify_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.id <> NEW.id THEN
		PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, 't' || OLD.id);
	END IF;
	PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, 't' || coalesce(NEW.id, OLD.id));
	RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION onezone.notify_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.subject <> NEW.subject THEN
		PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, TG_ARGV[0] || OLD.subject);
	END IF;
	PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, TG_ARGV[0] || coalesce(NEW.subject, OLD.subject));
	RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION onezone.notify_all() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_catalog.pg_notify(TG_TABLE_SCHEMA, '*');
	RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON onezone.tokens
	FOR EACH ROW EXECUTE FUNCTION onezone.notify_token();
CREATE OR REPLACE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON onezone.temporary_keys
	FOR EACH ROW EXECUTE FUNCTION onezone.notify_subject('k');
CREATE OR REPLACE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON onezone.identities
	FOR EACH ROW EXECUTE FUNCTION onezone.notify_subject('i');

CREATE OR REPLACE TRIGGER notify_all AFTER TRUNCATE ON onezone.tokens EXECUTE FUNCTION onezone.notify_all();
CREATE OR REPLACE TRIGGER notify_all AFTER TRUNCATE ON onezone.temporary_keys EXECUTE FUNCTION onezone.notify_all();
CREATE OR REPLACE TRIGGER notify_all AFTER TRUNCATE ON onezone.identities EXECUTE FUNCTION onezone.notify_all();
