import type { GuardLimits } from '../../mapping/guard.ts'
import { exceeded, excessInWords } from '../../plan/guard.ts'
import { type PlanFilters, type PlanHeader, type PlanLine, planFilter } from '../../plan/plan-line.ts'

/** What the header of a plan says about its lines. */
export type PlanSummary = Pick<PlanHeader, 'entries' | 'counts' | 'writes' | 'guard'>

/** Counts the lines of a plan while it is made. */
export class PlanCounts {
  readonly #wanted: (line: PlanLine) => boolean
  readonly #counts = new Map<string, Map<string, number>>()
  readonly #writes = { creates: 0, updates: 0, deletes: 0, others: 0 }
  #entries = 0

  constructor(filters: PlanFilters) {
    this.#wanted = planFilter(filters)
  }

  /** True if the plan wants the line. */
  take(line: PlanLine): boolean {
    if (!this.#wanted(line)) return false
    this.#entries++
    const situation = line.situation ?? 'FAILED'
    const actions = this.#counts.get(situation) ?? new Map<string, number>()
    this.#counts.set(situation, actions)
    const action = line.action ?? 'NONE'
    actions.set(action, (actions.get(action) ?? 0) + 1)
    if (line.writes) this.#countWrite(line)
    return true
  }

  #countWrite({ action, changes, read }: PlanLine): void {
    const kind =
      action === 'CREATE'
        ? 'creates'
        : action === 'DELETE' && read.target !== null
          ? 'deletes'
          : action === 'UPDATE' && changes.length > 0
            ? 'updates'
            : 'others'
    this.#writes[kind]++
  }

  summary(limits: GuardLimits, linked: number): PlanSummary {
    // The lines name all objects; the verdict need not.
    const samples = { creates: [], updates: [], deletes: [] }
    const excess = exceeded(limits, { counts: this.#writes, linked, samples })
    return {
      entries: this.#entries,
      counts: Object.fromEntries(
        [...this.#counts].map(([situation, actions]) => [situation, Object.fromEntries(actions)]),
      ),
      writes: { ...this.#writes },
      guard: { passes: excess.length === 0, exceeded: excess.map(excessInWords) },
    }
  }
}
