import { type Action, type Situation, situations } from '../../mapping/situation.ts'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { openWorld, type World, type WorldOptions } from './world.ts'

export const correlation = script("var q = { _queryFilter: 'mail eq \"' + source.mail + '\"' }; q")
export const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'name', target: 'name' },
]
export const person = { _id: 'p', mail: 'ann@x', name: 'Ann' }

interface SituationOptions extends Omit<WorldOptions, 'mapping'> {
  /** What else the mapping says. */
  readonly settings?: JsonObject
  /** What else the policy of the situation says. */
  readonly policy?: JsonObject
}

/** A world in which the one person `p`, or the target `u`, or `z`, is in the given situation, and the action follows. */
export async function inSituation(
  situation: Situation,
  action: Action,
  { settings = {}, policy = {}, ...options }: SituationOptions,
): Promise<World> {
  // Whatever else is in the world is looked at and left alone.
  const others = situations.filter((other) => other !== situation)
  const policies = [
    { situation, action, ...policy },
    ...others.map((other) => ({ situation: other, action: 'REPORT' })),
  ]
  const disqualified = situation === 'UNQUALIFIED' || situation === 'SOURCE_IGNORED'
  const selection: JsonObject = disqualified ? { sourceCondition: '/source/kind eq "staff"' } : {}
  const world = await openWorld({
    ...options,
    mapping: { properties, policies, correlationQuery: correlation, ...selection, ...settings },
  })
  await world.persons(person)
  await arrange[situation]?.(world)
  return world
}

const arrange: Partial<Record<Situation, (world: World) => Promise<void>>> = {
  async CONFIRMED(world) {
    await world.users({ _id: 'u', mail: 'old@x', name: 'Old', note: 'kept' })
    await world.link('p', 'u')
  },
  FOUND: (world) => world.users({ _id: 'u', mail: 'ann@x', name: 'Old', note: 'kept' }),
  async FOUND_ALREADY_LINKED(world) {
    await world.users({ _id: 'u', mail: 'ann@x', name: 'Old' })
    await world.persons({ _id: 'q', mail: 'other@x', name: 'Other' })
    await world.link('q', 'u')
  },
  // There is another user in the target set: correlation against an empty one is skipped.
  ABSENT: (world) => world.users({ _id: 'z', mail: 'z@x', name: 'Zed' }),
  async AMBIGUOUS(world) {
    await world.users({ _id: 'u', mail: 'ann@x', name: 'Old' }, { _id: 'v', mail: 'ann@x', name: 'Older' })
  },
  async MISSING(world) {
    await world.users({ _id: 'z', mail: 'z@x', name: 'Zed' })
    await world.link('p', 'u')
  },
  async UNQUALIFIED(world) {
    await world.users({ _id: 'u', mail: 'old@x', name: 'Old' })
    await world.link('p', 'u')
  },
  SOURCE_IGNORED: (world) => world.users({ _id: 'z', mail: 'z@x', name: 'Zed' }),
  UNASSIGNED: (world) => world.users({ _id: 'z', mail: 'z@x', name: 'Zed' }),
  async SOURCE_MISSING(world) {
    await world.users({ _id: 'u', mail: 'gone@x', name: 'Gone' })
    await world.link('gone', 'u')
  },
}
