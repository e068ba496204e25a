import { durationOf } from '../model/duration.ts'
import { elementsOf, isJsonObject, type Json, type JsonObject, member } from '../model/json.ts'
import { nearMiss } from '../model/nearest.ts'
import { parsePointer } from '../model/pointer.ts'

/**
 * How much may be done without a person's consent: by one run, by one liveSync, and by the changes of single objects within a
 * window of time. A limit is a number of objects or a percentage of the linked targets (`"30%"`); null removes it, and
 * `guard: false` removes all of them.
 */
export interface GuardLimits extends Readonly<Record<Guarded, Limit | undefined>> {
  /** Of updates that change an attribute of the target, by the attribute's pointer. */
  readonly attributes: Readonly<Record<string, Limit>>
  /** Attribute of the target → values; an update that sets one of them disables. */
  readonly disabling: Disabling
  /** Within how many ms the changes of single objects are counted together. */
  readonly window: number
}

export type Limit =
  | { readonly kind: 'count'; readonly most: number }
  | { readonly kind: 'share'; readonly percent: number }

export type Disabling = Readonly<Record<string, readonly Json[]>>

/** What is counted of every operation. An update that disables is also one of the updates. */
export type Guarded = 'deletes' | 'disables' | 'unlinks' | 'updates' | 'creates'

/** What a limit is about. */
export type Counted = Guarded | `updates of ${string}`

/** A percentage applies only from this many linked targets on: of a few objects it means little. */
export const fewLinked = 100

const third: Limit = { kind: 'share', percent: 30 }

const standard: GuardLimits = {
  ...{ deletes: third, disables: third, unlinks: third, updates: undefined, creates: undefined },
  attributes: {},
  disabling: { accountStatus: ['inactive'], __ENABLE__: [false], active: [false] },
  window: 3_600_000,
}

const settings = [
  { name: 'maxDeletes', limit: 'deletes' },
  { name: 'maxDisables', limit: 'disables' },
  { name: 'maxUnlinks', limit: 'unlinks' },
  { name: 'maxUpdates', limit: 'updates' },
  { name: 'maxCreates', limit: 'creates' },
] as const

const members = [...settings.map(({ name }) => name), 'attributes', 'disabling', 'window']

const guarded: readonly Guarded[] = settings.map(({ limit }) => limit)

/** The configured limits, with `limits` as defaults. Throws an Error whose message names the wrong member. */
export function readGuard(configured: Json | undefined, limits: GuardLimits = standard): GuardLimits {
  if (configured === undefined || configured === null) return limits
  if (configured === false) return withoutLimits(limits)
  if (!isJsonObject(configured))
    throw new Error(`guard must be an object with ${members.join(', ')}, or false`)
  requireKnown(configured)
  const result = { ...limits }
  for (const { name, limit } of settings) {
    const value = member(configured, name)
    if (value !== undefined) result[limit] = value === null ? undefined : readLimit(name, value)
  }
  return {
    ...result,
    attributes: attributesIn(configured, limits.attributes),
    disabling: disablingIn(configured) ?? limits.disabling,
    window: windowIn(configured) ?? limits.window,
  }
}

function withoutLimits(limits: GuardLimits): GuardLimits {
  const none = { deletes: undefined, disables: undefined, unlinks: undefined, updates: undefined }
  return { ...limits, ...none, creates: undefined, attributes: {} }
}

/** A limit with a misspelt name would be none. */
function requireKnown(configured: JsonObject): void {
  for (const name of Object.keys(configured)) {
    const meant = members.includes(name) ? undefined : nearMiss(name, members)
    if (meant !== undefined) throw new Error(`guard/${name} is not known; did you mean ${meant}?`)
  }
}

function attributesIn(configured: JsonObject, limits: GuardLimits['attributes']): GuardLimits['attributes'] {
  const value = member(configured, 'attributes')
  if (value === undefined) return limits
  if (value === null) return {}
  if (!isJsonObject(value)) throw new Error('guard/attributes must be an object such as {"sn": "5%"}')
  const result = { ...limits }
  for (const [name, limit] of Object.entries(value)) {
    const pointer = parsePointer(name).join('/')
    if (limit === null || limit === undefined) delete result[pointer]
    else result[pointer] = readLimit(`attributes/${name}`, limit)
  }
  return result
}

function disablingIn(configured: JsonObject): Disabling | undefined {
  const value = member(configured, 'disabling')
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value))
    throw new Error('guard/disabling must be an object such as {"accountStatus": "inactive"}')
  return Object.fromEntries(
    Object.entries(value).map(([name, values]) => [parsePointer(name).join('/'), elementsOf(values ?? null)]),
  )
}

function windowIn(configured: JsonObject): number | undefined {
  const value = member(configured, 'window')
  if (value === undefined || value === null) return undefined
  const window = typeof value === 'string' ? durationOf(value) : undefined
  if (window) return window
  throw new Error(`guard/window must be a duration such as "1h", not ${JSON.stringify(value)}`)
}

function readLimit(name: string, value: Json): Limit {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0)
    return { kind: 'count', most: value }
  const text = typeof value === 'string' ? value.trim() : ''
  const [, digits, sign] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text) ?? []
  if (digits !== undefined && sign === '%') return { kind: 'share', percent: Number(digits) }
  if (digits !== undefined && Number.isInteger(Number(digits))) return { kind: 'count', most: Number(digits) }
  throw new Error(
    `guard/${name} must be a number of objects or a percentage such as "30%", not ${JSON.stringify(value)}`,
  )
}

/** All limits that there are. */
export function limitsOf(limits: GuardLimits): readonly (readonly [what: Counted, limit: Limit])[] {
  const own = guarded.flatMap((what) => {
    const limit = limits[what]
    return limit ? [[what, limit] as const] : []
  })
  const ofAttributes = Object.entries(limits.attributes).map(
    ([name, limit]) => [`updates of ${name}`, limit] as const,
  )
  return [...own, ...ofAttributes]
}

/** True if something is allowed that was not before. A limit of another kind may be one that allows more. */
export function loosens(before: GuardLimits, after: GuardLimits): boolean {
  const now = new Map(limitsOf(after))
  const isLooser = (limit: Limit, other: Limit | undefined) => {
    if (other?.kind === 'count' && limit.kind === 'count') return other.most > limit.most
    if (other?.kind === 'share' && limit.kind === 'share') return other.percent > limit.percent
    return true
  }
  return (
    limitsOf(before).some(([what, limit]) => isLooser(limit, now.get(what))) ||
    JSON.stringify(before.disabling) !== JSON.stringify(after.disabling)
  )
}
