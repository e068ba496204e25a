import type { Issue, Issues } from '../issues.ts'
import { text } from './column.ts'
import type { Row } from './connection.ts'
import { documentOf, documentText } from './document.ts'
import { fragment } from './fragment.ts'
import { documents } from './query.ts'
import type { Session } from './session.ts'

export function sqliteIssues(session: Session): Issues {
  return {
    async report(issues) {
      await session.runEach(reported, issues.map(rowOf))
    },
    async clear(ids) {
      await session.run(`${removal} id IN (SELECT value FROM json_each(?))`, JSON.stringify(ids))
    },
    async sweep(mapping, runId, phases) {
      const condition = `mapping = ? AND run_id <> ? AND json_extract(content, '$.phase') IN (SELECT value FROM json_each(?))`
      await session.run(`${removal} ${condition}`, mapping, runId, JSON.stringify(phases))
    },
    forget: (mapping) => session.run('DELETE FROM issues WHERE mapping = ?', mapping),
    async expire(mappings, since) {
      const condition = `mapping <> '' AND mapping NOT IN (SELECT value FROM json_each(?)) AND json_extract(content, '$.lastSeen') < ?`
      await session.run(`DELETE FROM issues WHERE ${condition}`, JSON.stringify(mappings), since)
    },
    any: async (mapping) =>
      (await session.row(() => true, 'SELECT 1 FROM issues WHERE mapping = ? LIMIT 1', mapping)) === true,
    read: (id) => session.row(issueOf, 'SELECT * FROM issues WHERE id = ?', id),
    async save(issue) {
      await session.run(
        `${insertion} ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, sign = excluded.sign, content = excluded.content`,
        ...rowOf(issue),
      )
    },
    query: (query) => session.page(documents('issues', fragment('1'), { ties: ['seq'] }), query),
  }
}

const insertion = 'INSERT INTO issues (id, mapping, run_id, sign, content) VALUES (?, ?, ?, ?, ?)'

const reported = `${insertion}
  ON CONFLICT (id) DO UPDATE SET run_id = excluded.run_id, sign = excluded.sign, content = CASE
    WHEN issues.sign = excluded.sign AND json_extract(issues.content, '$.state') = 'IGNORED'
    THEN json_set(excluded.content, '$.state', 'IGNORED', '$.firstSeen', json_extract(issues.content, '$.firstSeen'),
      '$.decision', json(json_extract(issues.content, '$.decision')))
    ELSE json_set(excluded.content, '$.firstSeen', json_extract(issues.content, '$.firstSeen')) END`

const removal = `DELETE FROM issues WHERE json_extract(content, '$.state') <> 'RESOLVED' AND`

function rowOf({ id, mapping, runId, sign, content }: Issue) {
  return [id, mapping, runId, sign, documentText(content)] as const
}

function issueOf({ id, mapping, run_id: runId, sign, content }: Row): Issue {
  return {
    ...{ id: text(id), mapping: text(mapping), runId: text(runId), sign: text(sign) },
    content: documentOf(content),
  }
}
