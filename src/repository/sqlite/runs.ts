import { Problem } from '../../model/problem.ts'
import type { RunRecord, Runs } from '../runs.ts'
import { text } from './column.ts'
import type { Row } from './connection.ts'
import { documentOf, documentText } from './document.ts'
import { violatesConstraint } from './failure.ts'
import { fragment } from './fragment.ts'
import { documents } from './query.ts'
import type { Session } from './session.ts'

/** Runs (engine §7.7) and, where associations are asked for, their entries (engine §7.9). */
export function sqliteRuns(session: Session): Runs {
  return {
    async save({ id, mapping, analysis, state, started, content }) {
      await session.run(upsert, id, mapping, Number(analysis), state, started, documentText(content))
    },
    read: (id) => session.row(runOf, 'SELECT * FROM runs WHERE id = ?', id),
    list: () => session.rows(runOf, 'SELECT * FROM runs ORDER BY started, seq'),
    delete: async (id) => (await session.run('DELETE FROM runs WHERE id = ?', id)) > 0,
    withEntries: async () => new Set(await session.rows(({ id }) => text(id), runsWithEntries)),
    async deleteEntries(id) {
      await session.run('DELETE FROM run_entries WHERE run_id = ?', id)
    },
    appendEntries: (entries) =>
      session.write((connection) => {
        const insert = 'INSERT INTO run_entries (run_id, id, content) VALUES (?, ?, ?)'
        for (const { id, runId, content } of entries) {
          try {
            connection.run(insert, runId, id, documentText(content))
          } catch (error) {
            if (!violatesConstraint(error)) throw error
            throw new Problem('NOT_FOUND', `The run ${runId} of entry ${id} is not stored`, { cause: error })
          }
        }
      }),
    readEntry: (runId, id) =>
      session.row(
        ({ content }) => documentOf(content),
        'SELECT content FROM run_entries WHERE run_id = ? AND id = ? ORDER BY seq DESC LIMIT 1',
        ...[runId, id],
      ),
    queryEntries: (runId, query) =>
      session.page(documents('run_entries', fragment('run_id = ?', runId), { ties: ['id', 'seq'] }), query),
  }
}

const upsert = `
  INSERT INTO runs (id, mapping, analysis, state, started, content) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET mapping = excluded.mapping, analysis = excluded.analysis, state = excluded.state,
    started = excluded.started, content = excluded.content`

/** Looks each run up in the index, instead of reading every entry there is. */
const runsWithEntries =
  'SELECT id FROM runs WHERE EXISTS (SELECT 1 FROM run_entries WHERE run_entries.run_id = runs.id)'

function runOf(row: Row): RunRecord {
  return {
    id: text(row.id),
    mapping: text(row.mapping),
    analysis: row.analysis === 1,
    state: row.state as RunRecord['state'],
    started: text(row.started),
    content: documentOf(row.content),
  }
}
