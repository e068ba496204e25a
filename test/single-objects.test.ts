import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../src/model/json.ts'
import { type Application, openApplication } from '../src/syncline.ts'
import { environment } from './support/environment.ts'
import { openStore, TestProject } from './support/project.ts'

const users = 'hrAccount_managedUser'
const accounts = 'managedUser_directoryAccount'

async function open(project: TestProject): Promise<Application> {
  return openApplication({
    projectFolder: project.folder,
    dataFolder: project.path('.syncline'),
    environment,
    flags: {},
    log: () => {},
  })
}

let project: TestProject
let application: Application
beforeAll(async () => {
  project = TestProject.loaded(users, accounts)
  application = await open(project)
})
afterAll(async () => {
  await application[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const sync = (name: string, parameters: Record<string, string>, content: Json = null) =>
  application.resources.action('sync', { name, content, parameters }, application.administrator)
const userOf = async (employeeNumber: string) => {
  const set = application.resources.objectSet('managed/user')
  const filter = {
    kind: 'compare',
    operator: 'eq',
    pointer: ['employeeNumber'],
    value: employeeNumber,
  } as const
  for await (const [user] of set.pages({ filter, pageSize: 1 })) return user
  return undefined
}

describe('performAction', () => {
  const perform = (parameters: Record<string, string>) =>
    sync('performAction', { mapping: users, ...parameters })

  it('performs the requested action, whatever the policies say, and it is on record', async () => {
    const unlink = { action: 'UNLINK', sourceId: '1001', situation: 'confirmed', reason: 'wrong person' }
    expect(await perform(unlink)).toEqual({ status: 'OK' })
    const history = await application.repository.audit.ofObject('system/hr/account/1001', { limit: 1 })
    expect(history.result).toMatchObject([
      { topic: 'sync', content: { action: 'UNLINK', trigger: 'performAction', reason: 'wrong person' } },
    ])
    const user = await userOf('1001')
    const forced = { action: 'LINK', sourceId: '1001', targetId: user?._id as string }
    expect(await perform({ ...forced, situation: 'FOUND', reconId: 'r1' })).toEqual({ status: 'OK' })
    const audited = await application.repository.audit.ofObject('system/hr/account/1001', { limit: 1 })
    expect(audited.result[0]?.content).toMatchObject({
      reconId: 'r1',
      situation: 'FOUND',
      action: 'LINK',
      status: 'SUCCESS',
    })
    expect(await perform({ action: 'EXCEPTION', sourceId: '1001' })).toEqual({ status: 'OK' })
  })

  it.each<[string, Record<string, string>, number, RegExp]>([
    [
      'a situation that does not hold',
      { action: 'UPDATE', sourceId: '1002', situation: 'ABSENT' },
      409,
      /Expected situation does not match\. Expected: ABSENT, Found: CONFIRMED/,
    ],
    [
      'a source that is not there',
      { action: 'UPDATE', sourceId: 'nobody' },
      409,
      /Source object system\/hr\/account\/nobody does not exist/,
    ],
    [
      'a target that is not there',
      { action: 'DELETE', target: 'true', targetId: 'nobody' },
      409,
      /Target object managed\/user\/nobody does not exist/,
    ],
    ['an action that cannot be', { action: 'CREATE', sourceId: '1002' }, 409, /target object already exists/],
    ['no object', { action: 'UPDATE' }, 400, /needs sourceId/],
    ['no such action', { action: 'EXPLODE', sourceId: '1002' }, 400, /no action/],
    ['no such situation', { action: 'UPDATE', sourceId: '1002', situation: 'LOST' }, 400, /no situation/],
  ])('refuses %s', async (_what, parameters, status, message) => {
    await expect(perform(parameters)).rejects.toMatchObject({
      status,
      message: expect.stringMatching(message),
    })
  })
})

describe('getLinkedResources', () => {
  it('finds the objects at the other end of all links, in both directions', async () => {
    const user = await userOf('1002')
    const linked = (await sync('getLinkedResources', {
      resourceName: `managed/user/${user?._id}`,
    })) as JsonObject[]
    expect(linked).toMatchObject([
      {
        resourceName: 'system/hr/account/1002',
        content: { _id: '1002' },
        linkQualifier: 'default',
        linkType: users,
        mappings: [{ name: users, type: 'source' }],
      },
      {
        content: { employeeNumber: '1002' },
        linkType: accounts,
        mappings: [{ name: accounts, type: 'target' }],
      },
    ])
    expect(await sync('getLinkedResources', { resourceName: 'system/hr/account/1002' })).toMatchObject([
      { resourceName: `managed/user/${user?._id}`, mappings: [{ name: users, type: 'target' }] },
    ])
  })

  it('shows an end that is gone without content, and says why', async () => {
    const user = await userOf('1003')
    await application.resources.delete(`managed/user/${user?._id}`, undefined, application.administrator)
    expect(await sync('getLinkedResources', { resourceName: 'system/hr/account/1003' })).toMatchObject([
      { content: null, error: expect.stringContaining('does not exist') },
    ])
  })

  it('wants the path of an object', async () => {
    await expect(sync('getLinkedResources', {})).rejects.toMatchObject({ status: 400 })
  })
})

describe('explain', () => {
  const explain = async (parameters: Record<string, string>, content: Json = null) =>
    (await sync('explain', { mapping: users, ...parameters }, content)) as JsonObject & {
      decisions: JsonObject[]
    }
  const attributesOf = ([decision]: readonly JsonObject[]) => (decision?.attributes ?? []) as JsonObject[]
  let writes: unknown
  const state = () =>
    ['audit', 'runs', 'links', 'intents'].map(
      (table) => openStore(project).prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n,
    )
  beforeEach(() => {
    writes = state()
  })

  it('says situation, reason, policy and the origin of every value, and writes nothing at all', async () => {
    const { decisions } = await explain({ sourceId: '1005' })
    expect(decisions).toMatchObject([
      {
        situation: 'CONFIRMED',
        action: 'UPDATE',
        reason: expect.stringMatching(/^linked to \S+, which is there$/),
        link: { sourceId: '1005' },
        policies: [{ policy: 0, held: true, action: 'UPDATE' }],
        writes: false,
      },
    ])
    const attributes = attributesOf(decisions)
    expect(attributes.find(({ attribute }) => attribute === 'sn')).toMatchObject({
      changes: false,
      origins: [{ by: 'property', how: 'source', source: 'familyName' }],
    })
    expect(attributes.find(({ attribute }) => attribute === 'telephoneNumber')).toMatchObject({
      origins: [{ how: 'transform', script: { file: 'script/telephoneNumber.js' } }],
    })
    expect(state()).toEqual(writes)
  })

  it('answers what if the source looked like this', async () => {
    const source = { employeeNumber: '1005', status: 'terminated', familyName: 'New', givenName: 'Name' }
    const { decisions } = await explain({ sourceId: '1005' }, { source })
    expect(decisions[0]).toMatchObject({
      situation: 'UNQUALIFIED',
      disqualifiedBy: { rule: 'validSource', definition: { file: 'script/worksHere.js' } },
      writes: true,
    })
    expect(attributesOf(decisions).find(({ attribute }) => attribute === 'sn')).toMatchObject({
      after: 'New',
      changes: true,
    })
    expect(state()).toEqual(writes)
  })

  it('shows what correlation asked and found', async () => {
    const user = await userOf('1006')
    const [link] = await Array.fromAsync(
      application.repository.links.all({ linkType: accounts, linkQualifier: 'default' }),
    ).then((pages) => pages.flat().filter(({ firstId }) => firstId === user?._id))
    if (link) await application.repository.links.delete([link])
    const { decisions } = (await sync('explain', {
      mapping: accounts,
      sourceId: user?._id as string,
    })) as never as {
      decisions: JsonObject[]
    }
    expect(decisions[0]).toMatchObject({
      situation: 'FOUND',
      correlation: expect.stringContaining('employeeNumber eq "1006"'),
      candidates: [{ linked: false }],
    })
  })

  it('explains a target without a source', async () => {
    const directory = application.resources.objectSet('system/directory/account')
    const linked = new Set<string>()
    for await (const page of application.repository.links.all({
      linkType: accounts,
      linkQualifier: 'default',
    }))
      for (const { secondId } of page) linked.add(secondId)
    let orphan: string | undefined
    for await (const page of directory.pages({ filter: { kind: 'literal', value: true }, pageSize: 500 }))
      orphan ??= page.find(({ _id }) => !linked.has(_id))?._id
    const { decisions } = (await sync('explain', {
      mapping: accounts,
      targetId: orphan as string,
    })) as never as {
      decisions: JsonObject[]
    }
    expect(decisions[0]).toMatchObject({
      phase: 'target',
      situation: 'UNASSIGNED',
      reason: 'no source leads to it, and it has no link',
    })
  })

  it.each([
    ['nobody', { sourceId: 'nobody' }, 404],
    ['nothing', {}, 400],
    ['both ends', { sourceId: '1001', targetId: 'x' }, 400],
  ])('of %s is refused', async (_what, parameters, status) => {
    await expect(explain(parameters as Record<string, string>)).rejects.toMatchObject({ status })
  })

  it('reads well on the command line', () => {
    using own = TestProject.example()
    const { code, out } = own.syncline(['explain', users, '1001'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^ABSENT CREATE {2}system\/hr\/account\/1001 → managed\/user\/\(new\)\n {2}because {3}no link, and correlation \(.*\) finds nothing\n/,
    )
    expect(out).toMatch(/^ {2}~ sn: \(none\) → "Prévost"\n {8}properties\/3: value of familyName$/m)
    expect(out).toMatch(/^ {8}properties\/6: transform of the whole source, script\/telephoneNumber\.js$/m)
    // What is not named stays as it is.
    const other = own.syncline(['explain', users, '1001', '--source-json', '{"givenName": "Zoë"}'])
    expect(other.out).toMatch(/^ {2}~ sn: \(none\) → "Prévost"\n/m)
    expect(other.out).toMatch(/^ {2}~ givenName: \(none\) → "Zoë"\n/m)
    const bad = own.syncline(['explain', users, '1001', '--source-json', 'no/such/file'])
    expect([bad.code, bad.err]).toEqual([2, expect.stringContaining('cannot be read')])
  })
})

describe('sync', () => {
  it.each<[string, Record<string, string>, number]>([
    ['explode', {}, 400],
    ['notifyCreate', {}, 400],
    ['recon', {}, 400],
  ])('answers %s', async (name, parameters, status) => {
    await expect(sync(name, parameters)).rejects.toMatchObject({ status })
  })

  it('runs a mapping the old way', async () => {
    expect(await sync('recon', { mapping: users })).toMatchObject({
      _id: expect.any(String),
      reconId: expect.any(String),
    })
  })
})
