/** What is about to be done outside of the store. `links.state` was meant for it and never used. */
export const intents = `
  CREATE TABLE intents (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    link_type TEXT NOT NULL,
    run_id TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX intents_of_links ON intents (link_type, seq);

  ALTER TABLE links DROP COLUMN state;
`
