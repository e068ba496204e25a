import { renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/**
 * A server under full load is killed again and again: clients write, changes wait in a queue, an HR file changes and liveSync
 * and reconciliations run by schedule, the configuration is changed. `SYNCLINE_KILLS=200` kills as often.
 *
 *     hr.csv ──(schedules)──▶ managed/user ──(queue)──▶ dir.csv
 *     clients ──(REST)──▶ managed/note ──(at once)──▶ notes.csv
 */
const kills = Number(process.env.SYNCLINE_KILLS ?? 8)
const notes = 20
const hrPeople = 30

let project: TestProject
let server: Server

function town(): void {
  project = new TestProject()
  const systems = { hr: ['login', 'name'], dir: ['login', 'name'], notes: ['id', 'text'] }
  for (const [name, columns] of Object.entries(systems)) {
    project.write(`data/${name}.csv`, `${columns.join(',')}\n`)
    project.write(`conf/provisioner.openicf-${name}.json`, csvConnector(name, columns))
  }
  const text = { type: 'string' }
  const type = (name: string, ...names: string[]) => ({
    name,
    schema: { type: 'object', properties: Object.fromEntries(names.map((one) => [one, text])) },
  })
  project.write('conf/managed.json', { objects: [type('user', 'userName', 'name'), type('note', 'text')] })
  const property = (source: string, target: string) => ({ source, target })
  const policies = [
    { situation: 'SOURCE_MISSING', action: 'DELETE' },
    { situation: 'UNQUALIFIED', action: 'DELETE' },
  ]
  project.write('conf/sync.json', {
    mappings: [
      {
        ...{ name: 'hr_user', source: 'system/hr/account', target: 'managed/user', policies },
        correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['userName'] } }],
        properties: [property('login', 'userName'), property('name', 'name')],
      },
      {
        ...{ name: 'user_dir', source: 'managed/user', target: 'system/dir/account', policies },
        queuedSync: { enabled: true, pollingInterval: 20, retryDelay: 20 },
        properties: [property('userName', 'login'), property('name', 'name')],
      },
      {
        ...{ name: 'note_notes', source: 'managed/note', target: 'system/notes/account', policies },
        properties: [property('_id', 'id'), property('text', 'text')],
      },
    ],
  })
  const everySecond = { enabled: true, type: 'cron', schedule: '* * * * * ?' }
  project.write('conf/schedule-live.json', {
    ...{ ...everySecond, invokeService: 'provisioner' },
    invokeContext: { action: 'liveSync', source: 'system/hr/account' },
  })
  project.write('conf/schedule-recon.json', {
    ...{ ...everySecond, invokeService: 'sync' },
    invokeContext: { action: 'reconcile', mapping: 'hr_user' },
  })
}

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  project?.[Symbol.dispose]()
})

/** A new export, put in place at once as an export job does. */
function exportHr(version: number): void {
  const rows = Array.from({ length: hrPeople }, (_, id) => `p${id},Name ${id} v${version}`)
  project.write('data/hr.new', `login,name\n${rows.join('\n')}\n`)
  renameSync(project.path('data/hr.new'), project.path('data/hr.csv'))
}

/** What clients were told of each note: the last answer, and what they asked since without one. */
const told = new Map<string, { answered: string | undefined; asked: (string | undefined)[] }>()

async function client(id: string, isOver: () => boolean, version: () => number): Promise<void> {
  while (!isOver()) {
    const text = Math.random() < 0.1 ? undefined : `v${version()}-${Math.floor(Math.random() * 1e6)}`
    const known = told.get(id) ?? { answered: undefined, asked: [] }
    told.set(id, { ...known, asked: [...known.asked, text] })
    const answer = await (text === undefined
      ? server.call('DELETE', `managed/note/${id}`)
      : server.call('PUT', `managed/note/${id}`, { body: { text } })
    ).catch(() => undefined)
    if (answer && (answer.status < 300 || answer.status === 404)) told.set(id, { answered: text, asked: [] })
    else await sleep(20)
  }
}

async function configurer(isOver: () => boolean, version: () => number): Promise<void> {
  while (!isOver()) {
    const path = 'config/endpoint/greeting'
    const source = `'${version()}'`
    await server.call('PUT', path, { body: { type: 'text/javascript', source } }).catch(() => undefined)
    await sleep(50)
  }
}

const rowsOf = (file: string) =>
  project
    .read(file)
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.replaceAll('"', ''))
    .toSorted()
const all = async (path: string) => (await server.call('GET', `${path}?_queryFilter=true`)).body.result

it('a server that is killed under full load loses nothing that it has answered, and doubles nothing', async () => {
  town()
  exportHr(0)
  server = await serve(project)
  let over = false
  let version = 0
  const isOver = () => over
  const load = [
    ...Array.from({ length: notes }, (_, id) => client(`n${id}`, isOver, () => version)),
    configurer(isOver, () => version),
  ]
  for (; version < kills; version++) {
    exportHr(version)
    await sleep(100 + Math.random() * 1200)
    await server.stop('SIGKILL')
    server = await serve(project)
  }
  over = true
  await Promise.all(load)
  exportHr(version)

  // In the end everything arrives.
  const people = Array.from({ length: hrPeople }, (_, id) => `p${id},Name ${id} v${version}`).toSorted()
  await expect.poll(async () => (await all('sync/queue')).length).toBe(0)
  await expect.poll(() => rowsOf('data/dir.csv')).toEqual(people)
  const users = await all('managed/user')
  expect(users.map((user: Record<string, string>) => `${user.userName},${user.name}`).toSorted()).toEqual(
    people,
  )

  // What was answered holds, unless a request without an answer came after it.
  const kept = new Map<string, string>(
    (await all('managed/note')).map(({ _id, text }: Record<string, string>) => [_id, text]),
  )
  for (const [id, { answered, asked }] of told) expect([answered, ...asked], id).toContain(kept.get(id))
  expect(
    (await server.call('POST', 'recon?_action=recon&mapping=note_notes&waitForCompletion=true')).body.state,
  ).toBe('SUCCESS')
  expect(rowsOf('data/notes.csv')).toEqual([...kept].map(([id, text]) => `${id},${text}`).toSorted())

  // One link for each, the chain of the audit unbroken, nothing left behind.
  for (const [mapping, count] of [
    ['hr_user', hrPeople],
    ['user_dir', hrPeople],
    ['note_notes', kept.size],
  ] as const)
    expect(
      (await server.call('GET', `repo/link?_queryFilter=linkType eq "${mapping}"`)).body.result,
    ).toHaveLength(count)
  await server.stop()
  expect(project.syncline(['audit', 'verify']).code).toBe(0)
  expect(project.json<{ result: unknown[] }>('query', 'recon').result).not.toContainEqual(
    expect.objectContaining({ state: 'ACTIVE' }),
  )
})
