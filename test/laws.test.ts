import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Situation } from '../src/mapping/situation.ts'
import { runs } from '../src/testing/runs.ts'
import { endState, orNew, state, worldIn } from './support/states.ts'

/** Laws of whole runs. */
const examples = runs(50)

describe('for any sources, targets and links', () => {
  // More than one run, because an update may take away or give the mail address by which another person is found.
  it('runs come to a state in which a plan has nothing left to write', async () => {
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        await using world = await worldIn(given)
        for (let run = 0; run < 3; run++) await world.run()
        const { entries } = await world.run({ analyze: true })
        expect(entries.filter(({ writes }) => writes)).toEqual([])
      }),
      examples,
    )
  })

  it('one run is enough if no update takes or gives an attribute by which others are found', async () => {
    await fc.assert(
      fc.asyncProperty(state, async ({ persons, users }) => {
        // A person found by mail has that mail already; only a link may join people and accounts of different ones.
        // Failed ones are retried by every run, after the others have found their targets.
        const sound = persons.filter(({ phone }) => phone !== 'bad')
        fc.pre(sound.length > 0)
        await using world = await worldIn({ persons: sound, users, links: [] })
        const first = await world.run()
        const { entries } = await world.run({ analyze: true })
        expect(entries.filter(({ writes }) => writes)).toEqual([])
        // What the first run left to a person still is.
        const left = ({ entries }: typeof first) =>
          entries.filter(({ action }) => action === 'EXCEPTION').map(({ sourceId }) => sourceId)
        expect(left({ ...first, entries })).toEqual(left(first))
      }),
      examples,
    )
  })

  it('a plan says what the run then does, operation by operation', async () => {
    const met = new Set<Situation>()
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        await using world = await worldIn(given)
        const planned = await world.run({ analyze: true })
        const done = await world.run()
        for (const { situation } of done.entries) if (situation) met.add(situation)
        // A new target has its id afterwards only.
        const comparable = ({ entries }: typeof done) =>
          entries.map((entry) => ({
            ...entry,
            targetId: entry.action === 'CREATE' ? 'new' : orNew(String(entry.targetId)),
            ambiguousTargetIds: entry.ambiguousTargetIds.map(orNew).toSorted(),
            // It names the candidates.
            refusal: entry.refusal?.replace(/: it may be .*/, ''),
          }))
        expect(comparable(planned)).toEqual(comparable(done))
      }),
      examples,
    )
    // The worlds are tangled enough: everything that takes more than one object has happened.
    // A tenth of the examples need not meet all of them.
    if (process.env.SYNCLINE_TEST_FAST) return
    expect([...met]).toEqual(
      expect.arrayContaining(['FOUND', 'FOUND_ALREADY_LINKED', 'AMBIGUOUS', 'MISSING', 'SOURCE_MISSING']),
    )
  })

  it('working page by page comes to the same as working one object after the other', async () => {
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        await using byPage = await worldIn(given)
        await using oneByOne = await worldIn(given, { taskThreads: 1 })
        await byPage.run()
        await oneByOne.run()
        expect(await endState(byPage)).toEqual(await endState(oneByOne))
      }),
      examples,
    )
  })
})
