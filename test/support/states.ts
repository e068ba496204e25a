import fc from 'fast-check'
import type { JsonObject } from '../../src/model/json.ts'
import { openWorld, target, type World, worldRules } from '../../src/sync/testing/world.ts'
import { script } from '../../src/testing/script.ts'

/**
 * Random sources, targets and links: few values, so that people share mail addresses and accounts are found twice,
 * linked already, or gone, and numbers that the mapping fails on.
 */
const phone = script("if (source === 'bad') { throw 'no number' }; source ? '+' + source : null")
const mapping: JsonObject = {
  properties: [
    { source: 'mail', target: 'mail' },
    { source: 'name', target: 'name', default: 'No Name' },
    { source: 'phone', target: 'phone', transform: phone },
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

export interface State {
  readonly persons: readonly JsonObject[]
  readonly users: readonly JsonObject[]
  readonly links: readonly (readonly [string, string])[]
}

const mail = fc.constantFrom('a@x', 'b@x', 'c@x')
const name = fc.constantFrom('Ann', 'Bob')
const person = fc.record(
  { mail, name, phone: fc.constantFrom('1', '2', 'bad'), kind: fc.constantFrom('staff', 'guest') },
  { requiredKeys: ['mail'] },
)
const user = fc.record(
  { mail, name, phone: fc.constantFrom('+1', '+2'), note: fc.constant('kept') },
  { requiredKeys: ['mail', 'name'] },
)
const numbered = (prefix: string) => (objects: JsonObject[]) =>
  objects.map((object, index) => ({ ...object, _id: `${prefix}${index}` }))
const pair = fc.tuple(fc.constantFrom('p0', 'p1', 'p2', 'gone'), fc.constantFrom('u0', 'u1', 'u2', 'lost'))

export const state: fc.Arbitrary<State> = fc.record({
  persons: fc.array(person, { minLength: 1, maxLength: 6 }).map(numbered('p')),
  users: fc.array(user, { maxLength: 5 }).map(numbered('u')),
  links: fc.array(pair, { maxLength: 3 }).map(oneToOne),
})

function oneToOne(pairs: readonly [string, string][]): [string, string][] {
  const seen = new Set<string>()
  return pairs.filter((ends) => !ends.some((end) => seen.has(end)) && ends.every((end) => seen.add(end)))
}

/** Made once for each variant of the mapping. */
const rules = new Map<string, ReturnType<typeof worldRules>>()

function rulesOf(more: JsonObject) {
  const variant = JSON.stringify(more)
  const known = rules.get(variant) ?? worldRules({ ...mapping, ...more })
  rules.set(variant, known)
  return known
}

export async function worldIn({ persons, users, links }: State, more: JsonObject = {}): Promise<World> {
  const world = await openWorld({ rules: await rulesOf(more) })
  await world.persons(...persons)
  await world.users(...users)
  for (const [sourceId, targetId] of links) await world.link(sourceId, targetId)
  return world
}

/** Targets and links, with ids that the store made up replaced by what the object says. */
export async function endState(world: World) {
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

export const orNew = (id: string) => (isGiven(id) ? id : 'new')
