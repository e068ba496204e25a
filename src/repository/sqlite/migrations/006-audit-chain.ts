/**
 * Every audit event carries a hash of itself and of the one before it; `audit_head` says which is the last, so that events
 * cut off at the end are missed, too. Events from before have none.
 */
export const auditChain = `
  ALTER TABLE audit ADD COLUMN hash TEXT;
  CREATE TABLE audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    hash TEXT NOT NULL,
    chained INTEGER NOT NULL
  ) STRICT;
  INSERT INTO audit_head (only, hash, chained) VALUES (1, '', 0);
`
