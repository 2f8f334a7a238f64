-- Version 3. What the owner of a token keeps in its record after it was issued.
ALTER TABLE onezone_tokens ADD COLUMN tightened TEXT; -- a JSON array of texts: Unix seconds, a space, a caveat; NULL: none
ALTER TABLE onezone_tokens ADD COLUMN bait INTEGER NOT NULL DEFAULT 0; -- 1: a canary, 2: one that revokes its family
ALTER TABLE onezone_tokens ADD COLUMN parent TEXT; -- id of the token that created this one; NULL: none
CREATE INDEX onezone_tokens_by_parent ON onezone_tokens (parent, created, id) WHERE parent IS NOT NULL;
