/**
 * Changes that wait to be carried on (engine §8.5). `resource` is the object's path: of one mapping and
 * object, the oldest event that is not dead is the only one that may be worked.
 */
export const syncQueue = `
  CREATE TABLE sync_queue (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    mapping TEXT NOT NULL,
    resource TEXT NOT NULL,
    state TEXT NOT NULL,
    due INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    content TEXT NOT NULL
  );
  CREATE INDEX sync_queue_object ON sync_queue (mapping, resource, seq) WHERE state <> 'DEAD';
  CREATE INDEX sync_queue_due ON sync_queue (mapping, due) WHERE state = 'PENDING';
`
