/**
 * Where audit events were removed by Syncline itself: runs of numbers without an event, each with the hash that stood at its
 * end, so that the chain goes on from there. The last event of the topic `retention` vouches for all of them.
 */
export const auditGaps = `
  CREATE TABLE audit_gaps (
    first INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    hash TEXT NOT NULL,
    events INTEGER NOT NULL
  ) STRICT;
`
