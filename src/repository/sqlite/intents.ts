import type { Intent, Intents } from '../intents.ts'
import { text } from './column.ts'
import { documentOf } from './document.ts'
import type { Row } from './query.ts'
import type { Session } from './session.ts'

export function sqliteIntents(session: Session): Intents {
  return {
    add: (intents) =>
      session.write((connection) => {
        const statement = connection.statement(
          'INSERT INTO intents (id, link_type, run_id, worker, content) VALUES (?, ?, ?, ?, ?)',
        )
        for (const { id, linkType, runId, worker, content } of intents)
          statement.run(id, linkType, runId, worker, JSON.stringify(content))
      }),
    remove: (ids) =>
      session.write((connection) => {
        const sql = 'DELETE FROM intents WHERE id IN (SELECT value FROM json_each(?))'
        connection.statement(sql).run(JSON.stringify(ids))
      }),
    list: (linkType, limit) =>
      session.read((connection) => {
        const sql = `SELECT id, link_type AS linkType, run_id AS runId, worker, content FROM intents
          WHERE link_type = ? ORDER BY seq LIMIT ?`
        return connection.statement(sql).all(linkType, limit).map(intentOf)
      }),
  }
}

function intentOf({ id, linkType, runId, worker, content }: Row): Intent {
  return {
    id: text(id),
    linkType: text(linkType),
    runId: text(runId),
    worker: text(worker),
    content: documentOf(content),
  }
}
