import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ObjectSet } from '../../router/resources.ts'
import { runs } from '../../testing/runs.ts'
import { failures, type Ids, linksOf, people, rowsOf } from '../testing/exchange.ts'

/** How many writes of its first page still reach the target before the process is gone; undefined: all go on. */
interface Line {
  reaching: number | undefined
}

/** A target whose next page of writes takes effect in part, or as a whole, and is not answered. */
function dying(line: Line, exchangesIds: boolean) {
  return (set: ObjectSet): Partial<ObjectSet> => ({
    exchangesIds,
    async writeMany(writes, request, signal) {
      const { reaching } = line
      if (reaching === undefined) return set.writeMany(writes, request, signal)
      line.reaching = undefined
      // A page that exchanges ids is one change.
      if (exchangesIds ? reaching > 0 : true)
        await set.writeMany(exchangesIds ? writes : writes.slice(0, reaching), request, signal)
      throw new Problem('UNAVAILABLE', 'the line is dead')
    },
  })
}

const size = (reconSourceQueryPageSize: number, oneByOne = false): JsonObject => ({
  reconSourceQueryPaging: true,
  reconSourceQueryPageSize,
  ...(oneByOne && { taskThreads: 1 }),
})

describe('a run that breaks off while ids of accounts outside pass on', () => {
  const rounds: [string, Ids, Ids][] = [
    ['a swap', { p1: 'anna', p2: 'bert' }, { p1: 'bert', p2: 'anna' }],
    ['a round of three', { p1: 'a', p2: 'b', p3: 'c' }, { p1: 'b', p2: 'c', p3: 'a' }],
    ['a chain', { p1: 'a', p2: 'b', p3: 'c' }, { p1: 'b', p2: 'c', p3: 'd' }],
    ['a chain to one who is new', { p2: 'a', p3: 'b' }, { p1: 'a', p2: 'b', p3: 'c' }],
  ]

  it.each(
    rounds.flatMap(([what, before, now]) => [
      { what, before, now, when: 'before the file was written', reaching: 0 },
      { what, before, now, when: 'when the file was written', reaching: 9 },
    ]),
  )(
    '$what, $when: the next run comes to the end of an undisturbed one, and no account is taken for another',
    async (given) => {
      const { before, now, reaching } = given
      const line: Line = { reaching }
      await using world = await people(before, now, { target: dying(line, true) })
      const broken = await world.run()
      expect([broken.run.state, broken.run.problem?.code]).toEqual(['FAILED', 'UNAVAILABLE'])
      expect(await world.directory.rows()).toEqual(rowsOf(before, reaching > 0 ? now : before))
      const repeated = await world.run()
      expect(failures(repeated)).toEqual([])
      expect(world.writes.length > 0).toBe(reaching === 0)
      expect(await world.directory.rows()).toEqual(rowsOf(before, now))
      expect(await world.links()).toEqual(linksOf(now))
      expect(await world.repository.intents.list('person_user', 10)).toEqual([])
      const records = (await world.audit(broken.run.id)).filter(({ entryType }) => entryType === 'entry')
      expect(records.map(({ message }) => message)).toEqual(
        reaching > 0 ? Object.keys(now).map(() => 'found done after the run broke off') : [],
      )
    },
  )

  it('waits with all that depend on each other as long as one of them cannot be read', async () => {
    const [before, now]: [Ids, Ids] = [
      { p1: 'a', p2: 'b' },
      { p1: 'b', p2: 'a' },
    ]
    const line: Line = { reaching: 9 }
    await using world = await people(before, now, { target: dying(line, true) })
    await world.run()
    const whole = await world.directory.text()
    await world.directory.put(whole.replace('"a",', '"a","x"y,'))
    await world.run()
    expect(await world.repository.intents.list('person_user', 10)).toHaveLength(2)
    await world.directory.put(whole)
    expect(failures(await world.run())).toEqual([])
    expect(await world.directory.rows()).toEqual(rowsOf(before, now))
    expect(await world.links()).toEqual(linksOf(now))
  })

  it('goes by what the others show where somebody has changed one of the accounts meanwhile', async () => {
    const [before, now]: [Ids, Ids] = [
      { p1: 'a', p2: 'b', p3: 'c' },
      { p1: 'b', p2: 'c', p3: 'a' },
    ]
    const line: Line = { reaching: 9 }
    await using world = await people(before, now, { target: dying(line, true) })
    await world.run()
    const text = await world.directory.text()
    await world.directory.put(text.replace('home p2', 'home elsewhere'))
    expect(failures(await world.run())).toEqual([])
    expect(await world.links()).toEqual(linksOf(now))
    expect(await world.directory.rows()).toContain('c: p2@x, home elsewhere')
  })

  it('comes to the same end whatever ids pass on, in whatever pages, and whenever it breaks off', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const drawn = fc.shuffledSubarray(names, { minLength: 5, maxLength: 5 })
    const moments = fc.record({ reaching: fc.nat(4), exchangesIds: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        drawn,
        drawn,
        fc.constantFrom(1, 2, 500),
        fc.boolean(),
        moments,
        async (had, has, pageSize, oneByOne, moment) => {
          const idsOf = (ids: readonly string[]) =>
            Object.fromEntries(ids.map((id, place) => [`p${place}`, id]))
          const [before, now] = [idsOf(had.slice(0, 4)), idsOf(has)]
          const mapping = size(pageSize, oneByOne)
          await using undisturbed = await people(before, now, {
            mapping,
            target: () => ({ exchangesIds: moment.exchangesIds }),
          })
          const expected = failures(await undisturbed.run())
          const line: Line = { reaching: moment.reaching }
          await using world = await people(before, now, { mapping, target: dying(line, moment.exchangesIds) })
          await world.run()
          await world.run()
          const links = Object.fromEntries((await world.links()).map((link) => link.split(' → ')))
          expect(await world.directory.rows()).toEqual(rowsOf(before, links))
          if (expected.length === 0) expect(links).toEqual(now)
        },
      ),
      runs(40),
    )
  })
})
