/**
 * How every connection is set. `synchronous = NORMAL` in WAL mode: see connection.ts for what that promises. The cache
 * holds the inner pages of the indexes of some hundred thousand objects (KiB, negative by SQLite's convention).
 * A checkpoint of 16,000 pages rather than 1,000: bulk inserts touch the same index pages again and again.
 */
export const pragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 16000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -24576;
  PRAGMA temp_store = MEMORY;
`
