import { fewLinked, type Guarded, type GuardLimits, type Limit } from '../mapping/guard.ts'

/** The operations of a run, counted before it begins. */
export interface Foreseen {
  readonly counts: Readonly<Record<Guarded, number>>
  /** The number of targets in the mapping's link set. */
  readonly linked: number
  /** Some ids of each kind, as examples. */
  readonly samples: Readonly<Record<Guarded, readonly string[]>>
}

/** One limit that a run would exceed. */
export interface Excess {
  readonly what: Guarded
  readonly count: number
  readonly allowed: number
  readonly linked: number
  readonly percent: number | undefined
  readonly samples: readonly string[]
}

/** All limits that would be exceeded. If there are none, the run may begin. */
export function exceeded(limits: GuardLimits, { counts, linked, samples }: Foreseen): readonly Excess[] {
  return (['deletes', 'updates', 'creates'] as const).flatMap((what): Excess[] => {
    const limit = limits[what]
    const allowed = limit && allowedBy(limit, linked)
    if (limit === undefined || allowed === undefined || counts[what] <= allowed) return []
    const percent = limit.kind === 'share' ? limit.percent : undefined
    return [{ what, count: counts[what], allowed, linked, percent, samples: samples[what] }]
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
