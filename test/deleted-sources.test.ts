import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everything } from '../src/model/filter/filter.ts'
import { type Application, openApplication } from '../src/syncline.ts'
import { script } from '../src/testing/script.ts'
import { environment } from './support/environment.ts'
import { TestProject } from './support/project.ts'

/** What a deleted object leaves behind: scripts that still ask about it, and links whose targets refuse to go (engine §4.5). */
let project: TestProject
let application: Application | undefined

beforeEach(() => {
  project = new TestProject()
})
afterEach(async () => {
  await application?.[Symbol.asyncDispose]()
  application = undefined
  project[Symbol.dispose]()
})

const relationship = (path: string, reversePropertyName: string) => ({
  type: 'array',
  items: {
    ...{ type: 'relationship', reverseRelationship: true, reversePropertyName },
    resourceCollection: [{ path, label: path, query: { queryFilter: 'true' } }],
  },
})

async function open(mapping: object, kept = '') {
  const groups = { schema: { properties: { groups: relationship('managed/group', 'people') } } }
  const people = { schema: { properties: { people: relationship('managed/user', 'groups') } } }
  const onDelete = script(`if (${kept || 'false'}) throw { code: 403, message: 'it is kept' }`)
  project.write('conf/managed.json', {
    objects: [
      { name: 'user', ...groups },
      { name: 'group', ...people },
      { name: 'account', onDelete },
      { name: 'flag' },
    ],
  })
  const properties = [
    { source: '_id', target: '_id' },
    { source: 'v', target: 'v' },
  ]
  const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
  project.write('conf/sync.json', {
    mappings: [
      {
        ...{ name: 'user_account', source: 'managed/user', target: 'managed/account' },
        properties,
        policies,
        ...mapping,
      },
    ],
  })
  application = await openApplication({
    ...{ projectFolder: project.folder, dataFolder: project.path('.syncline') },
    ...{ environment, flags: {}, log: () => {} },
  })
  const { resources, administrator } = application
  const client = { ...administrator, external: true }
  return {
    create: (path: string, content: object) => {
      const at = path.lastIndexOf('/')
      return resources.create(path.slice(0, at), path.slice(at + 1), { ...content }, client)
    },
    remove: (path: string) => resources.delete(path, undefined, client),
    reconcile: () =>
      resources.action(
        'recon',
        { name: 'recon', content: null, parameters: { mapping: 'user_account', waitForCompletion: 'true' } },
        administrator,
      ),
    accounts: async () =>
      (await resources.query('managed/account', { filter: everything }, administrator)).result.map(
        ({ _id, v }) => `${_id} ${v}`,
      ),
    links: async () =>
      (await resources.query('repo/link', { filter: everything }, administrator)).result.map(
        ({ firstId, secondId }) => `${firstId} → ${secondId}`,
      ),
    query: (path: string, request = client) => resources.query(path, { filter: everything }, request),
  }
}

describe('a script that asks for the relationships of a deleted object', () => {
  const asks = (id: string) =>
    script(
      `const path = 'managed/user/' + ${id} + '/groups'
       if (openidm.query(path, { _queryFilter: 'true' }).result.length > 0) throw 'it has some'
       if (openidm.read('managed/user/' + ${id} + '/manager') !== null) throw 'it has one'`,
    )
  it.each(['onUnlink', 'onDelete'])('in %s gets none, and its link goes', async (hook) => {
    const town = await open({ [hook]: asks('sourceId') })
    await town.create('managed/group/g', {})
    await town.create('managed/user/ann', { v: 'Ann', groups: [{ _ref: 'managed/group/g' }] })
    await town.remove('managed/user/ann')
    expect([await town.accounts(), await town.links()]).toEqual([[], []])
  })
  it('that is a client is told that there is no such object', async () => {
    const town = await open({})
    await expect(town.query('managed/user/nobody/groups')).rejects.toMatchObject({ status: 404 })
  })
})

describe('a link whose target refuses to be deleted', () => {
  const refuses = "openidm.read('managed/flag/kept')"
  async function refused(mapping: object = {}) {
    const town = await open(mapping, refuses)
    await town.create('managed/flag/kept', {})
    await town.create('managed/user/7', { v: 'Ann' })
    await town.remove('managed/user/7')
    expect(await town.accounts()).toEqual(['7 Ann'])
    return town
  }
  const gone = expect.stringMatching(/^7 \(gone; link \S+\) → 7$/)

  it('is not inherited by the next object with that id', async () => {
    const town = await refused()
    await town.create('managed/user/7', { v: 'Bob' })
    expect([await town.accounts(), await town.links()]).toEqual([['7 Ann'], [gone]])
    await town.reconcile()
    expect(await town.accounts()).toEqual(['7 Ann'])
  })

  it('does not keep the next object from an account of its own', async () => {
    const properties = [
      { target: '_id', source: '', transform: script("source._id + '-' + source.v") },
      { source: 'v', target: 'v' },
    ]
    const town = await open({ properties }, refuses)
    await town.create('managed/flag/kept', {})
    await town.create('managed/user/7', { v: 'Ann' })
    await town.remove('managed/user/7')
    await town.create('managed/user/7', { v: 'Bob' })
    expect(await town.accounts()).toEqual(['7-Ann Ann', '7-Bob Bob'])
    await town.remove('managed/flag/kept')
    await town.reconcile()
    expect([await town.accounts(), await town.links()]).toEqual([['7-Bob Bob'], ['7 → 7-Bob']])
  })

  it('is tried again by the next run, and goes when the target does', async () => {
    const town = await refused()
    await town.reconcile()
    expect([await town.accounts(), await town.links()]).toEqual([['7 Ann'], [gone]])
    await town.remove('managed/flag/kept')
    await town.create('managed/user/8', { v: 'Eve' })
    await town.reconcile()
    expect([await town.accounts(), await town.links()]).toEqual([['8 Eve'], ['8 → 8']])
  })

  it('is found again by a retry of the queue', async () => {
    const town = await open({ queuedSync: { enabled: true, retryDelay: 50, maxRetries: 50 } }, refuses)
    await town.create('managed/flag/kept', {})
    await application?.start?.()
    await town.create('managed/user/7', { v: 'Ann' })
    await expect.poll(() => town.accounts()).toEqual(['7 Ann'])
    await town.remove('managed/user/7')
    await expect.poll(() => town.links()).toEqual([gone])
    await town.remove('managed/flag/kept')
    await expect.poll(() => town.links(), { timeout: 5000 }).toEqual([])
    expect(await town.accounts()).toEqual([])
  })
})
