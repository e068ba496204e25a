import type { RecordedRun } from '../audit.ts'
import { optionalText, text } from './column.ts'
import type { Connection } from './connection.ts'

/** From one run to the next through the index by run: entries are many, runs are few. */
const runIds = `
  WITH RECURSIVE run (id) AS (
    SELECT min(recon_id) FROM audit WHERE topic = 'recon' AND recon_id IS NOT NULL
    UNION ALL
    SELECT (SELECT min(recon_id) FROM audit WHERE topic = 'recon' AND recon_id > run.id)
    FROM run WHERE run.id IS NOT NULL
  )
  SELECT id FROM run WHERE id IS NOT NULL`

const lastEvent = `
  SELECT seq, timestamp, json_extract(content, '$.mapping') AS mapping FROM audit
  WHERE topic = 'recon' AND recon_id = ? ORDER BY seq DESC LIMIT 1`

export function recordedRuns(connection: Connection): readonly RecordedRun[] {
  return connection
    .rows(runIds)
    .map(({ id }) => ({ id: text(id), last: connection.row(lastEvent, text(id)) }))
    .toSorted((a, b) => Number(a.last?.seq) - Number(b.last?.seq))
    .map(({ id, last }) => ({
      reconId: id,
      mapping: optionalText(last?.mapping) ?? null,
      timestamp: text(last?.timestamp),
    }))
}
