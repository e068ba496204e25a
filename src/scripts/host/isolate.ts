import ivm from 'isolated-vm'
import type { Locations } from '../inside/globals.ts'
import { type ProgramText, type Progress, type StepRequest, sliceMs } from './messages.ts'
import { moduleLoader, runnerAddress } from './modules.ts'

/**
 * One isolate with a context for each program that runs in it. Only text crosses its boundary. The only shared
 * memory is `progress`: two numbers for the running input and script, which survive the isolate.
 */
export interface IsolateOptions {
  /** MiB. */
  readonly memory: number
  readonly locations: Locations
  /** Answers host calls of scripts with JSON text; never rejects. */
  answer(name: string, args: string): Promise<string>
  onLost(message: string): void
}

type Step = ivm.Reference<(...args: string[]) => string>

interface LoadedContext {
  readonly context: ivm.Context
  readonly steps: Readonly<Record<StepRequest['step'], Step>>
}

export class Isolate {
  readonly #isolate: ivm.Isolate
  readonly #options: IsolateOptions
  readonly #contexts = new Map<number, LoadedContext>()
  readonly #progress = new Int32Array(new SharedArrayBuffer(8))
  #lost = false

  constructor(options: IsolateOptions) {
    this.#options = options
    this.#isolate = new ivm.Isolate({
      memoryLimit: options.memory,
      onCatastrophicError: (message) => {
        this.#lost = true
        options.onLost(message)
      },
    })
  }

  get progress(): Progress {
    return [Atomics.load(this.#progress, 0), Atomics.load(this.#progress, 1)]
  }

  /** True if the memory limit ended it. */
  get disposed(): boolean {
    return this.#isolate.isDisposed
  }

  async load(program: number, address: string | undefined, text: string): Promise<void> {
    const context = await this.#isolate.createContext()
    const loadModule = moduleLoader(this.#isolate, context)
    // First, so that its built-ins are taken before any other code runs.
    const runner = await loadModule(runnerAddress)
    const own = address === undefined ? undefined : (await loadModule(new URL(address))).namespace
    const prepare = await runner.namespace.get('prepare', { reference: true })
    const parts: ProgramText = JSON.parse(text)
    await prepare.apply(undefined, [
      new ivm.Reference((name: unknown, args: unknown) => this.#options.answer(String(name), String(args))),
      new ivm.ExternalCopy(this.#progress).copyInto(),
      JSON.stringify({ ...parts, sliceMs, locations: this.#options.locations }),
      own?.derefInto(),
    ])
    const step = (name: StepRequest['step']): Promise<Step> => runner.namespace.get(name, { reference: true })
    const steps = [step('begin'), step('slice'), step('abandon'), step('repeat')] as const
    const [begin, slice, abandon, repeat] = await Promise.all(steps)
    this.#contexts.set(program, { context, steps: { begin, slice, abandon, repeat } })
  }

  async step({ program, step, procedure, context, timeout }: StepRequest, page: string): Promise<string> {
    const loaded = this.#contexts.get(program)
    if (!loaded) throw new Error(`the isolate has not loaded program ${program}`)
    const args = step === 'begin' ? [procedure ?? '', page, context ?? '{}'] : []
    return loaded.steps[step].apply(undefined, args, { timeout })
  }

  release(program: number): void {
    this.#contexts.get(program)?.context.release()
    this.#contexts.delete(program)
  }

  dispose(): void {
    // An isolate out of control cannot be disposed: the call would wait for ever.
    if (!this.#lost && !this.disposed) this.#isolate.dispose()
  }
}
