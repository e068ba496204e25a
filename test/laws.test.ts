import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Situation } from '../src/mapping/situation.ts'
import type { JsonObject } from '../src/model/json.ts'
import { openWorld, script, target, type World } from '../src/sync/testing/world.ts'

/**
 * Laws of whole runs, over random sources, targets and links: few values, so that people share mail addresses and
 * accounts are found twice, linked already, or gone.
 */
const mapping: JsonObject = {
  properties: [
    { source: 'mail', target: 'mail' },
    { source: 'name', target: 'name', default: 'No Name' },
    { source: 'phone', target: 'phone', transform: script("source ? '+' + source : null") },
  ],
  correlationQuery: script("var q = { _queryFilter: 'mail eq \"' + source.mail + '\"' }; q"),
  correlateEmptyTargetSet: true,
  sourceCondition: '!(/source/kind eq "guest")',
  policies: [
    { situation: 'MISSING', action: 'CREATE' },
    { situation: 'SOURCE_MISSING', action: 'DELETE' },
    { situation: 'UNASSIGNED', action: 'REPORT' },
    // The default would delete an account that correlation finds for a guest, even if it is somebody else's.
    { situation: 'UNQUALIFIED', action: 'UNLINK' },
  ],
}

interface State {
  readonly persons: readonly JsonObject[]
  readonly users: readonly JsonObject[]
  readonly links: readonly (readonly [string, string])[]
}

const mail = fc.constantFrom('a@x', 'b@x', 'c@x')
const name = fc.constantFrom('Ann', 'Bob')
const person = fc.record(
  { mail, name, phone: fc.constantFrom('1', '2'), kind: fc.constantFrom('staff', 'guest') },
  { requiredKeys: ['mail'] },
)
const user = fc.record(
  { mail, name, phone: fc.constantFrom('+1', '+2'), note: fc.constant('kept') },
  { requiredKeys: ['mail', 'name'] },
)
const numbered = (prefix: string) => (objects: JsonObject[]) =>
  objects.map((object, index) => ({ ...object, _id: `${prefix}${index}` }))
const pair = fc.tuple(fc.constantFrom('p0', 'p1', 'p2', 'gone'), fc.constantFrom('u0', 'u1', 'u2', 'lost'))

const state: fc.Arbitrary<State> = fc.record({
  persons: fc.array(person, { minLength: 1, maxLength: 6 }).map(numbered('p')),
  users: fc.array(user, { maxLength: 5 }).map(numbered('u')),
  links: fc.array(pair, { maxLength: 3 }).map(oneToOne),
})

function oneToOne(pairs: readonly [string, string][]): [string, string][] {
  const seen = new Set<string>()
  return pairs.filter((ends) => !ends.some((end) => seen.has(end)) && ends.every((end) => seen.add(end)))
}

async function worldIn({ persons, users, links }: State, more: JsonObject = {}): Promise<World> {
  const world = await openWorld({ mapping: { ...mapping, ...more } })
  await world.persons(...persons)
  await world.users(...users)
  for (const [sourceId, targetId] of links) await world.link(sourceId, targetId)
  return world
}

/** Targets and links, with ids that the store made up replaced by what the object says. */
async function endState(world: World) {
  const users = await world.all(target)
  const named = (id: string) => (isGiven(id) ? id : JSON.stringify({ ...users[id], _id: 'new' }))
  const links = (await world.links()).map((link) => link.replace(/→ (\S+)$/, (_, id) => `→ ${named(id)}`))
  return {
    users: Object.keys(users)
      .map((id) => [named(id), { ...users[id], _id: '' }])
      .toSorted(),
    links: links.toSorted(),
  }
}

/** An id that the test gave, not the store. */
function isGiven(id: string): boolean {
  return /^u\d$|^lost$/.test(id)
}

const orNew = (id: string) => (isGiven(id) ? id : 'new')

const runs = { numRuns: 50 }

describe('whatever the sources, targets and links', () => {
  // More than one run, because an update may take away or give the mail address by which another person is found.
  it('runs come to a state in which a plan has nothing left to write', async () => {
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        await using world = await worldIn(given)
        for (let run = 0; run < 3; run++) await world.run()
        const { entries } = await world.run({ analyze: true })
        expect(entries.filter(({ writes }) => writes)).toEqual([])
      }),
      runs,
    )
  })

  it('one run is enough if no update takes or gives an attribute by which others are found', async () => {
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        // Whoever is found by mail has that mail already; only a link may join people and accounts of different ones.
        await using world = await worldIn({ ...given, links: [] })
        const first = await world.run()
        const { entries } = await world.run({ analyze: true })
        expect(entries.filter(({ writes }) => writes)).toEqual([])
        // What the first run left to a person still is.
        const left = ({ entries }: typeof first) =>
          entries.filter(({ action }) => action === 'EXCEPTION').map(({ sourceId }) => sourceId)
        expect(left({ ...first, entries })).toEqual(left(first))
      }),
      runs,
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
          }))
        expect(comparable(planned)).toEqual(comparable(done))
      }),
      runs,
    )
    // The worlds are tangled enough: everything that takes more than one object has happened.
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
      runs,
    )
  })
})
