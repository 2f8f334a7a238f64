-- Version 2. Admin rights of identities.
ALTER TABLE onezone_identities ADD COLUMN rights TEXT; -- a JSON array of texts; NULL: none
