import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { csvConnector, type RunObject, TestProject } from './support/project.ts'

/**
 * A real process is killed at moments chosen at random, started again, and the end state compared with that of an
 * undisturbed run.
 */
const people = 3000
const script = (source: string) => ({ type: 'text/javascript', source })
const correlationQuery = (attribute: string) =>
  script(`var q = { _queryFilter: '${attribute} eq ' + JSON.stringify(source.uid) }; q`)

function newProject(): TestProject {
  const project = new TestProject()
  const rows = Array.from({ length: people }, (_, index) => `p${index},Person ${index},p${index}@example.com`)
  project.write('data/hr.csv', `${['uid,name,mail', ...rows].join('\n')}\n`)
  project.write('data/out.csv', 'login,name,mail\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name', 'mail']))
  project.write('conf/provisioner.openicf-out.json', csvConnector('out', ['login', 'name', 'mail']))
  const schema = { type: 'object', properties: { userName: { type: 'string', searchable: true } } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  const properties = (id: string) => [
    { source: 'uid', target: id },
    { source: 'name', target: 'name' },
    { source: 'mail', target: 'mail', transform: script('source.toLowerCase()') },
  ]
  const hr = { source: 'system/hr/account', correlateEmptyTargetSet: true }
  project.write('conf/sync.json', {
    mappings: [
      {
        ...hr,
        name: 'inside',
        target: 'managed/user',
        correlationQuery: correlationQuery('userName'),
        properties: properties('userName'),
      },
      {
        ...hr,
        name: 'outside',
        target: 'system/out/account',
        correlationQuery: correlationQuery('login'),
        properties: properties('login'),
      },
    ],
  })
  return project
}

/** Kills a run after so many milliseconds; false if it was over before. */
async function killed(project: TestProject, mapping: string, after: number): Promise<boolean> {
  const child = project.start(['recon', mapping])
  const ended = once(child, 'exit')
  await Promise.race([sleep(after), ended])
  child.kill('SIGKILL')
  const [, signal] = await ended
  return signal === 'SIGKILL'
}

interface Links {
  readonly total: number
  readonly links: readonly { sourceId: string; targetId: string }[]
}
const linksOf = (project: TestProject, mapping: string) =>
  project.json<Links>('links', mapping, '--limit', '100000')

/** From before the store exists to after the last page. */
const moments = Array.from({ length: 10 }, (_, index) => 250 + index * 70 + Math.floor(Math.random() * 60))

describe('a run that is killed again and again', () => {
  it('into managed objects leaves whole pages: every object has its link, and the next run makes the rest', async () => {
    using project = newProject()
    let kills = 0
    for (const moment of moments) {
      kills += Number(await killed(project, 'inside', moment))
      const objects = project.json<{ resultCount: number }>('query', 'managed/user').resultCount
      expect(linksOf(project, 'inside').total).toBe(objects)
    }
    const { state, situationSummary } = project.json<RunObject>('recon', 'inside')
    expect([state, Number(situationSummary.CONFIRMED) + Number(situationSummary.ABSENT)]).toEqual([
      'SUCCESS',
      people,
    ])
    const { links } = linksOf(project, 'inside')
    expect(new Set(links.map(({ sourceId }) => sourceId)).size).toBe(people)
    expect(project.json<{ resultCount: number }>('query', 'managed/user').resultCount).toBe(people)
    expect(kills).toBeGreaterThan(0)
  })

  it('into a file never leaves half a file, and the next run finds by correlation what has no link yet', async () => {
    using project = newProject()
    let kills = 0
    for (const moment of moments) {
      kills += Number(await killed(project, 'outside', moment))
      const rows = project.read('data/out.csv').split('\n').slice(1, -1)
      expect(rows.every((row) => /^"p\d+","Person \d+","p\d+@example\.com"$/.test(row))).toBe(true)
      expect(new Set(rows).size).toBe(rows.length)
    }
    const { state, statusSummary } = project.json<RunObject>('recon', 'outside')
    expect([state, statusSummary.FAILURE]).toEqual(['SUCCESS', 0])
    using undisturbed = newProject()
    undisturbed.json('recon', 'outside')
    const sorted = (text: string) => text.split('\n').toSorted()
    expect(sorted(project.read('data/out.csv'))).toEqual(sorted(undisturbed.read('data/out.csv')))
    expect(linksOf(project, 'outside').links.every(({ sourceId, targetId }) => sourceId === targetId)).toBe(
      true,
    )
    expect(linksOf(project, 'outside').total).toBe(people)
    expect(kills).toBeGreaterThan(0)
  })
})
