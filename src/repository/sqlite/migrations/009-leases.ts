/**
 * Names that processes hold for a while; the epoch grows with each new holder. Before a change of the queue is worked, its `claim`
 * says under which lease; an intent says by whose lease its writer is known to live.
 */
export const leases = `
  CREATE TABLE leases (
    epoch INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    process TEXT NOT NULL,
    expires INTEGER NOT NULL
  ) STRICT;

  ALTER TABLE sync_queue ADD COLUMN claim INTEGER;
  CREATE INDEX sync_queue_claim ON sync_queue (claim) WHERE claim IS NOT NULL;

  ALTER TABLE intents ADD COLUMN worker TEXT NOT NULL DEFAULT '';
`
