import type { PlanHeader, PlanLine } from '../../plan/plan-line.ts'

/** A plan that is kept somewhere: a file, or a run of the store. Its lines come in the order of the run. */
export interface PlanSource {
  readonly header: PlanHeader
  /** The lines of one phase, in pages. */
  lines(phase: PlanLine['phase']): AsyncIterable<readonly PlanLine[]>
  /** The lines of the mappings behind, as a rehearsal made them: they are not performed, but follow. Absent: there are none. */
  behind?(): AsyncIterable<readonly PlanLine[]>
}

/** Where a plan goes while it is made. */
export interface PlanSink {
  add(line: PlanLine): void
  /** Waits until what was added is kept; called now and then, so that nothing piles up. */
  flush(): Promise<void>
}
