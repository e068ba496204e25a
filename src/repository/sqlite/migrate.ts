import type { DatabaseSync } from 'node:sqlite'
import { Problem } from '../../model/problem.ts'
import { number } from './column.ts'

/** The schema's history: the version of a store is how many of these it has been through. Append only. */
export const migrations: readonly string[] = [
  // The first schema.
  `
  CREATE TABLE link_sets (
    id INTEGER PRIMARY KEY,
    link_type TEXT NOT NULL,
    qualifier TEXT NOT NULL,
    UNIQUE (link_type, qualifier)
  ) STRICT;

  CREATE TABLE links (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    rev TEXT NOT NULL,
    set_id INTEGER NOT NULL REFERENCES link_sets (id),
    first_id TEXT NOT NULL,
    second_id TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'confirmed' CHECK (state IN ('confirmed', 'pending')),
    UNIQUE (set_id, first_id),
    UNIQUE (set_id, second_id)
  ) STRICT;

  CREATE TABLE collections (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  ) STRICT;

  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    mapping TEXT NOT NULL,
    analysis INTEGER NOT NULL,
    state TEXT NOT NULL,
    started TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT;

  CREATE TABLE run_entries (
    seq INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX run_entries_of_run ON run_entries (run_id, seq);

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    id TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    recon_id TEXT,
    content TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX audit_id ON audit (id, topic);
  CREATE INDEX audit_topic ON audit (topic, seq);
  CREATE INDEX audit_run ON audit (topic, recon_id, seq) WHERE recon_id IS NOT NULL;

  CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`,
  // Ids that ignore case are stored in lower case; these columns keep how their systems spell them. Null: as stored, or not
  // known.
  `
  ALTER TABLE links ADD COLUMN first_spelling TEXT;
  ALTER TABLE links ADD COLUMN second_spelling TEXT;
`,
  // What is about to be done outside of the store. `links.state` was meant for it and never used.
  `
  CREATE TABLE intents (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    link_type TEXT NOT NULL,
    run_id TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX intents_of_links ON intents (link_type, seq);

  ALTER TABLE links DROP COLUMN state;
`,
  // What happened to one object is found without reading the audit: by its id as source, as target, or as the object.
  `
  CREATE INDEX audit_source ON audit (json_extract(content, '$.sourceObjectId'))
    WHERE json_extract(content, '$.sourceObjectId') IS NOT NULL;
  CREATE INDEX audit_target ON audit (json_extract(content, '$.targetObjectId'))
    WHERE json_extract(content, '$.targetObjectId') IS NOT NULL;
  CREATE INDEX audit_object ON audit (json_extract(content, '$.objectId'))
    WHERE json_extract(content, '$.objectId') IS NOT NULL;
`,
  // Changes that wait to be synchronized (engine §8.5). `resource` is the object's path: of one mapping and object, only the
  // oldest event that is not dead may be processed.
  `
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
`,
  // Every audit event carries a hash of itself and of the one before it; `audit_head` says which is the last, so that events
  // cut off at the end are missed, too. Events from before have none.
  `
  ALTER TABLE audit ADD COLUMN hash TEXT;
  CREATE TABLE audit_head (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    hash TEXT NOT NULL,
    chained INTEGER NOT NULL
  ) STRICT;
  INSERT INTO audit_head (only, hash, chained) VALUES (1, '', 0);
`,
  // Where audit events were removed by Syncline itself: runs of numbers without an event, each with the hash that stood at
  // its end, from which the chain continues. The last event of the topic `retention` contains a digest of all of them.
  `
  CREATE TABLE audit_gaps (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    hash TEXT NOT NULL,
    events INTEGER NOT NULL
  ) STRICT;
`,
  // Relationships between objects (platform §6.1): one row each, found from either end. An end is a collection, an id and
  // the property that shows the relationship there, empty where none does.
  `
  CREATE TABLE relationships (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    rev TEXT NOT NULL,
    first_collection TEXT NOT NULL,
    first_id TEXT NOT NULL,
    first_property TEXT NOT NULL,
    second_collection TEXT NOT NULL,
    second_id TEXT NOT NULL,
    second_property TEXT NOT NULL,
    properties TEXT NOT NULL
  ) STRICT;
  CREATE INDEX relationships_first ON relationships
    (first_id, first_property, first_collection, second_id, second_collection, second_property);
  CREATE INDEX relationships_second ON relationships
    (second_id, second_property, second_collection, first_id, first_collection, first_property);
`,
  // Names that processes hold for a while; the epoch grows with each new holder. Of a queued change that is being processed,
  // `claim` says under which lease; an intent says by whose lease its writer is known to live.
  `
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
`,
  // Cases that are left to people, one row each in its newest state; `sign` tells whether a case is still the same.
  `
  CREATE TABLE issues (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    mapping TEXT NOT NULL,
    run_id TEXT NOT NULL,
    sign TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX issues_of_mapping ON issues (mapping, run_id);
`,
]

/** Brings a store to this program's schema in one transaction. STORE_TOO_NEW, untouched, if a newer one wrote it. */
export function migrate(db: DatabaseSync, file: string, steps: readonly string[] = migrations): void {
  if (requireKnown(db, file, steps) === steps.length) return
  db.exec('BEGIN IMMEDIATE')
  try {
    // Asked again now that no other process can write: one may have migrated it meanwhile.
    for (const step of steps.slice(requireKnown(db, file, steps))) db.exec(step)
    db.exec(`PRAGMA user_version = ${steps.length}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function requireKnown(db: DatabaseSync, file: string, steps: readonly string[]): number {
  const version = number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version <= steps.length) return version
  throw new Problem(
    'STORE_TOO_NEW',
    `The store ${file} has schema version ${version}; this program knows versions up to ${steps.length}`,
  )
}
