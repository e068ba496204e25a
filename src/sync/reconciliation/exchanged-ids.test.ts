import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { runs } from '../../testing/runs.ts'
import { accounts } from '../testing/directory.ts'
import { failures, type Ids, linksOf, people, rowsOf } from '../testing/exchange.ts'

type Exchange = Awaited<ReturnType<typeof people>>

async function requireEnd(world: Exchange, before: Ids, now: Ids): Promise<void> {
  expect(await world.directory.rows()).toEqual(rowsOf(before, now))
  expect(await world.links()).toEqual(linksOf(now))
}

const pages: [string, JsonObject][] = [
  ['in one page', {}],
  ['in pages of two', { reconSourceQueryPaging: true, reconSourceQueryPageSize: 2 }],
  ['in pages of one', { taskThreads: 1, reconSourceQueryPaging: true, reconSourceQueryPageSize: 1 }],
]

describe.each(pages)('ids of accounts outside that pass on within a run, %s', (_pages, mapping) => {
  it.each<[string, Ids, Ids]>([
    ['between two', { p1: 'anna', p2: 'bert' }, { p1: 'bert', p2: 'anna' }],
    ['round three', { p1: 'a', p2: 'b', p3: 'c' }, { p1: 'b', p2: 'c', p3: 'a' }],
    [
      'round four, two and two',
      { p1: 'a', p2: 'b', p3: 'c', p4: 'd' },
      { p1: 'c', p2: 'd', p3: 'a', p4: 'b' },
    ],
    ['along a chain', { p1: 'a', p2: 'b', p3: 'c', p4: 'd' }, { p1: 'b', p2: 'c', p3: 'd', p4: 'e' }],
    [
      'along a chain, the other way',
      { p1: 'd', p2: 'c', p3: 'b', p4: 'a' },
      { p1: 'e', p2: 'd', p3: 'c', p4: 'b' },
    ],
    ['to one who is new', { p2: 'a', p3: 'b' }, { p1: 'a', p2: 'b', p3: 'c' }],
  ])('%s: one run comes to the state of the source, as its plan says', async (_what, before, now) => {
    await using world = await people(before, now, { mapping })
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(plan)).toEqual([])
    expect(failures(run)).toEqual([])
    expect(run.situations.toSorted()).toEqual(plan.situations.toSorted())
    await requireEnd(world, before, now)
    const audited = (await world.audit(run.run.id)).filter(({ entryType }) => entryType === 'entry')
    expect(
      audited
        .map(({ sourceObjectId, targetObjectId, status }) => [sourceObjectId, targetObjectId, status])
        .toSorted(),
    ).toEqual(
      Object.entries(now)
        .map(([person, uid]) => [`managed/person/${person}`, `${accounts}/${uid}`, 'SUCCESS'])
        .toSorted(),
    )
    expect(await world.repository.intents.list('person_user', 10)).toEqual([])
    await world.run()
    expect(world.writes).toEqual([])
  })

  it('stay where one of them stays: the whole row of them fails, in plan and run, and nothing is changed', async () => {
    const before = { p1: 'a', p2: 'b', p3: 'c' }
    await using world = await people(before, { p1: 'b', p2: 'c', p3: 'd' }, { mapping, others: ['d'] })
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(run)).toEqual(failures(plan))
    expect(failures(run)).toEqual([
      'p1: could not update target a: system/directory/account already has an object "b", which is linked to p2',
      'p2: could not update target b: system/directory/account already has an object "c", which is linked to p3',
      'p3: could not update target c: system/directory/account already has an object "d"',
    ])
    expect(world.writes).toEqual([])
    expect(await world.directory.rows()).toEqual(rowsOf(before, before, ['d']))
    expect(await world.links()).toEqual(linksOf(before))
  })

  it('stay where one of them is refused for another reason, in plan and run', async () => {
    const before = { p1: 'a', p2: 'b', p3: 'c' }
    const now = { p1: 'b', p2: 'c', p3: 'a' }
    await using world = await people(before, now, { mapping, mails: { p2: '漢' } })
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(run)).toEqual(failures(plan))
    expect(failures(run).map((line) => line.slice(0, 2))).toEqual(['p1', 'p2', 'p3'])
    await requireEnd(world, before, before)
  })

  it('go to the first of two who want one', async () => {
    const before = { p1: 'a', p2: 'b' }
    await using world = await people(before, { p1: 'c', p2: 'c' }, { mapping })
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(run)).toEqual(failures(plan))
    expect(failures(run)).toEqual([
      'p2: could not update target b: system/directory/account already has an object "c", which is linked to p1',
    ])
    await requireEnd(world, before, { p1: 'c', p2: 'b' })
  })
})

describe('a target that cannot exchange ids', () => {
  const target = () => ({ exchangesIds: false })

  it.each(pages)('hands them on along a chain of any length, %s', async (_pages, mapping) => {
    const before = { p1: 'a', p2: 'b', p3: 'c', p4: 'd' }
    const now = { p1: 'b', p2: 'c', p3: 'd', p4: 'e' }
    await using world = await people(before, now, { mapping, target })
    expect(failures(await world.run({ analyze: true, foreseeHooks: true }))).toEqual([])
    expect(failures(await world.run())).toEqual([])
    await requireEnd(world, before, now)
  })

  it.each(pages)('refuses a swap, in plan and run, and says that it is one, %s', async (_pages, mapping) => {
    const before = { p1: 'a', p2: 'b' }
    await using world = await people(before, { p1: 'b', p2: 'a' }, { mapping, target })
    const plan = await world.run({ analyze: true, foreseeHooks: true })
    const run = await world.run()
    expect(failures(run)).toEqual(failures(plan))
    expect(failures(run)).toEqual([
      expect.stringMatching(/^p1: .* already has an object "b", which is linked to p2; it is a swap/),
      expect.stringMatching(/^p2: .* already has an object "a", which is linked to p1; it is a swap/),
    ])
    await requireEnd(world, before, before)
  })
})

describe('any ids that are to pass on', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const size = fc.constantFrom(1, 2, 3, 500)
  const peopleWith = (ids: readonly string[]) =>
    Object.fromEntries(ids.map((id, place) => [`p${place}`, id])) satisfies Ids

  it('pass on wherever that ends without two of one id, whatever the pages', async () => {
    const drawn = fc.shuffledSubarray(names, { minLength: 5, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(drawn, drawn, size, fc.boolean(), async (before, now, pageSize, oneByOne) => {
        const mapping = {
          reconSourceQueryPaging: true,
          reconSourceQueryPageSize: pageSize,
          ...(oneByOne && { taskThreads: 1 }),
        }
        const [had, has] = [peopleWith(before.slice(0, 4)), peopleWith(now)]
        await using world = await people(had, has, { mapping })
        expect(failures(await world.run({ analyze: true, foreseeHooks: true }))).toEqual([])
        expect(failures(await world.run())).toEqual([])
        await requireEnd(world, had, has)
      }),
      runs(20),
    )
  })

  it('fail in the run where they fail in its plan, and no account becomes that of another person', async () => {
    const wishes = fc.array(fc.constantFrom(...names), { minLength: 4, maxLength: 5 })
    const drawn = fc.shuffledSubarray(names, { minLength: 4, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(drawn, wishes, size, fc.boolean(), async (before, now, pageSize, exchangesIds) => {
        const had = peopleWith(before)
        const options = {
          mapping: { reconSourceQueryPaging: true, reconSourceQueryPageSize: pageSize },
          target: () => ({ exchangesIds }),
        }
        await using world = await people(had, peopleWith(now), options)
        const plan = failures(await world.run({ analyze: true, foreseeHooks: true }))
        const run = await world.run()
        expect(failures(run)).toEqual(plan)
        const links = Object.fromEntries((await world.links()).map((link) => link.split(' → ')))
        expect(await world.directory.rows()).toEqual(rowsOf(had, links))
        for (const [person, uid] of Object.entries(peopleWith(now)))
          if (!plan.some((line) => line.startsWith(`${person}:`))) expect(links[person]).toBe(uid)
      }),
      runs(200),
    )
  })
})
