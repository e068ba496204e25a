import type { Json } from '../model/json.ts'
import { type PlainProblem, revivedProblem } from '../model/plain-problem.ts'
import { Problem } from '../model/problem.ts'
import { SecretValues } from '../model/secret-values.ts'
import { Budget, type Limits } from './budget.ts'
import { contextVariable } from './context-variable.ts'
import type { ScriptContext, ScriptOutcome } from './engine.ts'
import { sliceMs } from './host/messages.ts'
import type { SandboxPool } from './pool.ts'
import type { PreparedProgram } from './prepare.ts'
import type { LoadedContext, Sandbox } from './sandbox.ts'

/**
 * Runs a procedure over many inputs and survives failures of their scripts.
 *
 * Inputs are passed in portions and returned in slices. A script that exceeds its time is stopped within the isolate,
 * which continues with the next input. A script that exhausts the memory destroys the isolate. Then the inputs of that
 * slice are handled as follows, so that none is silently executed twice:
 *
 *     finished, wrote nothing  → again, in a new isolate (scripts that only compute have no side effects)
 *     finished, called a write → fails: its outcome is lost, but its effects are not
 *     running                  → fails: SCRIPT_MEMORY
 *     not begun                → in a new isolate
 *
 * If the host of the isolates ends, it is not known which input was running: all that have no outcome and wrote nothing run
 * again, each alone, and one with which the host ends three times fails.
 */
export interface PageRun {
  readonly program: PreparedProgram
  readonly procedure: string
  readonly context: ScriptContext
  /** Milliseconds of its own that one input may take; waiting for the host does not count. */
  readonly timeout: number
  readonly limits: Limits
}

/** The work that a sandbox is doing: for which request, how deep, which inputs have written, and what they decrypted. */
export interface Job {
  readonly program: PreparedProgram
  readonly context: ScriptContext
  readonly depth: number
  readonly loaded: LoadedContext
  /** By the position of the input here: its place on the page. */
  readonly places: readonly number[]
  readonly writers: Set<number>
  readonly budget: Budget
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
    let rest: readonly Input[] = portion(inputs, start)
    start += rest.length
    while (rest.length > 0) {
      const some = rest[0]?.deaths ? rest.slice(0, 1) : rest
      const again = await runPortion(run, some, outcomes, ports)
      rest = [...again, ...rest.slice(some.length)]
    }
  }
  return outcomes
}

/** Small enough that others get their turn on the isolate and that the text uses little memory. */
const mostInputs = 250
const mostCharacters = 1 << 20
const mostDeaths = 3

/** One input as JSON, and its place on the page. */
interface Input {
  readonly text: string
  readonly index: number
  /** How often the script host has ended while it may have been running. One of these runs alone. */
  readonly deaths: number
}

function portion(inputs: readonly unknown[], start: number): readonly Input[] {
  const found: Input[] = []
  let characters = 0
  for (let i = start; i < inputs.length && found.length < mostInputs && characters < mostCharacters; i++) {
    const text = JSON.stringify(inputs[i]) ?? 'null'
    characters += text.length
    found.push({ text, index: i, deaths: 0 })
  }
  return found
}

/** Fills in outcomes. Returns the inputs that must run again because their isolate died. */
async function runPortion(
  run: PageRun,
  inputs: readonly Input[],
  outcomes: ScriptOutcome[],
  ports: RunPorts,
): Promise<readonly Input[]> {
  const { pool, jobs } = ports
  run.context.signal?.throwIfAborted()
  const { depth } = pool
  const { sandbox, loaded } = await loadedSandbox(run, ports)
  try {
    const { program, context } = run
    const budget = new Budget(run.limits)
    const job: Job = {
      ...{ program, context, depth, loaded, budget, writers: new Set(), decrypted: new Map() },
      places: inputs.map(({ index }) => index),
    }
    jobs.set(sandbox, job)
    const lost = await new Portion(run, sandbox, job, inputs, outcomes).work()
    // A disposed isolate looks like a dead one.
    pool.throwIfClosed()
    return lost
  } finally {
    jobs.delete(sandbox)
    pool.release(sandbox)
  }
}

/**
 * An isolate that has the program. It may die before anything runs in it, because a script of others ends its host: then there is
 * another one.
 */
async function loadedSandbox(
  { program, procedure }: PageRun,
  { pool, refresh }: RunPorts,
): Promise<{ readonly sandbox: Sandbox; readonly loaded: LoadedContext }> {
  for (let deaths = 1; ; deaths++) {
    const sandbox = await pool.acquire(program)
    try {
      await refresh(sandbox, program)
      return { sandbox, loaded: await sandbox.context(program) }
    } catch (cause) {
      const isLost = sandbox.dead
      pool.release(sandbox)
      pool.throwIfClosed()
      if (!isLost) throw cause
      if (deaths === mostDeaths)
        throw new Problem(
          'SCRIPT_MEMORY',
          `${program.scripts[0]?.label ?? procedure} script ended the process in which scripts run, or others did, while it was loaded`,
          { cause },
        )
    }
  }
}

/** One portion in one isolate, slice by slice. */
class Portion {
  readonly #run: PageRun
  readonly #sandbox: Sandbox
  readonly #job: Job
  readonly #inputs: readonly Input[]
  readonly #outcomes: ScriptOutcome[]
  /** Position of the first input without an outcome. */
  #done = 0

  constructor(run: PageRun, sandbox: Sandbox, job: Job, inputs: readonly Input[], outcomes: ScriptOutcome[]) {
    this.#run = run
    this.#sandbox = sandbox
    this.#job = job
    this.#inputs = inputs
    this.#outcomes = outcomes
  }

  async work(): Promise<readonly Input[]> {
    let begun = false
    while (this.#done < this.#inputs.length) {
      this.#run.context.signal?.throwIfAborted()
      try {
        this.#take(await (begun ? this.#job.loaded.go('slice', this.#limit) : this.#begin()))
        begun = true
      } catch (error) {
        if (this.#sandbox.dead) return this.#salvage()
        begun = true
        if (!(await this.#resumed(error))) return this.#salvage()
      }
    }
    return []
  }

  /** An input begins at most one slice after the call in which it exceeds its time. */
  get #limit(): number {
    return this.#run.timeout + (this.#inputs.length > 1 ? sliceMs : 0)
  }

  #begin(): Promise<string> {
    const { procedure, context } = this.#run
    const variable = JSON.stringify(contextVariable(context))
    return this.#job.loaded.begin(
      procedure,
      `[${this.#inputs.map(({ text }) => text).join(',')}]`,
      variable,
      this.#limit,
    )
  }

  #take(inside: string): void {
    for (const outcome of JSON.parse(`[${inside}]`)) {
      this.#settle(revive(outcome, this.#job, this.#done))
    }
  }

  #settle(outcome: ScriptOutcome): void {
    const decrypted = this.#job.decrypted.get(this.#done)
    const input = this.#inputs[this.#done++]
    if (input) this.#outcomes[input.index] = decrypted ? { ...outcome, decrypted } : outcome
  }

  /**
   * The isolate is alive: either the slice exceeded its time, or its answer was lost. False if that fails as well: promises that
   * a script left behind keep it busy, and it is given up.
   */
  async #resumed(error: unknown): Promise<boolean> {
    try {
      await this.#resume(error)
      return true
    } catch {
      if (!this.#sandbox.dead) this.#sandbox.dispose()
      return false
    }
  }

  async #resume(error: unknown): Promise<void> {
    if (!isTimeout(error)) {
      this.#take(await this.#job.loaded.go('repeat', this.#run.timeout))
      return
    }
    this.#take(await this.#job.loaded.go('abandon', this.#run.timeout))
    // The code that ran too long may be the continuation of a promise whose input already has its outcome.
    if (this.#sandbox.runningInput < this.#done) return
    this.#failTimeout()
  }

  /** The isolate is dead: returns the inputs to run again. */
  #salvage(): readonly Input[] {
    if (this.#sandbox.unobserved) return this.#rerunAlone()
    const again: Input[] = []
    const culprit = Math.max(this.#sandbox.runningInput, this.#done)
    for (const [position, input] of this.#inputs.slice(0, culprit).entries()) {
      if (position < this.#done) continue
      if (this.#job.writers.has(position)) this.#failUnknown()
      else {
        again.push(input)
        this.#done++
      }
    }
    if (this.#sandbox.unstoppable) this.#failTimeout()
    else
      this.#fail('SCRIPT_MEMORY', `${this.#label} script exhausted the memory of its isolate and was stopped`)
    return [...again, ...this.#inputs.slice(this.#done)]
  }

  #rerunAlone(): readonly Input[] {
    const again: Input[] = []
    for (const [position, input] of this.#inputs.entries()) {
      if (position < this.#done) continue
      if (this.#job.writers.has(position)) this.#failUnknown()
      else if (input.deaths + 1 >= mostDeaths)
        this.#fail('SCRIPT_MEMORY', `${this.#label} script ended the process in which scripts run`)
      else {
        again.push({ ...input, deaths: input.deaths + 1 })
        this.#done++
      }
    }
    return again
  }

  #failTimeout(): void {
    const { timeout } = this.#run
    this.#fail('SCRIPT_TIMEOUT', `${this.#label} script ran for more than ${timeout} ms and was stopped`)
  }

  #failUnknown(): void {
    this.#fail(
      'SCRIPT_MEMORY',
      'outcome unknown: the scripts ran and wrote, then another object exhausted the memory',
    )
  }

  #fail(code: 'SCRIPT_TIMEOUT' | 'SCRIPT_MEMORY', message: string): void {
    this.#settle({ ok: false, error: new Problem(code, message) })
  }

  get #label(): string {
    return this.#run.program.scripts[this.#sandbox.runningScript]?.label ?? this.#run.procedure
  }
}

/** What the scripts of an input know and must not say: what they decrypted or were given, and globals that are called like secrets. */
export function secretsOf({ program, decrypted, context, places }: Job, input: number): readonly Json[] {
  const given = context.secretsOf?.(places[input] ?? input) ?? []
  return [...program.secrets, ...given, ...(decrypted.get(input) ?? [])]
}

function revive(outcome: { value?: Json; error?: PlainProblem }, job: Job, input: number): ScriptOutcome {
  if (!outcome.error) return { ok: true, value: outcome.value }
  const known = new SecretValues(secretsOf(job, input))
  return { ok: false, error: revivedProblem(outcome.error, (text) => known.hiddenIn(text)) }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Script execution timed out')
}
