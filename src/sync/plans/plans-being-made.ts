import { asProblem, Problem } from '../../model/problem.ts'
import type { Runs } from '../../repository/runs.ts'
import type { KeptPlan } from './kept-plan.ts'
import type { PlanSource } from './plan-source.ts'
import { storedPlan } from './stored-plan.ts'

/** How many plans that could not be made are remembered, with the reason. */
const mostFailed = 100

/** A run of a plan ends before its plan is kept: it may be rehearsed first. */
export class PlansBeingMade {
  /** By run; a Problem: why it could not be made. */
  readonly #runs = new Map<string, Problem | undefined>()

  follow(kept: KeptPlan): KeptPlan {
    const { id } = kept.run
    this.#runs.set(id, undefined)
    kept.done.then(
      () => this.#runs.delete(id),
      (error) => this.#failed(id, asProblem(error)),
    )
    return kept
  }

  async stored(runs: Runs, runId: string): Promise<PlanSource> {
    if (!this.#runs.has(runId)) return storedPlan(runs, runId)
    const cause = this.#runs.get(runId)
    if (!cause) throw new Problem('NOT_FOUND', `The plan of run ${runId} is being made: ask again`)
    throw new Problem(cause.code, `The plan of run ${runId} could not be made: ${cause.message}`, { cause })
  }

  #failed(runId: string, problem: Problem): void {
    // The newest come last.
    this.#runs.delete(runId)
    this.#runs.set(runId, problem)
    const failed = [...this.#runs].filter(([, why]) => why !== undefined)
    for (const [id] of failed.slice(0, -mostFailed)) this.#runs.delete(id)
  }
}
