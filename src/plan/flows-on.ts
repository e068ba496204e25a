import type { Mapping } from '../mapping/mapping.ts'
import type { Pointer } from '../model/pointer.ts'
import type { PlanEntry } from './entry.ts'

/** A mapping whose source is the target of a plan: what the plan writes flows on to it. */
export interface FlowsOn {
  readonly mapping: string
  readonly target: string
  /** How many of the writes it is told of. */
  readonly changes: number
  /** True: through its queue, and so later. */
  readonly queued?: boolean
}

/** The mappings that are told at once, or through a queue, of what this mapping writes. */
export function mappingsBehind(
  { target }: Pick<Mapping, 'target'>,
  all: readonly Mapping[],
): readonly Mapping[] {
  return target.startsWith('managed/')
    ? all.filter(({ source, changes }) => source === target && changes.enabled)
    : []
}

/** True if performing the entry writes something that this mapping is told of (`triggerSyncProperties`). */
export function isToldOf(
  { changes: { properties } }: Pick<Mapping, 'changes'>,
  { writes, refusal, action, changes, deleteAfter }: PlanEntry,
): boolean {
  if (!writes || refusal !== undefined) return false
  if (action === 'CREATE' || (action === 'DELETE' && deleteAfter === undefined)) return true
  return changes.some(({ pointer }) => !properties || properties.some((one) => touches(one, pointer)))
}

/** One is the other, or is in it. */
function touches(a: Pointer, b: Pointer): boolean {
  return a.every((name, level) => level >= b.length || name === b[level])
}
