import type { GuardLimits } from '../../mapping/guard.ts'
import { exceeded, excessInWords } from '../../plan/guard.ts'
import { type PlanFilters, type PlanHeader, type PlanLine, planFilter } from '../../plan/plan-line.ts'
import { kindOfWrite } from '../reconciliation/guard.ts'

/** Counts the lines of a plan while it is made. */
export class PlanCounts {
  readonly #wanted: (line: PlanLine) => boolean
  readonly #counts: Record<string, Readonly<Record<string, number>>> = {}
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
    const action = line.action ?? 'NONE'
    const actions = this.#counts[situation] ?? {}
    this.#counts[situation] = { ...actions, [action]: (actions[action] ?? 0) + 1 }
    if (line.writes) this.#writes[kindOfWrite(line, line.read.target !== null) ?? 'others']++
    return true
  }

  /** What the header of the plan says about its lines. */
  summary(limits: GuardLimits, linked: number): Pick<PlanHeader, 'entries' | 'counts' | 'writes' | 'guard'> {
    // The lines name all objects; the verdict need not.
    const samples = { creates: [], updates: [], deletes: [] }
    const excess = exceeded(limits, { counts: this.#writes, linked, samples })
    return {
      entries: this.#entries,
      counts: { ...this.#counts },
      writes: { ...this.#writes },
      guard: { passes: excess.length === 0, exceeded: excess.map(excessInWords) },
    }
  }
}
