import type { PlanEntry } from '../entry.ts'

/** An operation that writes a target, with what a test says about it. */
export function planEntry(given: Partial<PlanEntry> = {}): PlanEntry {
  return {
    mapping: 'm',
    phase: 'source',
    linkQualifier: 'default',
    sourceId: 's1',
    targetId: 't1',
    situation: 'CONFIRMED',
    action: 'UPDATE',
    policy: undefined,
    ambiguousTargetIds: [],
    changes: [],
    writes: true,
    refusal: undefined,
    unforeseen: undefined,
    ...given,
  }
}
