import { type Counted, fewLinked, type GuardLimits, type Limit, limitsOf } from '../mapping/guard.ts'
import type { Action } from '../mapping/situation.ts'
import type { Change } from '../model/diff.ts'
import { elementsOf, type Json } from '../model/json.ts'

export type Counts = Partial<Record<Counted, number>>

/** Operations, counted before they are performed. */
export interface Foreseen {
  readonly counts: Readonly<Counts>
  /** The number of targets in the mapping's link set. */
  readonly linked: number
  /** Some ids of each kind, as examples. */
  readonly samples: Readonly<Partial<Record<Counted, readonly string[]>>>
}

/** One limit that would be exceeded. */
export interface Excess {
  readonly what: Counted
  readonly count: number
  readonly allowed: number
  readonly linked: number
  readonly percent: number | undefined
  readonly samples: readonly string[]
}

/** All limits that would be exceeded. If there are none, the operations may be performed. */
export function exceeded(limits: GuardLimits, { counts, linked, samples }: Foreseen): readonly Excess[] {
  return limitsOf(limits).flatMap(([what, limit]): Excess[] => {
    const allowed = allowedBy(limit, linked)
    const count = counts[what] ?? 0
    if (allowed === undefined || count <= allowed) return []
    const percent = limit.kind === 'share' ? limit.percent : undefined
    return [{ what, count, allowed, linked, percent, samples: samples[what] ?? [] }]
  })
}

/** How many objects a limit allows; undefined if it does not apply. */
export function allowedBy(limit: Limit, linked: number): number | undefined {
  if (limit.kind === 'count') return limit.most
  return linked > fewLinked ? Math.floor((linked * limit.percent) / 100) : undefined
}

/** `340 deletes of 1000 linked targets; at most 300 (30%) are allowed. Among them: u1, u2` */
export function excessInWords({ what, count, allowed, linked, percent, samples }: Excess): string {
  const share = percent === undefined ? '' : ` (${percent}%)`
  const among = samples.length > 0 ? `. Among them: ${samples.join(', ')}` : ''
  return `${count} ${what} for ${linked} linked targets; at most ${allowed}${share} are allowed${among}`
}

/** What is known of an operation that is about to be performed. */
export interface Write {
  readonly action?: Action | null | undefined
  readonly changes: readonly Change[]
  readonly targetExists: boolean
  readonly linked: boolean
  /** It is disabled until it is deleted then. */
  readonly deleteAfter?: string | undefined
}

const nothing: readonly Counted[] = []
const creates: readonly Counted[] = ['creates']
const deletes: readonly Counted[] = ['deletes']
const unlinks: readonly Counted[] = ['unlinks']
const updates: readonly Counted[] = ['updates']

/** As what an operation counts. */
export function countedAs(
  { action, changes, targetExists, linked, deleteAfter }: Write,
  limits: Pick<GuardLimits, 'attributes' | 'disabling'>,
): readonly Counted[] {
  if (action === 'CREATE') return creates
  if (action === 'DELETE') return targetExists ? deletes : nothing
  if (action === 'UNLINK') return linked ? unlinks : nothing
  if (action !== 'UPDATE' || changes.length === 0) return nothing
  const more = changes.flatMap((change) => ofChange(change, limits))
  if (deleteAfter !== undefined) more.push('disables')
  return more.length === 0 ? updates : ['updates', ...new Set(more)]
}

function ofChange(
  { pointer, before, after }: Change,
  { attributes, disabling }: Pick<GuardLimits, 'attributes' | 'disabling'>,
): readonly Counted[] {
  const found: Counted[] = []
  const path = pointer.join('/')
  for (const name in attributes) if (isWithin(path, name)) found.push(`updates of ${name}`)
  if (Object.hasOwn(disabling, path)) {
    const values = disabling[path] ?? []
    if (isOneOf(after, values) && !isOneOf(before, values)) found.push('disables')
  }
  return found
}

/** A change of a part is a change of the whole, and the other way round. */
function isWithin(path: string, name: string): boolean {
  return path === name || path.startsWith(`${name}/`) || name.startsWith(`${path}/`)
}

/** Systems tell `false` and `"false"`, `inactive` and `INACTIVE` the same way. */
function isOneOf(value: Json | undefined, values: readonly Json[]): boolean {
  const text = (one: Json | undefined) => String(one ?? '').toLowerCase()
  return elementsOf(value ?? null).some((one) => values.some((other) => text(one) === text(other)))
}
