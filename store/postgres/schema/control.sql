-- Version 3. What the owner of a token keeps in its record after it was issued.
ALTER TABLE onezone.tokens ADD COLUMN IF NOT EXISTS tightened text[]; -- each: Unix seconds, a space, a caveat; NULL: none
ALTER TABLE onezone.tokens ADD COLUMN IF NOT EXISTS bait smallint NOT NULL DEFAULT 0; -- 1: a canary, 2: one that revokes its family
ALTER TABLE onezone.tokens ADD COLUMN IF NOT EXISTS parent text COLLATE "C"; -- id of the token that created this one; NULL: none
CREATE INDEX IF NOT EXISTS tokens_by_parent ON onezone.tokens (parent, created, id) WHERE parent IS NOT NULL;
