import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { Resources } from '../router/resources.ts'
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
  Secrets,
} from './engine.ts'
import { answerScript } from './host-functions.ts'
import type { LogLevel } from './log-entry.ts'
import { type Job, runPage } from './page-run.ts'
import { SandboxPool } from './pool.ts'
import { type PreparedProgram, prepareProgram, prepareScript, syntaxProblem } from './prepare.ts'
import { Sandbox } from './sandbox.ts'
import { scriptFiles } from './script-files.ts'
import { syntaxChecker } from './syntax.ts'

/**
 * The script engine over `isolated-vm` (platform §7). Scripts run on threads of their own, so the
 * server's event loop never waits for one; each isolate has a memory limit, each input a time limit, and what
 * breaks either fails alone.
 */
export interface IsolateEngineOptions {
  /** The router; late-bound, because its providers use the engine. */
  resources(): Resources
  readonly secrets: Secrets
  /** `identityServer.getProperty`. */
  properties(name: string): Json | undefined
  readonly projectFolder: string
  log(level: LogLevel, scriptLabel: string, message: string, args: readonly Json[]): void
  /** Milliseconds that the scripts of one input may run; waiting for `openidm` calls does not count. */
  readonly timeout?: number
  /** MiB an isolate. */
  readonly memory?: number
  /** How many isolates execute at once. */
  readonly isolates?: number
}

export function isolateEngine(options: IsolateEngineOptions): ScriptEngine {
  const { timeout = 5000, memory = 128, isolates = 2, projectFolder } = options
  keepLoopsInterruptible()
  const syntax = syntaxChecker()
  const files = scriptFiles(projectFolder, syntax)
  const jobs = new WeakMap<Sandbox, Job>()
  const pool = new SandboxPool(isolates, createSandbox)
  const evaluations = new Map<string, Promise<PreparedProgram>>()
  let shutDown = false

  function createSandbox(): Sandbox {
    return new Sandbox({
      memory,
      locations: {
        project: projectFolder,
        install: fileURLToPath(new URL('../../', import.meta.url)),
        working: process.cwd(),
      },
      answer(sandbox, name, args) {
        const job = jobs.get(sandbox)
        return pool.waitForHost(job?.depth ?? 0, () =>
          answerScript({ ...options, files }, sandbox, job, name, args),
        )
      },
      onCatastrophe(message) {
        options.log('error', '', `an isolate is lost and its thread with it: ${message}`, [])
        endWithoutLostThreads()
      },
    })
  }

  async function refresh(sandbox: Sandbox, program: PreparedProgram): Promise<void> {
    if (!sandbox.has(program)) return
    for (const [file, modified] of (await sandbox.context(program)).required) {
      if (await files.changed(file, modified)) return sandbox.forget(program)
    }
  }

  async function run(
    program: PreparedProgram,
    procedure: string,
    inputs: readonly unknown[],
    context: ScriptContext,
  ) {
    try {
      return await runPage({ program, procedure, context, timeout }, inputs, { pool, jobs, refresh })
    } catch (cause) {
      // An isolate that was disposed in the middle of something says so in words of its own.
      throw shutDown ? new Problem('UNAVAILABLE', 'the script engine is shut down', { cause }) : cause
    }
  }

  /** Kept, so that a hook that is evaluated again and again finds its context ready. */
  function preparedEvaluation(script: ScriptSource): Promise<PreparedProgram> {
    const key = JSON.stringify(script)
    const prepared = evaluations.get(key) ?? prepareScript(script, syntax)
    evaluations.delete(key)
    evaluations.set(key, prepared)
    for (const oldest of [...evaluations.keys()].slice(0, -keptScripts)) evaluations.delete(oldest)
    return prepared
  }

  return {
    check: (script) => syntaxProblem(script, syntax),

    async load<P extends Program>(program: P, parts: ProgramParts<P>): Promise<LoadedProgram<P>> {
      const prepared = await prepareProgram(program, parts, syntax)
      return {
        async run<N extends ProcedureName<P>>(
          procedure: N,
          inputs: readonly ProcedureInput<P, N>[],
          context: ScriptContext,
        ) {
          if (prepared.retired) throw new Problem('UNAVAILABLE', `${program.address} has been unloaded`)
          if (!prepared.procedures.includes(procedure))
            throw new Problem('INTERNAL', `${program.address} has no procedure "${procedure}"`)
          const outcomes = await run(prepared, procedure, inputs, context)
          // The one place where JSON takes the type that its procedure has given it on the other side.
          return outcomes as readonly ScriptOutcome<ProcedureOutput<P, N>>[]
        },
        async [Symbol.asyncDispose]() {
          prepared.retired = true
          pool.forgetRetired()
        },
      }
    },

    async evaluate(script, variables, context) {
      const [outcome] = await run(await preparedEvaluation(script), 'evaluate', [variables], context)
      if (outcome?.ok) return outcome.value
      throw outcome?.error
    },

    async [Symbol.asyncDispose]() {
      shutDown = true
      pool.dispose()
      syntax[Symbol.dispose]()
    },
  }
}

const keptScripts = 200

/**
 * V8 leaves the interrupt check out of loops that it believes to end soon. It is mistaken about some that only fill
 * an array, and those could then be stopped neither for their time nor for their memory.
 */
function keepLoopsInterruptible(): void {
  setFlagsFromString('--no-turboshaft-loop-unrolling')
}

let endsByForce = false

/** `process.exit` would wait for every thread, and a lost one never ends. By then everything else has been closed. */
function endWithoutLostThreads(): void {
  if (endsByForce) return
  endsByForce = true
  process.once('exit', () => process.kill(process.pid, 'SIGKILL'))
}
