import { afterEach, describe, expect, it } from 'vitest'
import { everything } from '../src/model/filter/filter.ts'
import type { JsonObject } from '../src/model/json.ts'
import type { PlanLine } from '../src/plan/plan-line.ts'
import { startPlan } from '../src/sync/plans/make-plan.ts'
import { openApplication } from '../src/syncline.ts'
import { csvConnector, TestProject } from './support/project.ts'

/**
 * All writes, once as usual and once with a store that calls the work of each transaction twice and throws the first call
 * away, as a store does that has to repeat it: objects, links, files, counts and records are the same.
 */
let project: TestProject
afterEach(() => project[Symbol.dispose]())

type Application = Awaited<ReturnType<typeof openApplication>>

const text = { type: 'string' }
const relation = (set: string, reversePropertyName: string) => ({
  type: 'array',
  items: {
    ...{ type: 'relationship', reverseRelationship: true, reversePropertyName, validate: true },
    resourceCollection: [{ path: set, query: { queryFilter: 'true', fields: ['name'] } }],
  },
})
const objects = [
  {
    name: 'user',
    schema: {
      properties: {
        ...{ login: { ...text, policies: [{ policyId: 'unique' }] }, name: text, secret: text },
        teams: relation('managed/team', 'members'),
      },
    },
  },
  { name: 'team', schema: { properties: { name: text, members: relation('managed/user', 'teams') } } },
]
const mapping = (name: string, source: string, target: string, more: object = {}) => ({
  ...{ name, source, target },
  properties: [
    { source: 'login', target: 'login' },
    { source: 'name', target: 'name' },
  ],
  policies: [
    { situation: 'MISSING', action: 'CREATE' },
    { situation: 'SOURCE_MISSING', action: 'DELETE' },
  ],
  ...more,
})

const hr = (rows: Readonly<Record<string, string>>) =>
  project.write(
    'data/hr.csv',
    `${['login,name', ...Object.entries(rows).map((row) => row.join(','))].join('\n')}\n`,
  )

function prepare(): void {
  project = new TestProject()
  hr({ ann: 'Ann', bob: 'Bob', cid: 'Cid' })
  project.write('data/out.csv', 'login,name\n')
  project.write('data/later.csv', 'login,name\n')
  for (const name of ['hr', 'out', 'later'])
    project.write(`conf/provisioner.openicf-${name}.json`, csvConnector(name, ['login', 'name']))
  project.write('conf/managed.json', { objects })
  const queue = { queuedSync: { enabled: true, pollingInterval: 20, retryDelay: 20 } }
  project.write('conf/sync.json', {
    mappings: [
      mapping('in', 'system/hr/account', 'managed/user'),
      mapping('out', 'managed/user', 'system/out/account'),
      mapping('later', 'managed/user', 'system/later/account', queue),
    ],
  })
}

async function reconcile({ reconciliations, administrator }: Application, more: object = {}) {
  const { run, done } = await reconciliations.start({ mapping: 'in', ...more }, administrator)
  await done
  const { state, situationSummary, statusSummary, progress } = run.toJSON()
  return { state, situationSummary, statusSummary, progress }
}

/** A plan, then what it says. */
async function planned(application: Application) {
  const lines: PlanLine[] = []
  const sink = { add: (line: PlanLine) => void lines.push(line), async flush() {} }
  const { reconciliations, administrator } = application
  const { header } = await startPlan(
    reconciliations,
    { mapping: 'in', overrides: {} },
    administrator,
    () => sink,
  )
  const plan = {
    header: await header,
    async *lines(phase: PlanLine['phase']) {
      yield lines.filter((line) => line.phase === phase)
    },
  }
  return reconcile(application, { plan })
}

/** People come, change and go: by runs, by a plan and by liveSync. */
async function throughRuns(application: Application) {
  const { resources, administrator: by } = application
  const liveSync = () =>
    resources.action('system/hr/account', { name: 'liveSync', content: null, parameters: {} }, by)
  const runs = [await reconcile(application), await reconcile(application)]
  hr({ ann: 'Anna', bob: 'Bob', dora: 'Dora' })
  runs.push(await reconcile(application))
  hr({ ann: 'Anna', bob: 'Bert', dora: 'Dora', eve: 'Eve' })
  runs.push(await planned(application))
  await liveSync()
  hr({ ann: 'Anna', dora: 'Dorothy', eve: 'Eve', finn: 'Finn' })
  await liveSync()
  return runs
}

const replace = (property: string, value: string) => [
  { operation: 'replace' as const, field: [property], value },
]

/** Objects, their relationships, and what follows in other systems, at once and through the queue. */
async function byRequests({ resources, administrator: by, changes }: Application) {
  for (const [id, name] of Object.entries({ hal: 'Hal', ida: 'Ida' }))
    await resources.create('managed/user', id, { login: id, name, secret: 's' }, by)
  const hal = { _ref: 'managed/user/hal' }
  const ida = { _ref: 'managed/user/ida' }
  await resources.create('managed/team', 't1', { name: 'One', members: [hal, ida] }, by)
  await resources.create('managed/team', 't2', { name: 'Two', members: [hal] }, by)
  const added = { operation: 'add' as const, field: ['members'], value: ida, append: true }
  await resources.patch('managed/team/t2', undefined, [added], by)
  await resources.delete('managed/team/t1', undefined, by)
  const taken = resources.create('managed/user', 'other', { login: 'hal', name: 'Other' }, by)
  const refused = await taken.then(
    () => 'stored',
    (error) => error.code,
  )
  await resources.patch('managed/user/hal', undefined, replace('name', 'Harold'), by)
  await changes.idle()
  return refused
}

/** A property is encrypted from now on, and the key replaced. */
async function otherConfiguration(application: Application) {
  const { resources, administrator: by } = application
  const [user, team] = objects
  const secret = { ...text, encryption: { purpose: 'idm.password.encryption' } }
  const encrypted = { ...user, schema: { properties: { ...user?.schema.properties, secret } } }
  await resources.update('config/managed', undefined, { objects: [encrypted, { ...team }] }, by)
  await resources.patch('managed/user/hal', undefined, replace('secret', 't'), by)
  return application.rotateKey({ forgetOld: false })
}

interface Play {
  readonly repeats: boolean
  readonly withRuns: boolean
}

async function play({ repeats, withRuns }: Play) {
  prepare()
  await using application = await openApplication({
    projectFolder: project.folder,
    dataFolder: project.path('.syncline'),
    environment: repeats ? { SYNCLINE_REPEAT_TRANSACTIONS: '1' } : {},
    flags: {},
    log: () => {},
  })
  const { resources, administrator, changes } = application
  await changes.start()
  const all = async (path: string) =>
    (await resources.query(path, { filter: everything }, administrator)).result
  const runs = withRuns ? await throughRuns(application) : []
  const refused = await byRequests(application)
  const rotated = await otherConfiguration(application)
  await changes.idle()
  return { runs, refused, rotated, ...(await endState(all)) }
}

/** Of what there is, what does not depend on ids and times. */
async function endState(all: (path: string) => Promise<readonly JsonObject[]>) {
  const users = await all('managed/user')
  const loginOf = new Map(users.map(({ _id, login }) => [_id, login]))
  const named = (id: unknown) => loginOf.get(String(id)) ?? id
  const audit = async (topic: string, shown: (event: JsonObject) => readonly unknown[]) =>
    (await all(`audit/${topic}`)).map((event) => shown(event).map(named).join(' ')).toSorted()
  return {
    users: users.map(({ login, name }) => `${login} ${name}`).toSorted(),
    teams: (await all('managed/team')).map(({ _id, name }) => `${_id} ${name}`),
    members: (await all('managed/team/t2/members')).map(({ _refResourceId }) => _refResourceId),
    links: (await all('repo/link'))
      .map(({ linkType, firstId, secondId }) => `${linkType}: ${named(firstId)} → ${named(secondId)}`)
      .toSorted(),
    files: ['out', 'later'].map((name) => project.read(`data/${name}.csv`).split('\n').toSorted()),
    waiting: await all('sync/queue'),
    versions: (await all('config/history')).map(({ configId, state }) => `${configId} ${state}`),
    recon: await audit('recon', ({ entryType, situation, action, status }) => [
      entryType,
      situation,
      action,
      status,
    ]),
    activity: await audit('activity', ({ operation, objectId }) => [
      operation,
      ...String(objectId).split('/').slice(0, 2),
      // Ids that the store gave differ.
      String(objectId)
        .split('/')
        .at(-1)
        ?.replace(/^[0-9a-f]{8}-[0-9a-f-]{27}$/, '(id)'),
    ]),
    config: await audit('config', ({ operation, objectId }) => [operation, objectId]),
  }
}

async function playedTwice(withRuns: boolean) {
  const usual = await play({ withRuns, repeats: false })
  project[Symbol.dispose]()
  return { usual, repeated: await play({ withRuns, repeats: true }) }
}

describe('with every transaction repeated, everything comes to what it comes to without:', () => {
  it('objects, relationships, implicit synchronization, the queue, the configuration, the key', async () => {
    const { usual, repeated } = await playedTwice(false)
    expect(usual.refused).toBe('POLICY_FAILED')
    expect(usual.users).toEqual(['hal Harold', 'ida Ida'])
    expect(usual.members).toEqual(['hal', 'ida'])
    expect(repeated).toEqual(usual)
  })

  it('runs, plans and liveSync besides', async () => {
    const { usual, repeated } = await playedTwice(true)
    expect(usual.runs.map(({ state }) => state)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS'])
    expect(usual.users).toEqual(['ann Anna', 'dora Dorothy', 'eve Eve', 'finn Finn', 'hal Harold', 'ida Ida'])
    expect(repeated).toEqual(usual)
  })
})
