import { AsyncLocalStorage } from 'node:async_hooks'
import { Problem } from '../model/problem.ts'
import type { PreparedProgram } from './prepare.ts'
import type { Sandbox } from './sandbox.ts'

/**
 * The isolates, each used by one page at a time. At most `size` of them execute at once. One that waits for the host
 * (`openidm.update` …) does not count: the host may itself run scripts, such as a hook of the updated object, and these
 * must not wait for the waiting isolate. Such nested work always gets an isolate. Only its depth is limited, so that a
 * hook that updates its own object ends with an error instead of filling the memory.
 */
export class SandboxPool {
  readonly #size: number
  readonly #create: () => Sandbox
  readonly #all = new Set<Sandbox>()
  readonly #idle: Sandbox[] = []
  readonly #waiting: Waiting[] = []
  readonly #depth = new AsyncLocalStorage<number>()
  #executing = 0
  #closed = false

  constructor(size: number, create: () => Sandbox) {
    this.#size = size
    this.#create = create
  }

  /** First come, first served. Give it back with `release`. */
  async acquire(program: PreparedProgram): Promise<Sandbox> {
    this.throwIfClosed()
    const { depth } = this
    if (depth > deepest) {
      throw new Problem(
        'SCRIPT_FAILED',
        `scripts have caused each other to run ${deepest} deep: does one of them cause itself?`,
      )
    }
    const nested = depth > 0
    const waiting = this.#waiting.length > 0 && !nested
    return (waiting ? undefined : this.#take(program, nested)) ?? this.#wait(program, nested)
  }

  release(sandbox: Sandbox): void {
    this.#executing--
    sandbox.forgetRetired()
    sandbox.release()
    if (!sandbox.usable) this.#discard(sandbox)
    else if (this.#idle.length < this.#size + spareIdle) this.#idle.push(sandbox)
    else this.#discard(sandbox)
    this.#serveWaiting()
  }

  /** How many scripts wait for the caller's work: 0 for the server's own work. */
  get depth(): number {
    return this.#depth.getStore() ?? 0
  }

  /** Runs the host call of a script at `depth`. Meanwhile its isolate does not count as executing. */
  async waitForHost<T>(depth: number, work: () => Promise<T>): Promise<T> {
    this.#executing--
    this.#serveWaiting()
    try {
      return await this.#depth.run(depth + 1, work)
    } finally {
      this.#executing++
    }
  }

  /** Idle isolates drop programs that are retired; busy ones do so when they are given back. */
  forgetRetired(): void {
    for (const sandbox of this.#idle) sandbox.forgetRetired()
  }

  throwIfClosed(): void {
    if (this.#closed) throw shutDown()
  }

  dispose(): void {
    this.#closed = true
    for (const sandbox of this.#all) sandbox.dispose()
    this.#all.clear()
    this.#idle.length = 0
    for (const { reject } of this.#waiting.splice(0)) reject(shutDown())
  }

  #take(program: PreparedProgram, nested: boolean): Sandbox | undefined {
    if (this.#executing >= this.#size) return undefined
    // Those of a host that has lost one of its isolates end with it.
    for (const sandbox of this.#idle.filter(({ usable }) => !usable)) this.#discard(sandbox)
    const familiar = this.#idle.findIndex((sandbox) => sandbox.has(program))
    const [idle] = this.#idle.splice(familiar < 0 ? this.#idle.length - 1 : familiar, 1)
    if (!idle && !nested && this.#all.size >= this.#size + mostExtra) return undefined
    const sandbox = idle ?? this.#create()
    this.#all.add(sandbox)
    sandbox.busy = true
    this.#executing++
    return sandbox
  }

  #wait(program: PreparedProgram, nested: boolean): Promise<Sandbox> {
    const { promise, resolve, reject } = Promise.withResolvers<Sandbox>()
    this.#waiting.push({ program, nested, resolve, reject })
    return promise
  }

  #serveWaiting(): void {
    for (const waiting of [...this.#waiting]) {
      const sandbox = this.#take(waiting.program, waiting.nested)
      if (!sandbox) continue
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.resolve(sandbox)
    }
  }

  #discard(sandbox: Sandbox): void {
    this.#all.delete(sandbox)
    const at = this.#idle.indexOf(sandbox)
    if (at >= 0) this.#idle.splice(at, 1)
    sandbox.dispose()
  }
}

function shutDown(): Problem {
  return new Problem('UNAVAILABLE', 'the script engine is shut down')
}

interface Waiting {
  readonly program: PreparedProgram
  readonly nested: boolean
  readonly resolve: (sandbox: Sandbox) => void
  readonly reject: (error: Problem) => void
}

/** The maximum depth of scripts that cause other scripts. */
const deepest = 16
/** Isolates beyond `size` that may exist because others wait for the host; nested work may exceed it. */
const mostExtra = 16
const spareIdle = 2
