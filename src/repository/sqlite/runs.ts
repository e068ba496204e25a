import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RunRecord, Runs } from '../runs.ts'
import { text } from './column.ts'
import { documentOf, documentText } from './document.ts'
import { violatesConstraint } from './failure.ts'
import { documentField } from './field.ts'
import { fragment } from './fragment.ts'
import { type Queryable, queried, type Row } from './query.ts'
import type { Session } from './session.ts'

/** Runs (engine §7.7) and, where associations are asked for, their entries (engine §7.9). */
export function sqliteRuns(session: Session): Runs {
  return {
    save: (run) =>
      session.write((connection) => {
        connection
          .statement(upsert)
          .run(run.id, run.mapping, Number(run.analysis), run.state, run.started, documentText(run.content))
      }),
    read: (id) =>
      session.read((connection) => {
        const row = connection.statement('SELECT * FROM runs WHERE id = ?').get(id)
        return row && runOf(row)
      }),
    list: () =>
      session.read((connection) => {
        return connection.statement('SELECT * FROM runs ORDER BY started, seq').all().map(runOf)
      }),
    delete: (id) =>
      session.write(
        (connection) => Number(connection.statement('DELETE FROM runs WHERE id = ?').run(id).changes) > 0,
      ),
    withEntries: () =>
      session.read((connection) => {
        const rows = connection.statement(runsWithEntries).all()
        return new Set(rows.map((row) => text(row.id)))
      }),
    deleteEntries: (id) =>
      session.write((connection) => {
        connection.statement('DELETE FROM run_entries WHERE run_id = ?').run(id)
      }),
    appendEntries: (entries) =>
      session.write((connection) => {
        const insert = connection.statement('INSERT INTO run_entries (run_id, id, content) VALUES (?, ?, ?)')
        for (const { id, runId, content } of entries) {
          try {
            insert.run(runId, id, documentText(content))
          } catch (error) {
            if (!violatesConstraint(error)) throw error
            throw new Problem('NOT_FOUND', `The run ${runId} of entry ${id} is not stored`, { cause: error })
          }
        }
      }),
    queryEntries: (runId, query) =>
      session.read((connection) => queried(connection, entriesOf(runId), query)),
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

function entriesOf(runId: string): Queryable<JsonObject> {
  return {
    from: 'run_entries',
    scope: fragment('run_id = ?', runId),
    fieldOf: documentField,
    json: 'content',
    select: 'seq, id, content',
    natural: ['seq'],
    ties: ['id', 'seq'],
    objectOf: (row) => documentOf(row.content),
  }
}
