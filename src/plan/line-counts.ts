import type { GuardLimits } from '../mapping/guard.ts'
import type { Writes } from './flows-on.ts'
import { type Counts, countedAs } from './guard.ts'
import type { PlanLine } from './plan-line.ts'

/** Counts lines of one mapping, one by one. */
export class LineCounts {
  entries = 0
  /** Situation → action → how many. */
  readonly counts: Record<string, Record<string, number>> = {}
  readonly writes: { -readonly [kind in keyof Writes]: number } = {
    creates: 0,
    updates: 0,
    deletes: 0,
    others: 0,
  }
  /** What else the guard counts. */
  readonly counted: Counts = {}
  readonly #limits: GuardLimits

  constructor(limits: GuardLimits) {
    this.#limits = limits
  }

  add(line: PlanLine): void {
    this.entries++
    const { situation, action } = line
    const actions = this.counts[situation ?? 'FAILED'] ?? {}
    actions[action ?? 'NONE'] = (actions[action ?? 'NONE'] ?? 0) + 1
    this.counts[situation ?? 'FAILED'] = actions
    if (line.writes) this.#count(line)
  }

  #count(line: PlanLine): void {
    const { target, link } = line.read
    const all = countedAs({ ...line, targetExists: target !== null, linked: link !== null }, this.#limits)
    let isOther = true
    for (const what of all) {
      if (what === 'creates' || what === 'updates' || what === 'deletes') {
        this.writes[what]++
        isOther = false
      } else this.counted[what] = (this.counted[what] ?? 0) + 1
    }
    if (isOther) this.writes.others++
  }
}
