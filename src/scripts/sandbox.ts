import type { Call, Lost, Numbered, ProgramText, Progress, StepRequest } from './host/messages.ts'
import type { Locations } from './inside/globals.ts'
import type { PreparedProgram } from './prepare.ts'
import { type Answer, type Hosted, ScriptHost } from './script-host.ts'

/**
 * One isolate in the script host, with a context for each program that runs in it. It processes one page at a time, and
 * may die:
 *
 *     idle ⇄ working → dead (memory limit, or V8 lost control of it, or its host ended, or disposed)
 */
export interface SandboxOptions {
  /** MiB. */
  readonly memory: number
  readonly locations: Locations
  /** Answers host calls of scripts with JSON text; never rejects. */
  answer(sandbox: Sandbox, name: string, args: string): Promise<string>
  /** An isolate, or the process with it, has got out of control. */
  onLost(message: string): void
}

/** Contexts of single scripts kept ready in one isolate: each holds about a quarter of a MiB. */
const keptEvaluations = 16

/** A host that does not answer for this long after a time limit has been exceeded is out of control. */
const graceMs = 10_000

export class Sandbox implements Hosted {
  readonly #host = ScriptHost.current()
  readonly #options: SandboxOptions
  readonly #number: number
  readonly #programs = new Map<PreparedProgram, Promise<LoadedContext>>()
  /** Requests without an answer. Not one promise of the loss that they all race: it would keep each answer until it ends. */
  readonly #pending = new Set<PromiseWithResolvers<Answer>>()
  #loss: Error | undefined
  #progress: Progress = [-1, -1]
  #unobserved = false
  #unstoppable = false
  #lastProgram = 0
  #dead = false
  #watch: NodeJS.Timeout | undefined
  /** Milliseconds of the step that is running. */
  #limit: number | undefined
  /** While a page has it. */
  busy = false

  constructor(options: SandboxOptions) {
    this.#options = options
    this.#number = this.#host.add(this)
    const { memory, locations } = options
    this.#host.tell({ kind: 'create', isolate: this.#number, memory, locations })
  }

  /** Nothing runs in it any more. */
  get dead(): boolean {
    return this.#dead
  }

  /** False: it is dead, or its host takes no new work. */
  get usable(): boolean {
    return !this.#dead && !this.#host.retired
  }

  /** True: it died with its host, and which input was running is not known. */
  get unobserved(): boolean {
    return this.#unobserved
  }

  /** True: it was lost because its script could not be stopped at the end of its time. */
  get unstoppable(): boolean {
    return this.#unstoppable
  }

  /** Position on the page of the input that is or was running; -1 before the first. */
  get runningInput(): number {
    return this.#progress[0]
  }

  /** Index of the script that is or was running; -1 before the first. */
  get runningScript(): number {
    return this.#progress[1]
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
      return await loading
    } catch (error) {
      this.#programs.delete(program)
      throw error
    }
  }

  forget(program: PreparedProgram): void {
    const loaded = this.#programs.get(program)
    this.#programs.delete(program)
    loaded?.then(
      ({ number }) => this.#host.tell({ kind: 'release', isolate: this.#number, program: number }),
      () => {},
    )
  }

  forgetRetired(): void {
    for (const program of this.#programs.keys()) if (program.retired) this.forget(program)
  }

  dispose(): void {
    this.#dead = true
    this.#host.remove(this.#number)
  }

  /** Given back: its host may be waiting for that. */
  release(): void {
    this.busy = false
    this.#host.endIfFree()
  }

  step(request: Omit<StepRequest, 'kind' | 'id' | 'isolate'>, text: string): Promise<string> {
    this.#limit = request.timeout
    this.#watchOver()
    return this.#ask({ ...request, kind: 'step', isolate: this.#number }, text).finally(() => {
      this.#limit = undefined
      clearTimeout(this.#watch)
    })
  }

  /** Waiting for the server does not count. */
  async called({ name, progress }: Call, args: string): Promise<string> {
    this.#progress = progress
    clearTimeout(this.#watch)
    const answer = await this.#options.answer(this, name, args)
    this.#watchOver()
    return answer
  }

  lost({ progress, message }: Lost): void {
    this.#progress = progress
    this.#unstoppable = message.includes('failed to terminate')
    this.#die(`an isolate is lost: ${message}`)
  }

  died(reason: string): void {
    if (this.#dead) return
    this.#unobserved = true
    this.#die(`the script host has ended: ${reason}`)
  }

  #die(message: string): void {
    this.#dead = true
    this.#loss = new Error(message)
    for (const { reject } of this.#pending) reject(this.#loss)
    clearTimeout(this.#watch)
    if (this.busy) this.#options.onLost(message)
  }

  async #load(program: PreparedProgram): Promise<LoadedContext> {
    const { scripts, procedures, settings, address, apart } = program
    const number = ++this.#lastProgram
    const text: ProgramText = { scripts, procedures, settings, apart }
    await this.#ask({ kind: 'load', isolate: this.#number, program: number, address }, JSON.stringify(text))
    return new LoadedContext(this, number)
  }

  async #ask(request: Numbered, text: string): Promise<string> {
    const answer = await this.#answer(request, text)
    if (answer.progress) this.#progress = answer.progress
    if (answer.dead) this.#dead = true
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.text
  }

  /** Also rejects if V8 loses control of the isolate: its own promises would never end. */
  async #answer(request: Numbered, text: string): Promise<Answer> {
    if (this.#loss) throw this.#loss
    const answer = Promise.withResolvers<Answer>()
    this.#pending.add(answer)
    this.#host.ask(request, text).then(answer.resolve, answer.reject)
    try {
      return await answer.promise
    } finally {
      this.#pending.delete(answer)
    }
  }

  /** Not after the step has ended: an answer may come too late, and the host works for others. */
  #watchOver(): void {
    if (this.#limit === undefined) return
    this.#watch = setTimeout(() => this.#host.kill(), this.#limit + graceMs)
    this.#watch.unref()
  }

  #evictEvaluations(): void {
    const evaluations = [...this.#programs.keys()].filter(({ address }) => address === undefined)
    for (const program of evaluations.slice(0, -keptEvaluations)) this.forget(program)
  }
}

/** A program in an isolate. Every method returns outcomes as the inside of a JSON array. */
export class LoadedContext {
  readonly #sandbox: Sandbox
  readonly number: number
  /** Files that `require` has loaded here, with the time of their last change. */
  readonly required = new Map<string, number>()

  constructor(sandbox: Sandbox, number: number) {
    this.#sandbox = sandbox
    this.number = number
  }

  begin(procedure: string, page: string, context: string, timeout: number): Promise<string> {
    return this.#sandbox.step({ program: this.number, step: 'begin', procedure, context, timeout }, page)
  }

  /** The next slice; or what is left of one that was stopped, or whose answer was lost. */
  go(step: 'slice' | 'abandon' | 'repeat', timeout: number): Promise<string> {
    return this.#sandbox.step({ program: this.number, step, timeout }, '')
  }
}
