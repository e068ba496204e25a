import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { SecretValues } from '../model/secret-values.ts'
import { contextVariable } from './context-variable.ts'
import type { ScriptContext, ScriptOutcome } from './engine.ts'
import { reviveProblem } from './failure.ts'
import type { SandboxPool } from './pool.ts'
import type { PreparedProgram } from './prepare.ts'
import { type LoadedContext, type Sandbox, sliceMs } from './sandbox.ts'

/**
 * Runs a procedure over many inputs and survives what their scripts do.
 *
 * Inputs cross in portions and come back in slices. A script that overruns its time is killed within the isolate,
 * which goes on with the next input. A script that exhausts the memory takes the isolate with it; what happens to the
 * inputs of that slice, so that none is silently executed twice:
 *
 *     finished, wrote nothing  → again, in a new isolate (scripts that only compute have no side effects)
 *     finished, called a write → fails: its outcome is lost, its effects are not
 *     running                  → fails: SCRIPT_MEMORY
 *     not begun                → in a new isolate
 */
export interface PageRun {
  readonly program: PreparedProgram
  readonly procedure: string
  readonly context: ScriptContext
  /** Milliseconds of its own that one input may take; waiting for the host does not count. */
  readonly timeout: number
}

/** What runs in a sandbox at the moment: on whose behalf, how deep, which inputs have written, and what they decrypted. */
export interface Job {
  readonly program: PreparedProgram
  readonly context: ScriptContext
  readonly depth: number
  readonly loaded: LoadedContext
  readonly writers: Set<number>
  /** By the position of the input: what its scripts decrypted. */
  readonly decrypted: Map<number, Json[]>
}

export interface RunPorts {
  readonly pool: SandboxPool
  readonly jobs: WeakMap<Sandbox, Job>
  /** Drops a loaded context whose required files have changed. */
  refresh(sandbox: Sandbox, program: PreparedProgram): Promise<void>
}

export async function runPage(
  run: PageRun,
  inputs: readonly unknown[],
  ports: RunPorts,
): Promise<readonly ScriptOutcome[]> {
  const outcomes = new Array<ScriptOutcome>(inputs.length)
  for (let start = 0; start < inputs.length; ) {
    let { texts, indexes } = portion(inputs, start)
    start += indexes.length
    while (indexes.length > 0) {
      const lost = await runPortion(run, texts, indexes, outcomes, ports)
      texts = lost.map((position) => texts[position] as string)
      indexes = lost.map((position) => indexes[position] as number)
    }
  }
  return outcomes
}

/** Small enough that others get their turn on the isolate and that the text is no burden to it. */
const mostInputs = 250
const mostCharacters = 1 << 20

function portion(inputs: readonly unknown[], start: number): { texts: string[]; indexes: number[] } {
  const texts: string[] = []
  const indexes: number[] = []
  let characters = 0
  for (let i = start; i < inputs.length && texts.length < mostInputs && characters < mostCharacters; i++) {
    const text = JSON.stringify(inputs[i]) ?? 'null'
    characters += text.length
    texts.push(text)
    indexes.push(i)
  }
  return { texts, indexes }
}

/** Fills in outcomes; answers the positions of inputs that have to run again because their isolate died. */
async function runPortion(
  run: PageRun,
  texts: readonly string[],
  indexes: readonly number[],
  outcomes: ScriptOutcome[],
  ports: RunPorts,
): Promise<number[]> {
  const { pool, jobs } = ports
  run.context.signal?.throwIfAborted()
  const { depth } = pool
  const sandbox = await pool.acquire(run.program)
  try {
    await ports.refresh(sandbox, run.program)
    const loaded = await sandbox.context(run.program)
    const { program, context } = run
    const job: Job = { program, context, depth, loaded, writers: new Set(), decrypted: new Map() }
    jobs.set(sandbox, job)
    const lost = await new Portion(run, sandbox, job, texts, indexes, outcomes).work()
    // An isolate that was disposed looks like one that died.
    pool.throwIfClosed()
    return lost
  } finally {
    jobs.delete(sandbox)
    pool.release(sandbox)
  }
}

/** One portion in one isolate, slice by slice. */
class Portion {
  readonly #run: PageRun
  readonly #sandbox: Sandbox
  readonly #job: Job
  readonly #texts: readonly string[]
  readonly #indexes: readonly number[]
  readonly #outcomes: ScriptOutcome[]
  /** Position of the first input without an outcome. */
  #done = 0

  constructor(
    run: PageRun,
    sandbox: Sandbox,
    job: Job,
    texts: readonly string[],
    indexes: readonly number[],
    outcomes: ScriptOutcome[],
  ) {
    this.#run = run
    this.#sandbox = sandbox
    this.#job = job
    this.#texts = texts
    this.#indexes = indexes
    this.#outcomes = outcomes
  }

  async work(): Promise<number[]> {
    let begun = false
    while (this.#done < this.#texts.length) {
      this.#run.context.signal?.throwIfAborted()
      try {
        this.#take(await (begun ? this.#job.loaded.slice(this.#limit) : this.#begin()))
        begun = true
      } catch (error) {
        if (this.#sandbox.dead) return this.#buryIsolate()
        begun = true
        await this.#resume(error)
      }
    }
    return []
  }

  /** An input begins at most one slice after the call in which it runs out of time. */
  get #limit(): number {
    return this.#run.timeout + (this.#texts.length > 1 ? sliceMs : 0)
  }

  #begin(): Promise<string> {
    const { procedure, context } = this.#run
    const variable = JSON.stringify(contextVariable(context))
    return this.#job.loaded.begin(procedure, `[${this.#texts.join(',')}]`, variable, this.#limit)
  }

  #take(inside: string): void {
    for (const outcome of JSON.parse(`[${inside}]`)) {
      const secrets = new SecretValues(this.#job.decrypted.get(this.#done))
      this.#settle(revive(outcome, (text) => secrets.hiddenIn(text)))
    }
  }

  #settle(outcome: ScriptOutcome): void {
    const decrypted = this.#job.decrypted.get(this.#done)
    this.#outcomes[this.#indexes[this.#done] as number] = decrypted ? { ...outcome, decrypted } : outcome
    this.#done++
  }

  /** The isolate lives: either the slice was killed for its time, or its answer got lost on the way. */
  async #resume(error: unknown): Promise<void> {
    if (!isTimeout(error)) {
      this.#take(await this.#job.loaded.repeat(this.#run.timeout))
      return
    }
    this.#take(await this.#job.loaded.abandon(this.#run.timeout))
    // What ran too long may be a promise's continuation, after the input that made it had its outcome.
    if (this.#sandbox.runningInput < this.#done) return
    const { timeout } = this.#run
    this.#fail('SCRIPT_TIMEOUT', `${this.#label} script ran for more than ${timeout} ms and was stopped`)
  }

  #buryIsolate(): number[] {
    const again: number[] = []
    const culprit = Math.max(this.#sandbox.runningInput, this.#done)
    const first = this.#done
    for (let position = first; position < culprit; position++) {
      if (!this.#job.writers.has(position)) {
        again.push(position)
        this.#done++
      } else {
        this.#fail(
          'SCRIPT_MEMORY',
          'outcome unknown: the scripts ran and wrote, then another object exhausted the memory',
        )
      }
    }
    this.#fail('SCRIPT_MEMORY', `${this.#label} script exhausted the memory of its isolate and was stopped`)
    for (let position = this.#done; position < this.#texts.length; position++) again.push(position)
    return again
  }

  #fail(code: 'SCRIPT_TIMEOUT' | 'SCRIPT_MEMORY', message: string): void {
    this.#settle({ ok: false, error: new Problem(code, message) })
  }

  get #label(): string {
    return this.#run.program.scripts[this.#sandbox.runningScript]?.label ?? this.#run.procedure
  }
}

/** A script may put into its error what it decrypted. */
function revive(
  outcome: { value?: Json; error?: Parameters<typeof reviveProblem>[0] },
  hidden: (text: string) => string,
): ScriptOutcome {
  if (outcome.error) return { ok: false, error: reviveProblem(outcome.error, hidden) }
  return { ok: true, value: outcome.value }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Script execution timed out')
}
