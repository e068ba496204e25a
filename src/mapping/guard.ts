import { isJsonObject, type Json, member } from '../model/json.ts'

/**
 * How much a run may do without a person's consent. A mapping has `guard: { maxDeletes, maxUpdates, maxCreates }`,
 * each a number of objects or a percentage of the linked targets (`"30%"`). `null` removes a limit, `guard: false`
 * removes all of them.
 */
export interface GuardLimits {
  readonly deletes: Limit | undefined
  readonly updates: Limit | undefined
  readonly creates: Limit | undefined
}

export type Limit =
  | { readonly kind: 'count'; readonly most: number }
  | { readonly kind: 'share'; readonly percent: number }

export type Guarded = keyof GuardLimits

/** A percentage applies only from this many linked targets on: of a few objects it means little. */
export const fewLinked = 100

const standard: GuardLimits = {
  deletes: { kind: 'share', percent: 30 },
  updates: undefined,
  creates: undefined,
}

const settings = [
  { name: 'maxDeletes', limit: 'deletes' },
  { name: 'maxUpdates', limit: 'updates' },
  { name: 'maxCreates', limit: 'creates' },
] as const

/** The configured limits, with `limits` as defaults. Throws an Error whose message names the wrong member. */
export function readGuard(configured: Json | undefined, limits: GuardLimits = standard): GuardLimits {
  if (configured === undefined || configured === null) return limits
  if (configured === false) return { deletes: undefined, updates: undefined, creates: undefined }
  if (!isJsonObject(configured))
    throw new Error('guard must be an object with maxDeletes, maxUpdates, maxCreates, or false')
  const result = { ...limits }
  for (const { name, limit } of settings) {
    const value = member(configured, name)
    if (value !== undefined) result[limit] = value === null ? undefined : readLimit(name, value)
  }
  return result
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
