-- Version 2. Admin rights of identities.
ALTER TABLE onezone.identities ADD COLUMN IF NOT EXISTS rights text[]; -- NULL: none
