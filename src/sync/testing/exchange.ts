/** For tests: people whose accounts outside take each other's ids. */
import type { JsonObject } from '../../model/json.ts'
import type { ObjectSet } from '../../router/resources.ts'
import { accounts, openDirectory } from './directory.ts'
import { openWorld, type World } from './world.ts'

/** Person → the id of the account. */
export type Ids = Readonly<Record<string, string>>
type Run = Awaited<ReturnType<World['run']>>

const text = { type: 'string' }
const types = [{ name: 'person', schema: { properties: { mail: text, note: text } } }]

export const failures = ({ entries }: Run) =>
  entries.flatMap(({ sourceId, refusal }) => (refusal ? [`${sourceId}: ${refusal}`] : [])).toSorted()

interface Options {
  readonly mapping?: JsonObject
  readonly others?: readonly string[]
  readonly mails?: Ids
  readonly target?: (set: ObjectSet) => Partial<ObjectSet>
}

/** People whose accounts had the ids `before`, and are to have those of `now`. Each account knows whose it is by `home`. */
export async function people(
  before: Ids,
  now: Ids,
  { mapping, others = [], mails = {}, target }: Options = {},
) {
  const directory = await openDirectory([
    ...Object.entries(before).map(([person, uid]) => [uid, `${person}@x`, `home ${person}`] as const),
    ...others.map((uid) => [uid, 'other@x', 'home of another'] as const),
  ])
  const world = await openWorld({
    types,
    mounts: { system: target ? directory.changed(target) : directory.provider },
    mapping: {
      target: accounts,
      properties: [
        { source: 'note', target: 'uid' },
        { source: 'mail', target: 'mail' },
      ],
      policies: [{ situation: 'UNASSIGNED', action: 'IGNORE' }],
      guard: false,
      ...mapping,
    },
  })
  await world.persons(
    ...Object.entries(now).map(([_id, note]) => ({ _id, note, mail: mails[_id] ?? `${_id}@x` })),
  )
  for (const [person, uid] of Object.entries(before)) await world.link(person, uid)
  return {
    ...world,
    directory,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** The rows that there should be, if everybody's account has this id and is the one that it was. */
export function rowsOf(before: Ids, now: Ids, others: readonly string[] = []): readonly string[] {
  const own = Object.entries(now).map(
    ([person, uid]) => `${uid}: ${person}@x, ${person in before ? `home ${person}` : ''}`,
  )
  return [...own, ...others.map((uid) => `${uid}: other@x, home of another`)].toSorted()
}

export const linksOf = (ids: Ids) =>
  Object.entries(ids)
    .map(([person, uid]) => `${person} → ${uid}`)
    .toSorted()
