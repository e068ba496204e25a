import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { openWorld, source, target, type World } from '../testing/world.ts'

/**
 * Objects that cannot be read, and listings that are not complete, on either side: what can be read is done, and what
 * cannot be read is never judged absent.
 */

const properties = [{ source: 'mail', target: 'mail' }]
const mail = (id: number) => `${id}@x`
const deleting = [
  { situation: 'SOURCE_MISSING', action: 'DELETE' },
  { situation: 'UNASSIGNED', action: 'DELETE' },
  { situation: 'MISSING', action: 'CREATE' },
]
const correlationQuery = {
  linkQualifier: 'default',
  expressionTree: { all: ['mail'] },
  mapping: 'person_user',
}

async function people(
  linked: readonly number[],
  more: readonly number[] = [],
  mapping: JsonObject = {},
): Promise<World> {
  const world = await openWorld({ mapping: { properties, policies: deleting, ...mapping } })
  await world.persons(...[...linked, ...more].map((id) => ({ _id: `p${id}`, mail: mail(id) })))
  await world.users(...linked.map((id) => ({ _id: `u${id}`, mail: mail(id) })))
  for (const id of linked) await world.link(`p${id}`, `u${id}`)
  return world
}

const userIds = async (world: World) =>
  Object.keys(await world.all(target))
    .toSorted()
    .join()

describe('a source object that cannot be read', () => {
  it('fails alone: the others are done, and its target stays', async () => {
    await using world = await people([1, 2, 3], [4])
    await world.change(`${source}/p1`, { mail: 'new@x' })
    await world.remove(`${source}/p3`)
    world.damage(source, { unreadable: ['p2'] })
    const { run, situations } = await world.run()
    expect(situations).toEqual([
      'source p1: CONFIRMED UPDATE',
      'source p2: null null',
      'source p4: ABSENT CREATE',
      'target u3: SOURCE_MISSING DELETE',
    ])
    expect(world.writes.map((write) => write.split(' ')[0])).toEqual(['update', 'create', 'delete'])
    expect(await world.links()).toContain('p2 → u2')
    expect(run.toJSON()).toMatchObject({
      state: 'SUCCESS',
      statusSummary: { SUCCESS: 3, FAILURE: 1 },
      unreadable: { count: 1, messages: ['line of p2: it cannot be read'] },
    })
    const entries = await world.audit(run.id)
    expect(entries.find(({ sourceObjectId }) => sourceObjectId === `${source}/p2`)).toMatchObject({
      status: 'FAILURE',
      message: 'line of p2: it cannot be read',
      targetObjectId: `${target}/u2`,
    })
    expect(entries.at(-1)).toMatchObject({
      message: expect.stringContaining('Objects that could not be read: 1.'),
    })
  })

  it('is not an empty source where it is the only one', async () => {
    await using world = await people([1])
    world.damage(source, { unreadable: ['p1'] })
    const { run } = await world.run()
    expect([run.state, run.statistics.status.FAILURE]).toEqual(['SUCCESS', 1])
    expect(world.writes).toEqual([])
  })

  it('fails in a run about it alone, even where an absent one counts as deleted', async () => {
    await using world = await people([1])
    world.damage(source, { unreadable: ['p1'] })
    const { run, situations } = await world.run({ sourceId: 'p1', overrides: { allowEmptySourceSet: true } })
    expect(situations).toEqual(['source p1: null null'])
    expect(run.statistics.unreadable.count).toBe(1)
    expect(world.writes).toEqual([])
  })

  it('that has no link keeps every target without a link: one of them may be its own', async () => {
    await using world = await people([1], [2])
    await world.users({ _id: 'u2', mail: mail(2) })
    await world.remove(`${source}/p1`)
    world.damage(source, { unreadable: ['p2'] })
    const { entries, situations } = await world.run({
      overrides: { allowEmptySourceSet: true, reason: 'all have left' },
    })
    expect(situations).toEqual([
      'source p2: null null',
      'target u1: SOURCE_MISSING DELETE',
      'target u2: UNASSIGNED DELETE',
    ])
    expect(entries[2]?.refusal).toMatch(
      /^nothing is done, because nobody knows whether there is no source object/,
    )
    expect(world.writes).toEqual(['delete u1'])
  })

  it('is told by a plan', async () => {
    await using world = await people([1, 2])
    world.damage(source, { unreadable: ['p2'] })
    const { entries } = await world.run({ analyze: true })
    expect(entries[1]).toMatchObject({
      sourceId: 'p2',
      writes: false,
      refusal: 'line of p2: it cannot be read',
    })
  })

  it('has all its targets left alone where a script chooses its link qualifiers', async () => {
    const script = { type: 'text/javascript', source: "returnAll ? ['a', 'b'] : ['a']" }
    await using world = await openWorld({
      mapping: { properties, policies: deleting, linkQualifiers: script },
    })
    await world.persons({ _id: 'p1', mail: mail(1) })
    await world.users({ _id: 'u1', mail: mail(1) }, { _id: 'u2', mail: mail(1) })
    await world.link('p1', 'u1', 'a')
    await world.link('p1', 'u2', 'b')
    world.damage(source, { unreadable: ['p1'] })
    await world.run()
    expect(world.writes).toEqual([])
    expect(await world.links()).toHaveLength(2)
  })
})

describe('a target that cannot be read', () => {
  it('fails alone, and is not created a second time', async () => {
    await using world = await people([1, 2])
    await world.change(`${source}/p2`, { mail: 'new@x' })
    world.damage(target, { unreadable: ['u1'] })
    const { run, situations } = await world.run()
    expect(situations).toEqual(['source p1: null null', 'source p2: CONFIRMED UPDATE'])
    expect(world.writes).toEqual(['update u2'])
    expect(run.statistics.unreadable.count).toBe(1)
  })

  it.each([
    ['without a link may be the one that correlation looks for', false, ['source p2: null null'], 'u1'],
    ['with a link is another one', true, ['source p1: null null', 'source p2: ABSENT CREATE'], 'two'],
  ])('%s', async (_, isLinked, expected, users) => {
    await using world = await openWorld({ mapping: { properties, policies: deleting, correlationQuery } })
    await world.persons({ _id: 'p2', mail: mail(2) }, ...(isLinked ? [{ _id: 'p1', mail: mail(1) }] : []))
    await world.users({ _id: 'u1', mail: mail(1) })
    if (isLinked) await world.link('p1', 'u1')
    world.damage(target, { unreadable: ['u1'] })
    const { situations } = await world.run()
    expect(situations.filter((line) => line.startsWith('source')).toSorted()).toEqual(expected)
    expect(users === 'two' ? Object.keys(await world.all(target)).length : await userIds(world)).toBe(
      users === 'two' ? 2 : users,
    )
  })
})

describe('a listing of the source that is not complete', () => {
  it.each([
    ['partial', 'the size limit was reached'],
    ['suspect', 'ids repeat'],
  ] as const)('%s: nothing that is absent from it is deleted, and the run says so', async (state, reason) => {
    await using world = await people([1, 2], [4])
    await world.users({ _id: 'u9', mail: mail(9) })
    world.damage(source, { hidden: ['p2'], listing: { state, reason } })
    const { run, entries, situations } = await world.run()
    expect(situations).toEqual([
      'source p1: CONFIRMED UPDATE',
      'source p4: ABSENT CREATE',
      'target u2: SOURCE_MISSING DELETE',
      'target u9: UNASSIGNED DELETE',
    ])
    expect(world.writes.map((write) => write.split(' ')[0])).toEqual(['create'])
    expect(await world.links()).toContain('p2 → u2')
    expect(entries[2]).toMatchObject({
      writes: false,
      refusal: expect.stringContaining(`is ${state}: ${reason}`),
    })
    expect(run.toJSON()).toMatchObject({ listings: { source: { state, reason } } })
    const summary = (await world.audit(run.id)).at(-1)
    expect(summary?.message).toContain(`The listing of the source is ${state}`)
  })

  it('does no post actions for what is absent, and unlinks nothing', async () => {
    const postAction = {
      type: 'text/javascript',
      source: "openidm.create('managed/user', null, {mail: 'made'})",
    }
    const policies = [
      { situation: 'SOURCE_MISSING', action: 'UNLINK' },
      { situation: 'UNASSIGNED', action: 'IGNORE', postAction },
    ]
    await using world = await people([1, 2], [], { policies })
    await world.users({ _id: 'u9', mail: mail(9) })
    world.damage(source, { hidden: ['p2'], listing: { state: 'partial', reason: 'cut' } })
    await world.run()
    expect(await userIds(world)).toBe('u1,u2,u9')
    expect(await world.links()).toHaveLength(2)
  })

  it('says nothing about links whose two ends are gone', async () => {
    await using world = await people([1])
    await world.link('p8', 'u8')
    world.damage(source, { listing: { state: 'partial', reason: 'cut' } })
    const cleanUp = { overrides: { cleanUpLinks: true } }
    await world.run(cleanUp)
    expect(await world.links()).toHaveLength(2)
    expect(world.logged.join()).toContain('links are not cleaned up, because a listing is partial: cut')
    world.damage(source)
    await world.run(cleanUp)
    expect(await world.links()).toHaveLength(1)
  })

  it('does not count for the guard, for nothing is deleted', async () => {
    await using world = await people([1, 2, 3], [], { guard: { maxDeletes: 1 } })
    world.damage(source, { hidden: ['p2', 'p3'], listing: { state: 'partial', reason: 'cut' } })
    const { run } = await world.run()
    expect(run.state).toBe('SUCCESS')
    world.damage(source, { hidden: ['p2', 'p3'] })
    expect((await world.run()).run.problem?.code).toBe('GUARD')
  })

  it('is an empty source where nothing of it can be read', async () => {
    await using world = await people([1])
    world.damage(source, { hidden: ['p1'], listing: { state: 'partial', reason: 'cut' } })
    expect((await world.run()).run.problem?.code).toBe('EMPTY_SOURCE')
    await world.run({ overrides: { allowEmptySourceSet: true, reason: 'all have left' } })
    expect(await userIds(world)).toBe('u1')
  })

  it('holds for a plan, and for what is made of it', async () => {
    await using world = await people([1, 2])
    world.damage(source, { hidden: ['p2'], listing: { state: 'partial', reason: 'cut' } })
    const { entries } = await world.run({ analyze: true })
    expect(entries.filter(({ writes }) => writes)).toEqual([])
  })
})

describe('a listing of the targets that is not complete', () => {
  const partial = { state: 'partial', reason: 'a row has no id' } as const

  it('does not make a target missing, so that none is created a second time', async () => {
    await using world = await people([1, 2])
    world.damage(target, { hidden: ['u2'], listing: partial })
    const { run, entries, situations } = await world.run()
    expect(situations).toEqual(['source p1: CONFIRMED UPDATE', 'source p2: MISSING CREATE'])
    expect(entries[1]?.refusal).toContain(
      'nobody knows whether the target is gone: the listing of the target is partial',
    )
    expect(world.writes).toEqual([])
    expect(run.toJSON()).toMatchObject({ listings: { target: partial } })
    world.damage(target, { hidden: ['u2'] })
    expect((await world.run()).situations[1]).toBe('source p2: MISSING CREATE')
    expect(world.writes).toHaveLength(1)
  })

  it('does not show correlation that there is nothing, even where all of it is hidden', async () => {
    await using world = await people([], [1], { correlationQuery })
    await world.users({ _id: 'u1', mail: mail(1) })
    world.damage(target, { hidden: ['u1'], listing: partial })
    const { entries } = await world.run()
    expect(entries[0]?.refusal).toContain(
      'correlation finds no target, but the listing of the targets is partial',
    )
    expect(await userIds(world)).toBe('u1')
  })
})
