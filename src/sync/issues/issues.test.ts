import { describe, expect, it } from 'vitest'
import { everything, type Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Resource } from '../../router/resources.ts'
import { implicitSync } from '../changes/implicit/implicit-sync.ts'
import { issuesProvider } from '../resources/issues.ts'
import { administrator, openWorld, source, target, type World } from '../testing/world.ts'
import { type Configured, expireGone } from './present.ts'

const mapping = {
  properties: [
    { source: 'mail', target: 'mail' },
    { source: 'name', target: 'name' },
  ],
  correlationQuery: {
    type: 'text/javascript',
    source: `source.mail ? ({ _queryFilter: 'mail eq "' + source.mail + '"' }) : null`,
  },
}

const providerOf = ({ singles, reconciliations }: World, configured: Configured = new Set(['person_user'])) =>
  issuesProvider({ ...singles, reconciliations, configured: () => configured })

async function issues(world: World, state = 'OPEN'): Promise<readonly Resource[]> {
  const page = await providerOf(world).query?.('', { filter: everything }, administrator)
  return (page?.result ?? []).filter((issue) => issue.state === state)
}

async function act(world: World, id: unknown, name: string, content: JsonObject | null = null) {
  return providerOf(world).action?.(String(id), { name, content, parameters: {} }, administrator)
}

/** p1 may be u1 or u2, p2 wants u3, which is that of p3, and no source leads to u4. */
async function undecided(): Promise<World> {
  const world = await openWorld({ mapping })
  await world.persons(
    { _id: 'p1', mail: 'a@x', name: 'Anna' },
    { _id: 'p2', mail: 'c@x', name: 'Carl' },
    { _id: 'p3', mail: 'c@x', name: 'Carl' },
    { _id: 'p5', mail: 'e@x', name: 'E' },
  )
  await world.users(
    { _id: 'u1', mail: 'a@x', name: 'Anna' },
    { _id: 'u2', mail: 'a@x', name: 'Anna' },
    { _id: 'u3', mail: 'c@x', name: 'Carl' },
    { _id: 'u4', mail: 'd@x', name: 'Dora' },
  )
  await world.link('p3', 'u3')
  await world.run()
  return world
}

const of = (found: readonly Resource[], kind: string) => found.find((issue) => issue.kind === kind)

describe('what a run leaves to people', () => {
  it('is listed with the other party of each conflict, and what can be done', async () => {
    await using world = await undecided()
    const found = await issues(world)
    expect(found).toHaveLength(4)
    expect(of(found, 'AMBIGUOUS')).toMatchObject({
      ...{ sourceId: 'p1', candidates: ['u1', 'u2'], message: expect.stringContaining('u1, u2') },
      hint: expect.stringContaining('--link TARGET'),
    })
    expect(of(found, 'FAILURE')).toMatchObject({ sourceId: 'p5', code: 'POLICY_FAILED' })
    expect(of(found, 'UNASSIGNED')).toMatchObject({ targetId: 'u4' })
    expect(of(found, 'ALREADY_LINKED')).toMatchObject({
      ...{ sourceId: 'p2', linkedTo: 'p3', message: expect.stringContaining('linked to p3') },
    })
  })

  it('is listed once, in its newest state, however often it is found', async () => {
    await using world = await undecided()
    await world.run()
    const found = await issues(world)
    expect(found).toHaveLength(4)
    for (const { firstSeen, lastSeen } of found) expect(String(firstSeen) < String(lastSeen)).toBe(true)
  })

  it('is gone when it is over, found by a run of all, of one object, or by a change', async () => {
    await using world = await undecided()
    await world.change(`${source}/p5`, { mail: 'e@x', name: 'Eve' })
    await world.run({ sourceId: 'p5' })
    await world.remove(`${target}/u4`)
    await world.change(`${source}/p1`, { mail: 'new@x', name: 'Anna' })
    const newValue = { _id: 'p1', mail: 'new@x', name: 'Anna' }
    const event = { action: 'notifyUpdate', container: source, id: 'p1', oldValue: null, newValue } as const
    expect(await implicitSync(world.singles)(event, administrator)).toMatchObject({ success: true })
    expect((await issues(world)).map(({ kind }) => kind)).toEqual(['UNASSIGNED', 'ALREADY_LINKED'])
    await world.run()
    // Nothing leads to the accounts of the one who is another one now.
    expect((await issues(world)).map(({ kind }) => kind)).toEqual([
      'ALREADY_LINKED',
      'UNASSIGNED',
      'UNASSIGNED',
    ])
  })

  it('is not there after a dry run', async () => {
    await using world = await openWorld({ mapping })
    await world.persons({ _id: 'p5', mail: 'e@x', name: 'E' })
    await world.run({ analyze: true })
    expect(await issues(world)).toEqual([])
  })

  it('is counted by what is alike', async () => {
    await using world = await openWorld({ mapping })
    await world.persons(
      ...Array.from({ length: 30 }, (_, id) => ({ _id: `p${id}`, mail: `${id}@x`, name: 'E' })),
    )
    await world.run()
    expect(await act(world, '', 'summary')).toMatchObject({
      groups: [
        {
          kind: 'FAILURE',
          mapping: 'person_user',
          count: 30,
          code: 'POLICY_FAILED',
          example: { sourceId: 'p0' },
        },
      ],
    })
  })

  it('names the people beside their ids, by what the mapping says or what they commonly have', async () => {
    await using world = await undecided()
    const found = await issues(world)
    expect(of(found, 'AMBIGUOUS')).toMatchObject({ sourceName: 'Anna' })
    expect(of(found, 'AMBIGUOUS')).not.toHaveProperty('targetName')
    expect(of(found, 'UNASSIGNED')).toMatchObject({ targetName: 'Dora' })
    await using other = await openWorld({ mapping: { ...mapping, displayAttributes: ['mail', 'kind'] } })
    await other.persons({ _id: 'p5', mail: 'e@x', name: 'E', kind: 'intern' })
    await other.users({ _id: 'u4', name: 'Dora' })
    await other.run()
    expect(of(await issues(other), 'FAILURE')).toMatchObject({ sourceName: 'e@x intern' })
    expect(of(await issues(other), 'UNASSIGNED')).toMatchObject({ targetName: 'Dora' })
  })

  it('names the other party to who looks at one case', async () => {
    await using world = await undecided()
    const found = await issues(world)
    const shown = (kind: string) => providerOf(world).read?.(String(of(found, kind)?._id), administrator)
    expect(await shown('AMBIGUOUS')).toMatchObject({ candidateNames: { u1: 'Anna', u2: 'Anna' } })
    expect(await shown('ALREADY_LINKED')).toMatchObject({ linkedTo: 'p3', linkedToName: 'Carl' })
  })

  it('never names anybody by a secret', async () => {
    const secret = { type: 'string', encryption: { purpose: 'idm.password.encryption' } }
    const hidden = { type: 'string', scope: 'private' }
    const text = { type: 'string' }
    const type = (name: string, own: object) => ({
      name,
      schema: { type: 'object', properties: { mail: text, name: text, note: text, ...own } },
    })
    await using world = await openWorld({
      mapping: { ...mapping, displayAttributes: ['name', 'note', 'mail'] },
      types: [type('person', { note: hidden }), type('user', { name: { ...secret, minLength: 2 } })],
    })
    await world.persons({ _id: 'p5', mail: 'e@x', name: 's3cret', note: 'hidden' })
    await world.users({ _id: 'u1', mail: 'e@x', name: 'invisible' }, { _id: 'u2', mail: 'e@x' })
    await world.run()
    const found = await issues(world)
    expect(found).not.toEqual([])
    expect(of(found, 'AMBIGUOUS')).toMatchObject({ sourceName: 'e@x' })
    const shown = await providerOf(world).read?.(String(of(found, 'AMBIGUOUS')?._id), administrator)
    expect(shown).toMatchObject({ candidateNames: { u1: 'e@x', u2: 'e@x' } })
    expect(JSON.stringify([found, shown])).not.toMatch(/s3cret|hidden|visible/)
  })

  it('is an empty source, but not a single object that is not there', async () => {
    await using world = await openWorld({ mapping })
    await world.run()
    expect(await issues(world)).toMatchObject([{ kind: 'GUARD', phase: 'run', code: 'EMPTY_SOURCE' }])
    await world.persons({ _id: 'p1', mail: '1@x', name: 'Anna' })
    await world.run()
    expect(await issues(world)).toEqual([])
    await world.run({ sourceId: 'nobody' })
    expect(await issues(world)).toEqual([])
  })

  it('is a stop of the guard of one object, too', async () => {
    await using world = await openWorld({ mapping: { ...mapping, guard: { maxCreates: 0 } } })
    await world.persons({ _id: 'p1', mail: '1@x', name: 'Anna' })
    await world.run({ sourceId: 'p1' })
    expect(await issues(world)).toMatchObject([{ kind: 'GUARD', code: 'GUARD' }])
  })

  it('is a stop of the guard, until a run goes through', async () => {
    await using world = await openWorld({ mapping: { ...mapping, guard: { maxCreates: 1 } } })
    await world.persons({ _id: 'p1', mail: '1@x', name: 'Anna' }, { _id: 'p2', mail: '2@x', name: 'Bob' })
    await world.run()
    expect(await issues(world)).toMatchObject([
      { kind: 'GUARD', message: expect.stringContaining('2 creates') },
    ])
    await world.remove(`${source}/p2`)
    await world.run()
    expect(await issues(world)).toEqual([])
  })
})

describe('a decision', () => {
  it('links a source object with the target that is named, and is on record', async () => {
    await using world = await undecided()
    const issue = of(await issues(world), 'AMBIGUOUS')
    expect(
      await act(world, issue?._id, 'resolve', { decision: 'link', targetId: 'u2', reason: 'by phone' }),
    ).toMatchObject({
      ...{ state: 'RESOLVED', decision: { decision: 'link', targetId: 'u2', by: 'openidm-admin' } },
    })
    expect(await world.links()).toContain('p1 → u2')
    expect(of(await issues(world), 'AMBIGUOUS')).toBeUndefined()
    const { result } = await world.repository.audit.query('sync', { filter: everything })
    expect(result).toMatchObject([
      {
        action: 'LINK',
        sourceObjectId: `${source}/p1`,
        userId: 'openidm-admin',
        reason: 'by phone',
        trigger: 'performAction',
      },
    ])
    const activity = await world.repository.audit.query('activity', { filter: everything })
    expect(activity.result.map(({ objectId }) => objectId)).toContain(`sync/issues/${issue?._id}`)
    await act(world, issue?._id, 'undo')
    expect(await world.links()).toEqual(['p3 → u3'])
    expect(of(await issues(world), 'AMBIGUOUS')).toMatchObject({ sourceId: 'p1' })
  })

  it('links a target with the source that is named', async () => {
    await using world = await undecided()
    await act(world, of(await issues(world), 'UNASSIGNED')?._id, 'resolve', {
      decision: 'link',
      sourceId: 'p5',
    })
    expect(await world.links()).toContain('p5 → u4')
  })

  it('creates a target of its own, which is gone when it is undone', async () => {
    await using world = await undecided()
    const issue = of(await issues(world), 'AMBIGUOUS')
    await act(world, issue?._id, 'resolve', { decision: 'create' })
    expect(Object.values(await world.all(target)).filter(({ mail }) => mail === 'a@x')).toHaveLength(3)
    await act(world, issue?._id, 'undo')
    expect(Object.keys(await world.all(target)).toSorted()).toEqual(['u1', 'u2', 'u3', 'u4'])
  })

  it('to ignore holds until the case is another one', async () => {
    await using world = await undecided()
    const issue = of(await issues(world), 'AMBIGUOUS')
    await act(world, issue?._id, 'resolve', { decision: 'ignore', reason: 'a test account' })
    await world.run()
    expect(of(await issues(world, 'IGNORED'), 'AMBIGUOUS')).toMatchObject({
      decision: { reason: 'a test account' },
    })
    await world.users({ _id: 'u9', mail: 'a@x', name: 'Anna' })
    await world.run()
    expect(of(await issues(world), 'AMBIGUOUS')).toMatchObject({ candidates: ['u1', 'u2', 'u9'] })
  })

  it('to link with what another source has is refused, and names it', async () => {
    await using world = await undecided()
    const issue = of(await issues(world), 'ALREADY_LINKED')
    await expect(
      act(world, issue?._id, 'resolve', { decision: 'link', targetId: 'u3' }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('p3'),
    })
    expect(of(await issues(world), 'ALREADY_LINKED')).toBeDefined()
  })

  it.each([
    ['resolve', {}],
    ['resolve', { decision: 'ignore' }],
    ['resolve', { decision: 'ignore', reason: ' ' }],
    ['resolve', { decision: 'link' }],
    ['explode', {}],
    ['undo', {}],
  ])('that is none is refused: %s %j', async (name, content) => {
    await using world = await undecided()
    const [issue] = await issues(world)
    await expect(act(world, issue?._id, name, content)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(act(world, 'none', name, content)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('to try a failure again is a run of its own', async () => {
    await using world = await undecided()
    const issue = of(await issues(world), 'FAILURE')
    expect(await act(world, issue?._id, 'retry')).toMatchObject({
      kind: 'retry',
      outcome: 'COMPLETED_WITH_FAILURES',
    })
    await world.change(`${source}/p5`, { mail: 'e@x', name: 'Eve' })
    expect(await act(world, issue?._id, 'retry')).toMatchObject({ kind: 'retry', outcome: 'COMPLETED' })
    expect(of(await issues(world), 'FAILURE')).toBeUndefined()
    const unassigned = of(await issues(world), 'UNASSIGNED')
    await expect(act(world, unassigned?._id, 'retry')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('cases of a mapping that is configured no more', () => {
  const listed = async (world: World, configured: Configured, filter = everything) =>
    (await providerOf(world, configured).query?.('', { filter }, administrator))?.result
  const named = (mapping: string): Filter => ({
    kind: 'compare',
    operator: 'eq',
    pointer: ['mapping'],
    value: mapping,
  })
  const all = (world: World, name: string, content: JsonObject = {}) =>
    providerOf(world, new Set(['other'])).action?.('', { name, content, parameters: {} }, administrator)

  it('are counted, and listed only for who names it', async () => {
    await using world = await undecided()
    const gone: Configured = new Set(['other'])
    expect(await listed(world, gone)).toEqual([])
    expect(await listed(world, gone, named('person_user'))).toHaveLength(4)
    expect((await listed(world, gone, named('person_user')))?.[0]).toMatchObject({ mappingGone: true })
    expect(await all(world, 'summary')).toEqual({
      groups: [],
      gone: [{ mapping: 'person_user', count: 4 }],
    })
    expect(await all(world, 'summary', { mapping: 'person_user' })).toMatchObject({
      groups: [{ count: 1 }, { count: 1 }, { count: 1 }, { count: 1 }],
      gone: [],
    })
  })

  it('are there again with it, and while its file cannot be read', async () => {
    await using world = await undecided()
    for (const configured of [new Set(['person_user']), undefined]) {
      const cases = await listed(world, configured)
      expect(cases).toHaveLength(4)
      expect(cases?.[0]).not.toHaveProperty('mappingGone')
    }
  })

  it('are cleared by one action, which is on record; those of a mapping that is there are not', async () => {
    await using world = await undecided()
    await expect(act(world, '', 'clear', { mapping: 'person_user' })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
    expect(await all(world, 'clear', { mapping: 'person_user', reason: 'replaced' })).toEqual({
      ...{ mapping: 'person_user', cleared: 4 },
    })
    expect(await issues(world)).toEqual([])
    const activity = await world.repository.audit.query('activity', { filter: everything })
    expect(activity.result).toContainEqual(
      expect.objectContaining({
        ...{ objectId: 'sync/issues', userId: 'openidm-admin' },
        message: 'clear: 4 of person_user: replaced',
      }),
    )
  })

  it('are dropped when they were last found a month ago', async () => {
    await using world = await undecided()
    const [old, ...others] = await issues(world)
    const stored = await world.repository.issues.read(String(old?._id))
    if (!stored) throw new Error('there is no such case')
    const content = { ...stored.content, lastSeen: '2001-01-01T00:00:00.000Z' }
    await world.repository.issues.save({ ...stored, content })
    for (const configured of [undefined, new Set(['person_user'])]) {
      await expireGone(world.repository.issues, configured)
      expect(await issues(world)).toHaveLength(4)
    }
    await expireGone(world.repository.issues, new Set(['other']))
    expect((await issues(world)).map(({ _id }) => _id)).toEqual(others.map(({ _id }) => _id))
  })
})
