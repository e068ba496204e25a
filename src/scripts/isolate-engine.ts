import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
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
import { syntaxChecker } from './syntax.ts'

/**
 * The script engine on `isolated-vm` (platform §7). Scripts run on separate threads, so the server's event loop never
 * waits for one. Each isolate has a memory limit and each input a time limit; an input that exceeds one fails alone.
 */
export interface IsolateEngineOptions extends Omit<HostPorts, 'files'> {
  readonly projectFolder: string
  /** Milliseconds that the scripts of one input may run; waiting for `openidm` calls does not count. */
  readonly timeout?: number
  /** MiB an isolate. */
  readonly memory?: number
  /** How many isolates execute at once. */
  readonly isolates?: number
}

export function isolateEngine(options: IsolateEngineOptions): ScriptEngine {
  keepLoopsInterruptible()
  return new IsolateEngine(options)
}

class IsolateEngine implements ScriptEngine {
  readonly #options: IsolateEngineOptions
  readonly #syntax = syntaxChecker()
  readonly #files: ScriptFiles
  readonly #pool: SandboxPool
  readonly #jobs = new WeakMap<Sandbox, Job>()
  /** Cached, so that a hook that runs often finds its context ready. */
  readonly #evaluations = new Map<string, Promise<PreparedProgram>>()
  #shutDown = false

  constructor(options: IsolateEngineOptions) {
    this.#options = options
    this.#files = scriptFiles(options.projectFolder, this.#syntax)
    this.#pool = new SandboxPool(options.isolates ?? 2, () => this.#createSandbox())
  }

  check(script: ScriptSource): Promise<Problem | undefined> {
    return syntaxProblem(script, this.#syntax)
  }

  load<P extends Program>(program: P, parts: ProgramParts<P>): LoadedProgram<P> {
    let preparing: Promise<PreparedProgram> | undefined
    const run = async <N extends ProcedureName<P>>(
      procedure: N,
      inputs: readonly ProcedureInput<P, N>[],
      context: ScriptContext,
    ) => {
      preparing ??= prepareProgram(program, parts, this.#syntax)
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
    this.#syntax[Symbol.dispose]()
  }

  async #run(
    program: PreparedProgram,
    procedure: string,
    inputs: readonly unknown[],
    context: ScriptContext,
  ): Promise<readonly ScriptOutcome[]> {
    const page = { program, procedure, context, timeout: this.#options.timeout ?? 5000 }
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
    const prepared = this.#evaluations.get(key) ?? prepareScript(script, this.#syntax)
    this.#evaluations.delete(key)
    this.#evaluations.set(key, prepared)
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
      onCatastrophe(message) {
        log('error', '', `an isolate is lost and its thread with it: ${message}`, [])
        endWithoutLostThreads()
      },
    })
  }
}

function succeeded<T>(outcome: ScriptOutcome<T> | undefined): T {
  if (outcome?.ok) return outcome.value
  throw outcome?.error
}

const keptScripts = 200

/**
 * V8 omits the interrupt check in loops that it expects to end soon. It is wrong about some loops that only fill an
 * array: those could be stopped neither by the time limit nor by the memory limit.
 */
function keepLoopsInterruptible(): void {
  setFlagsFromString('--no-turboshaft-loop-unrolling')
}

let endsByForce = false

/** `process.exit` waits for every thread, and a lost one never ends. Everything else has been closed before. */
function endWithoutLostThreads(): void {
  if (endsByForce) return
  endsByForce = true
  process.once('exit', () => process.kill(process.pid, 'SIGKILL'))
}
