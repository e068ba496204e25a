import { describe, expect, it } from 'vitest'
import { everything } from '../../../model/filter/filter.ts'
import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { Unreadable } from '../../../model/unreadable.ts'
import type { Remark, Resources, SetChange, SetChanges } from '../../../router/resources.ts'
import { router } from '../../../router/router.ts'
import { issuesProvider } from '../../resources/issues.ts'
import { deadLetterProvider } from '../../resources/live-sync.ts'
import { administrator, openWorld, source, target, type World } from '../../testing/world.ts'
import { implicitSync } from '../implicit/implicit-sync.ts'
import { failureHandler } from './failure-handler.ts'
import { deadLetters, liveSync } from './live-sync.ts'
import { readStage } from './state.ts'

const created = (id: string, token: string): SetChange => ({
  kind: 'CREATE',
  id,
  object: { _id: id, mail: `${id}@x` },
  token,
})

/** A system whose changes are others each time they are asked for. */
function answering(
  ...answers: readonly (readonly (SetChange | Remark)[])[]
): SetChanges & { readonly asked: unknown[] } {
  const asked: unknown[] = []
  return {
    asked,
    latestToken: async () => 'now',
    async *since(token) {
      const answer = answers[asked.length] ?? []
      asked.push(token)
      yield* answer
    },
  }
}

/** liveSync of a world whose source answers with these changes. */
function callOf(world: World, changes: SetChanges, handler?: JsonObject, keptChanges = 0) {
  const resources: Resources = {
    ...world.resources,
    objectSet: (path) => ({ ...world.resources.objectSet(path), ...(path === source && { changes }) }),
  }
  const single = {
    ...world.singles,
    windows: undefined,
    resources: () => resources,
    mappings: () => [world.mapping],
  }
  const options = {
    ...single,
    notify: implicitSync(single),
    handlerOf: () => failureHandler(handler),
    runScript: async () => [],
  }
  return () => liveSync(options, { source, fromBeginning: true, keptChanges }, administrator)
}

const mailsOf = async (world: World) => Object.values(await world.all(target)).map(({ mail }) => mail)
const properties = [{ source: 'mail', target: 'mail' }]

it('carries on what it looked at, and asks the system once, where there are few changes', async () => {
  await using world = await openWorld({ mapping: { properties, guard: { maxCreates: 1 } } })
  const end: SetChange = { kind: 'END', token: 'end' }
  const changes = answering([created('p1', 't1'), end], [created('p2', 't2'), end])
  const call = callOf(world, changes, undefined, 2)
  for (const mails of [['p1@x'], ['p1@x', 'p2@x']]) {
    await call()
    expect((await mailsOf(world)).toSorted()).toEqual(mails)
  }
  expect(changes.asked).toEqual([null, 'end'])
})

it('reads more changes than it keeps twice, and synchronizes nothing that has come in between', async () => {
  await using world = await openWorld({ mapping: { properties, guard: { maxCreates: 1 } } })
  const later = created('p2', 't2')
  const changes = answering(
    [created('p1', 't1')],
    [created('p1', 't1'), later, { kind: 'END', token: 'end' }],
    [later],
    [later, { kind: 'END', token: 'end' }],
  )
  const call = callOf(world, changes)
  const mails = () => mailsOf(world)

  await call()
  expect(await mails()).toEqual(['p1@x'])
  expect(await readStage(world.repository, source)).toMatchObject({ token: 't1' })
  expect(world.logged.join()).toContain('from p2 on')
  await call()
  expect((await mails()).toSorted()).toEqual(['p1@x', 'p2@x'])
  expect(await readStage(world.repository, source)).toMatchObject({ token: 'end' })
  expect(changes.asked).toEqual([null, null, 't1', 't1'])
})

const unreadable = (id: string, token: string): SetChange => ({
  kind: 'UPDATE',
  id,
  object: new Unreadable(id, new Problem('UNREADABLE', `line of ${id}: no number`)),
  token,
})

describe('a change whose object cannot be read', () => {
  it.each([
    ['for ever', undefined, 0],
    ['into the dead letters', { maxRetries: 3, postRetryAction: 'dead-letter-queue' }, 1],
  ])('is left out %s, and the others go on', async (_, handler, letters) => {
    await using world = await openWorld({ mapping: { properties, guard: { maxDeletes: 1 } } })
    const answer: SetChange[] = [created('p1', 't1'), unreadable('p2', 't2'), created('p3', 't3')]
    const call = callOf(world, answering(answer, [...answer, { kind: 'END', token: 'end' }]), handler)
    expect(await call()).toMatchObject({ connectorData: { syncToken: 'end' }, unreadable: 1 })
    expect((await mailsOf(world)).toSorted()).toEqual(['p1@x', 'p3@x'])
    expect(world.logged.join()).toContain('p2 is left out: line of p2: no number')
    const { result } = await world.repository.audit.query('activity', { filter: everything })
    expect(result.filter(({ status }) => status === 'FAILURE')).toMatchObject([{ objectId: `${source}/p2` }])
    const dead = await world.repository.objects.query(`${deadLetters}/person`, { filter: everything })
    expect(dead.result).toHaveLength(letters)
    const { result: issues } = await world.repository.issues.query({ filter: everything })
    expect(issues.filter(({ kind }) => kind === 'DEAD_LETTER')).toHaveLength(letters)
  })
})

it('keeps its token where the listing of the source is not complete, and says why', async () => {
  await using world = await openWorld({ mapping: { properties } })
  const listing = { state: 'partial', reason: 'a row has no id' } as const
  const changes = answering(
    [{ kind: 'END', token: 't0' }],
    [{ kind: 'END', token: 't0' }],
    [{ ...created('p1', 't0') }, { kind: 'INCOMPLETE', listing }],
    [{ ...created('p1', 't0') }, { kind: 'INCOMPLETE', listing }],
    [{ kind: 'END', token: 't1' }],
    [{ kind: 'END', token: 't1' }],
  )
  const call = callOf(world, changes)
  await call()
  expect(await call()).toMatchObject({ connectorData: { syncToken: 't0' }, listing })
  expect(await mailsOf(world)).toEqual(['p1@x'])
  expect(world.logged.join()).toContain('the listing of the source is partial, so nothing counts as deleted')
  expect(await call()).not.toHaveProperty('listing')
  expect(await readStage(world.repository, source)).toMatchObject({ token: 't1' })
})

it('that the guard stops is a case until it goes through', async () => {
  await using world = await openWorld({ mapping: { properties, guard: { maxCreates: 1 } } })
  const many: SetChange[] = [created('p1', 't1'), created('p2', 't2'), { kind: 'END', token: 'end' }]
  const few: SetChange[] = [created('p1', 't1'), { kind: 'END', token: 'end' }]
  const call = callOf(world, answering(many, few, few))
  const cases = async () => (await world.repository.issues.query({ filter: everything })).result
  await expect(call()).rejects.toMatchObject({ code: 'GUARD' })
  expect(await cases()).toMatchObject([{ kind: 'GUARD', phase: 'liveSync', source, code: 'GUARD' }])
  await call()
  expect(await cases()).toEqual([])
})

it('that finds a column gone is a case until it is back', async () => {
  await using world = await openWorld({ mapping: { properties } })
  await world.persons({ _id: 'p1', mail: 'p1@x' })
  const named = (name: string) => ({ name, attribute: name })
  let absent: readonly string[] = []
  const resources: Resources = {
    ...world.resources,
    objectSet: (path) => ({
      ...world.resources.objectSet(path),
      ...(path === source && {
        changes: answering(...Array.from({ length: 4 }, () => [{ kind: 'END', token: 'end' } as const])),
        properties: async () => ({ present: [named('name')], absent: absent.map(named) }),
      }),
    }),
  }
  const single = { ...world.singles, windows: undefined, resources: () => resources }
  const options = {
    ...{ ...single, mappings: () => [world.mapping], notify: implicitSync(single) },
    ...{ handlerOf: () => failureHandler(undefined), runScript: async () => [] },
  }
  const call = () => liveSync(options, { source }, administrator)
  const cases = async () => (await world.repository.issues.query({ filter: everything })).result
  await world.repository.settings.write(`properties/${source}`, ['mail', 'name'])
  absent = ['mail']
  await expect(call()).rejects.toMatchObject({ code: 'CONNECTOR_FAILED' })
  const gone = { kind: 'GUARD', phase: 'liveSync', message: expect.stringContaining('no longer has mail') }
  expect(await cases()).toMatchObject([gone])
  absent = []
  await call()
  expect(await cases()).toEqual([])
})

it('that gives a change up leaves one case, which can be discarded with its letter', async () => {
  await using world = await openWorld({
    mapping: { properties, validSource: { type: 'text/javascript', source: "throw 'always'" } },
  })
  const answer: SetChange[] = [created('p1', 't1'), { kind: 'END', token: 'end' }]
  const handler = { maxRetries: 0, postRetryAction: 'dead-letter-queue' }
  const call = callOf(world, answering(answer, answer), handler)
  await call()
  await call()
  const cases = async () => (await world.repository.issues.query({ filter: everything })).result
  const [letter, ...others] = await cases()
  expect(letter).toMatchObject({
    ...{ kind: 'DEAD_LETTER', mapping: 'person_user', sourceId: 'p1', sourceName: 'p1@x' },
    letter: expect.stringContaining(deadLetters),
  })
  expect(others).toEqual([])
  const mounts = { 'repo/synchronisation/deadLetterQueue': deadLetterProvider(world.repository) }
  const services = { ...world.singles, resources: () => router(() => mounts) }
  const configured = () => new Set(['person_user'])
  const provider = issuesProvider({ ...services, reconciliations: world.reconciliations, configured })
  await provider.action?.(
    String(letter?._id),
    { name: 'discard', content: null, parameters: {} },
    administrator,
  )
  expect(await cases()).toEqual([])
  const { result } = await world.repository.objects.query(`${deadLetters}/person`, { filter: everything })
  expect(result).toEqual([])
})

describe('what a system cannot tell any more', () => {
  const policies = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]
  const lost = [{ kind: 'LOST', reason: 'the log was purged' } as const]
  const all = (...ids: readonly string[]): (SetChange | Remark)[] => [
    ...ids.map((id) => created(id, 't')),
    { kind: 'END', token: 'after' },
  ]

  /** Three linked people, of whom the last is gone, and one who is new. */
  async function gap(mapping: JsonObject) {
    const world = await openWorld({ mapping: { properties, policies, ...mapping } })
    const people = (...ids: readonly string[]) => ids.map((id) => ({ _id: id, mail: `${id}@x` }))
    await world.persons(...people('p1', 'p2', 'p4'))
    await world.users(...people('u1', 'u3'), { _id: 'u2', mail: 'before' })
    for (const n of ['1', '2', '3']) await world.link(`p${n}`, `u${n}`)
    return world
  }

  it.each([
    ['with a guard', {}, [lost, all('p1', 'p2', 'p4'), all('p1', 'p2', 'p4')]],
    ['without brakes', { guard: false, allowEmptySourceSet: true }, [lost, all('p1', 'p2', 'p4')]],
  ])(
    'is found by comparing everything, deletions too, and goes on from there, %s',
    async (_what, mapping, told) => {
      await using world = await gap(mapping)
      const changes = answering(...told)
      expect(await callOf(world, changes)()).toMatchObject({
        connectorData: { syncToken: 'after' },
        compared: 'the log was purged',
        completeAsOf: expect.any(String),
      })
      expect((await mailsOf(world)).toSorted()).toEqual(['p1@x', 'p2@x', 'p4@x'])
      expect(await world.links()).toHaveLength(3)
      expect(await callOf(world, changes)()).not.toHaveProperty('compared')
    },
  )

  it('is no reason to delete anybody while the listing is not complete: all is compared again', async () => {
    await using world = await gap({})
    const listing = { state: 'partial', reason: 'a limit' } as const
    const part: (SetChange | Remark)[] = [...all('p1').slice(0, 1), { kind: 'INCOMPLETE', listing }]
    const record = await callOf(world, answering(lost, part, part))()
    expect(record).toMatchObject({ connectorData: { syncToken: null }, listing })
    expect(record).not.toHaveProperty('completeAsOf')
    expect(await world.links()).toHaveLength(3)
  })

  it('passes the brakes like anything else', async () => {
    await using world = await gap({ guard: { maxDeletes: 0 } })
    const call = callOf(world, answering(lost, all('p1', 'p2', 'p4')))
    await expect(call()).rejects.toMatchObject({ code: 'GUARD' })
    expect(await world.links()).toHaveLength(3)
  })

  it('who was deleted follows from what is left', async () => {
    await using world = await gap({ sourceIdsCaseSensitive: true })
    const left: (SetChange | Remark)[] = [
      { kind: 'PRESENT', ids: ['p1', 'p2'] },
      { kind: 'PRESENT', ids: ['p4'] },
      { kind: 'END', token: 'end' },
    ]
    await callOf(world, answering(left, left))()
    expect(await world.links()).toEqual(['p1 → u1', 'p2 → u2'])
  })

  it('is not skipped because something changes while everything is read twice', async () => {
    await using world = await gap({})
    const [first, ...others] = all('p1', 'p2', 'p4')
    const later = [{ ...created('p1', 't'), object: { _id: 'p1', mail: 'later' } }, ...others.slice(0, -1)]
    const second: SetChange[] = [...(later as SetChange[]), { kind: 'END', token: 'of the second' }]
    const record = await callOf(world, answering(lost, [first as SetChange, ...others], second))()
    expect(record).toMatchObject({ connectorData: { syncToken: 'after' } })
    expect((await mailsOf(world)).toSorted()).toEqual(['p2@x', 'p4@x', 'u1@x'])
  })
})
