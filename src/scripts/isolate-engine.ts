import { fileURLToPath } from 'node:url'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { type Limits, usualLimits } from './budget.ts'
import type {
  LoadedProgram,
  ProcedureInput,
  ProcedureName,
  ProcedureOutput,
  Program,
  ProgramParts,
  ScriptContext,
  ScriptEngine,
  ScriptOutcome,
  ScriptSource,
} from './engine.ts'
import { answerScript, type HostPorts } from './host-functions.ts'
import { type Job, runPage } from './page-run.ts'
import { SandboxPool } from './pool.ts'
import { type PreparedProgram, prepareProgram, prepareScript, syntaxProblem } from './prepare.ts'
import { Sandbox } from './sandbox.ts'
import { type ScriptFiles, scriptFiles } from './script-files.ts'

/**
 * The script engine on `isolated-vm` (platform §7). Scripts run in the script host, so the server's event loop never
 * waits for one. Each isolate has a memory limit and each input a time limit; an input that exceeds one fails alone.
 */
export interface IsolateEngineOptions extends Omit<HostPorts, 'files'> {
  readonly projectFolder: string
  /** Milliseconds that the scripts of one input may run; waiting for `openidm` calls does not count. */
  readonly timeout?: number
  /** Of what the scripts of one input ask of the server. */
  readonly limits?: Partial<Limits>
  /** MiB an isolate. */
  readonly memory?: number
  /** How many isolates execute at once. */
  readonly isolates?: number
}

export function isolateEngine(options: IsolateEngineOptions): ScriptEngine {
  return new IsolateEngine(options)
}

class IsolateEngine implements ScriptEngine {
  readonly #options: IsolateEngineOptions
  readonly #files: ScriptFiles
  readonly #pool: SandboxPool
  readonly #jobs = new WeakMap<Sandbox, Job>()
  /** Cached, so that a hook that runs often finds its context ready. */
  readonly #evaluations = new Map<string, Promise<PreparedProgram>>()
  #shutDown = false

  constructor(options: IsolateEngineOptions) {
    this.#options = options
    this.#files = scriptFiles(options.projectFolder)
    this.#pool = new SandboxPool(options.isolates ?? 2, () => this.#createSandbox())
  }

  check(script: ScriptSource): Promise<Problem | undefined> {
    return syntaxProblem(script)
  }

  load<P extends Program>(program: P, parts: ProgramParts<P>): LoadedProgram<P> {
    let preparing: Promise<PreparedProgram> | undefined
    const run = async <N extends ProcedureName<P>>(
      procedure: N,
      inputs: readonly ProcedureInput<P, N>[],
      context: ScriptContext,
    ) => {
      preparing ??= prepareProgram(program, parts).catch((error) => {
        // What failed for a reason outside is tried again by the next page.
        preparing = undefined
        throw error
      })
      const prepared = await preparing
      if (prepared.retired) throw new Problem('UNAVAILABLE', `${program.address} has been unloaded`)
      if (!prepared.procedures.includes(procedure))
        throw new Problem('INTERNAL', `${program.address} has no procedure "${procedure}"`)
      const outcomes = await this.#run(prepared, procedure, inputs, context)
      // The only place where JSON gets the type that its procedure has on the other side.
      return outcomes as readonly ScriptOutcome<ProcedureOutput<P, N>>[]
    }
    return {
      run,
      one: async (procedure, input, context) => succeeded((await run(procedure, [input], context))[0]),
      [Symbol.asyncDispose]: async () => {
        // Its callers already got the error of preparing.
        const prepared = await preparing?.catch(() => undefined)
        if (prepared) prepared.retired = true
        this.#pool.forgetRetired()
      },
    }
  }

  async evaluate(script: ScriptSource, variables: JsonObject, context: ScriptContext) {
    const outcomes = await this.#run(await this.#prepared(script), 'evaluate', [variables], context)
    return succeeded(outcomes[0])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutDown = true
    this.#pool.dispose()
  }

  async #run(
    program: PreparedProgram,
    procedure: string,
    inputs: readonly unknown[],
    context: ScriptContext,
  ): Promise<readonly ScriptOutcome[]> {
    const { timeout = 5000, limits } = this.#options
    const page = { program, procedure, context, timeout, limits: { ...usualLimits, ...limits } }
    const refresh = (sandbox: Sandbox) => this.#refresh(sandbox, program)
    try {
      return await runPage(page, inputs, { pool: this.#pool, jobs: this.#jobs, refresh })
    } catch (cause) {
      // An isolate that is disposed during a call throws errors of its own.
      throw this.#shutDown ? new Problem('UNAVAILABLE', 'the script engine is shut down', { cause }) : cause
    }
  }

  #prepared(script: ScriptSource): Promise<PreparedProgram> {
    const key = JSON.stringify(script)
    const prepared = this.#evaluations.get(key) ?? prepareScript(script)
    this.#evaluations.delete(key)
    this.#evaluations.set(key, prepared)
    // What failed for a reason outside is tried again by the next call.
    prepared.catch(() => {
      if (this.#evaluations.get(key) === prepared) this.#evaluations.delete(key)
    })
    for (const oldest of [...this.#evaluations.keys()].slice(0, -keptScripts))
      this.#evaluations.delete(oldest)
    return prepared
  }

  async #refresh(sandbox: Sandbox, program: PreparedProgram): Promise<void> {
    if (!sandbox.has(program)) return
    for (const [file, modified] of (await sandbox.context(program)).required)
      if (await this.#files.changed(file, modified)) return sandbox.forget(program)
  }

  #createSandbox(): Sandbox {
    const { memory = 128, projectFolder, log } = this.#options
    const install = fileURLToPath(new URL('../../', import.meta.url))
    return new Sandbox({
      memory,
      locations: { project: projectFolder, install, working: process.cwd() },
      answer: (sandbox, name, args) => {
        const job = this.#jobs.get(sandbox)
        return this.#pool.waitForHost(job?.depth ?? 0, () =>
          answerScript({ ...this.#options, files: this.#files }, sandbox, job, name, args),
        )
      },
      onLost: (message) => log('error', '', message, []),
    })
  }
}

function succeeded<T>(outcome: ScriptOutcome<T> | undefined): T {
  if (outcome?.ok) return outcome.value
  throw outcome?.error
}

const keptScripts = 200
