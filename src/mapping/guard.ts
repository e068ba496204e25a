import { isJsonObject, type Json, member } from '../model/json.ts'

/**
 * How much a run may do before anybody has looked at it. A mapping states `guard: { maxDeletes, maxUpdates, maxCreates }`,
 * each a number of objects or a percentage of the linked targets (`"30%"`); `null` takes a limit away, `guard: false`
 * all of them.
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

/** A percentage of a handful says nothing: it counts from this many linked targets on. */
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

/** The limits stated on top of others; throws an Error whose message names the member that is wrong. */
export function readGuard(stated: Json | undefined, limits: GuardLimits = standard): GuardLimits {
  if (stated === undefined || stated === null) return limits
  if (stated === false) return { deletes: undefined, updates: undefined, creates: undefined }
  if (!isJsonObject(stated))
    throw new Error('guard must be an object with maxDeletes, maxUpdates, maxCreates, or false')
  const result = { ...limits }
  for (const { name, limit } of settings) {
    const value = member(stated, name)
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
