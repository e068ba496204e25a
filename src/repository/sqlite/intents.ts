import type { Intent, Intents } from '../intents.ts'
import { text } from './column.ts'
import type { Row } from './connection.ts'
import { documentOf } from './document.ts'
import type { Session } from './session.ts'

export function sqliteIntents(session: Session): Intents {
  return {
    async add(intents) {
      await session.runEach(
        'INSERT INTO intents (id, link_type, run_id, worker, content) VALUES (?, ?, ?, ?, ?)',
        intents.map(({ id, linkType, runId, worker, content }) => [
          ...[id, linkType, runId, worker, JSON.stringify(content)],
        ]),
      )
    },
    async remove(ids) {
      const sql = 'DELETE FROM intents WHERE id IN (SELECT value FROM json_each(?))'
      await session.run(sql, JSON.stringify(ids))
    },
    list: (linkType, limit) =>
      session.rows(
        intentOf,
        `SELECT id, link_type AS linkType, run_id AS runId, worker, content FROM intents
         WHERE link_type = ? ORDER BY seq LIMIT ?`,
        linkType,
        limit,
      ),
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
