/** The first schema. */
export const initial = `
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
`
