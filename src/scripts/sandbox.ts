import ivm from 'isolated-vm'
import type { Locations } from './inside/globals.ts'
import type { Settings } from './inside/runner.ts'
import { moduleLoader, runnerAddress } from './modules.ts'
import type { PreparedProgram } from './prepare.ts'

/**
 * One isolate with a context for each program that runs in it. It processes one page at a time, and may die:
 *
 *     idle ⇄ working → dead (memory limit, or V8 lost control of it, or disposed)
 *
 * Only text crosses the boundary. The only shared memory is `progress`: two numbers for the running input and script,
 * which survive the isolate.
 */
export interface SandboxOptions {
  /** MiB. */
  readonly memory: number
  readonly locations: Locations
  /** Answers host calls of scripts with JSON text; never rejects. */
  answer(sandbox: Sandbox, name: string, args: string): Promise<string>
  onCatastrophe(message: string): void
}

/** A slice returns after this time; the time limit of one input is added to it. */
export const sliceMs = 100

/** Contexts of single scripts kept ready in one isolate: each holds about a quarter of a MiB. */
const keptEvaluations = 16

export class Sandbox {
  readonly #isolate: ivm.Isolate
  readonly #options: SandboxOptions
  readonly #programs = new Map<PreparedProgram, Promise<LoadedContext>>()
  readonly #progress = new Int32Array(new SharedArrayBuffer(8))
  readonly #lost = Promise.withResolvers<never>()
  #catastrophe = false

  constructor(options: SandboxOptions) {
    this.#options = options
    this.#isolate = new ivm.Isolate({
      memoryLimit: options.memory,
      onCatastrophicError: (message) => this.#loseControl(message),
    })
    this.#lost.promise.catch(() => {})
  }

  /** Out of memory, disposed, or out of V8's control: nothing runs in it any more. */
  get dead(): boolean {
    return this.#catastrophe || this.#isolate.isDisposed
  }

  /** Position on the page of the input that is or was running; -1 before the first. */
  get runningInput(): number {
    return Atomics.load(this.#progress, 0)
  }

  /** Index of the script that is or was running; -1 before the first. */
  get runningScript(): number {
    return Atomics.load(this.#progress, 1)
  }

  has(program: PreparedProgram): boolean {
    return this.#programs.has(program)
  }

  async context(program: PreparedProgram): Promise<LoadedContext> {
    let loading = this.#programs.get(program)
    this.#programs.delete(program)
    loading ??= this.#load(program)
    // Moved to the end: the order of the map is that of last use.
    this.#programs.set(program, loading)
    this.#evictEvaluations()
    try {
      return await this.orLost(loading)
    } catch (error) {
      this.#programs.delete(program)
      throw error
    }
  }

  forget(program: PreparedProgram): void {
    const loaded = this.#programs.get(program)
    this.#programs.delete(program)
    loaded?.then(
      (context) => context.release(),
      () => {},
    )
  }

  forgetRetired(): void {
    for (const program of this.#programs.keys()) if (program.retired) this.forget(program)
  }

  /** Also rejects if V8 loses control of the isolate: the isolate's own promises would never end. */
  orLost<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#lost.promise])
  }

  dispose(): void {
    // An isolate out of control cannot be disposed: the call would wait for ever.
    if (!this.dead) this.#isolate.dispose()
  }

  async #load(program: PreparedProgram): Promise<LoadedContext> {
    const context = await this.#isolate.createContext()
    const load = moduleLoader(this.#isolate, context)
    // First, so that its built-ins are taken before any other code runs.
    const runner = await load(runnerAddress)
    const factories =
      program.address === undefined ? undefined : (await load(new URL(program.address))).namespace
    const prepare = await runner.namespace.get('prepare', { reference: true })
    await prepare.apply(undefined, [
      new ivm.Reference((name: unknown, args: unknown) =>
        this.#options.answer(this, String(name), String(args)),
      ),
      new ivm.ExternalCopy(this.#progress).copyInto(),
      JSON.stringify(this.#settings(program)),
      factories?.derefInto(),
    ])
    const step = (name: keyof Steps): Promise<Step> => runner.namespace.get(name, { reference: true })
    const steps = [step('begin'), step('slice'), step('abandon'), step('repeat')] as const
    const [begin, slice, abandon, repeat] = await Promise.all(steps)
    return new LoadedContext(this, context, { begin, slice, abandon, repeat })
  }

  #settings({ scripts, procedures, settings }: PreparedProgram): Settings {
    return { scripts, procedures, settings, sliceMs, locations: this.#options.locations }
  }

  #evictEvaluations(): void {
    const evaluations = [...this.#programs.keys()].filter(({ address }) => address === undefined)
    for (const program of evaluations.slice(0, -keptEvaluations)) this.forget(program)
  }

  #loseControl(message: string): void {
    this.#catastrophe = true
    this.#lost.reject(new Error(message))
    this.#options.onCatastrophe(message)
  }
}

type Step = ivm.Reference<(...args: string[]) => string>
type Steps = Readonly<Record<'begin' | 'slice' | 'abandon' | 'repeat', Step>>

/** A program in an isolate. Every method returns outcomes as the inside of a JSON array. */
export class LoadedContext {
  readonly #sandbox: Sandbox
  readonly #context: ivm.Context
  readonly #steps: Steps
  /** Files that `require` has loaded here, with the time of their last change. */
  readonly required = new Map<string, number>()

  constructor(sandbox: Sandbox, context: ivm.Context, steps: Steps) {
    this.#sandbox = sandbox
    this.#context = context
    this.#steps = steps
  }

  begin(procedure: string, page: string, context: string, timeout: number): Promise<string> {
    return this.#apply(this.#steps.begin, [procedure, page, context], timeout)
  }

  slice(timeout: number): Promise<string> {
    return this.#apply(this.#steps.slice, [], timeout)
  }

  abandon(timeout: number): Promise<string> {
    return this.#apply(this.#steps.abandon, [], timeout)
  }

  repeat(timeout: number): Promise<string> {
    return this.#apply(this.#steps.repeat, [], timeout)
  }

  release(): void {
    this.#context.release()
  }

  #apply(step: Step, args: string[], timeout: number): Promise<string> {
    return this.#sandbox.orLost(step.apply(undefined, args, { timeout }))
  }
}
