import { pages } from '../../kit/cookies.ts'
import type { Log } from '../../kit/log.ts'
import { parallel } from '../../kit/parallel.ts'
import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { instantOf } from '../../model/instant.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { getAt, type Pointer } from '../../model/pointer.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { RequestContext, Resource, Resources } from '../../router/resources.ts'
import { resourceQuery } from '../../scripts/call-arguments.ts'
import { scriptSource } from '../../scripts/definition.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import { queryAt, readTaskScan, type TaskScan } from './task-scan.ts'
import { atTime } from './time.ts'

/**
 * Runs a task once for each object that is due (platform §8). The object itself stores the state of its task:
 *
 *     neither             due
 *     started             a scan is working on it; due again after recovery.timeout
 *     completed           done
 *
 * A scan takes an object by writing `started` under the revision at which it found the object due, so only one of several
 * scans and processes gets it. If a task fails, the object stays started.
 */
export interface TaskScannerOptions {
  readonly resources: () => Resources
  readonly engine: () => ScriptEngine
  readonly readFile: (path: string) => string | undefined
  readonly log: Log
  /** Called around all work: the configuration stays open until it ends. */
  readonly during?: <T>(work: () => Promise<T>) => Promise<T>
  /** ms since 1970; tests set their own clock. */
  readonly now?: () => number
}

export interface TaskRun {
  readonly id: string
  readonly started: string
  ended: string | undefined
  state: 'ACTIVE' | 'COMPLETED' | 'CANCELLED' | 'ERROR'
  total: number
  processed: number
  successes: number
  failures: number
  message?: string
}

/** How many ended runs are kept, to be read later. */
const remembered = 100
const pageSize = 100

export class TaskScanner implements AsyncDisposable {
  readonly #options: TaskScannerOptions
  readonly #runs = new Map<string, TaskRun>()
  readonly #active = new Map<string, { readonly stop: AbortController; readonly end: Promise<void> }>()
  #closed = false

  constructor(options: TaskScannerOptions) {
    this.#options = options
  }

  /** Begins a scan, and waits for its end if configured. FindingError if `context` is not a task scan. */
  async execute(context: JsonObject, request: RequestContext): Promise<TaskRun> {
    if (this.#closed) throw new Problem('UNAVAILABLE', 'the server is shutting down')
    const scan = readTaskScan(context)
    const script = this.#script(scan)
    const run: TaskRun = {
      id: timeOrderedId(),
      started: this.#time(),
      ended: undefined,
      state: 'ACTIVE',
      ...{ total: 0, processed: 0, successes: 0, failures: 0 },
    }
    this.#remember(run)
    const stop = new AbortController()
    const inside = { ...request, external: false, parameters: undefined }
    const end = this.#scan(run, { scan, script, request: inside, signal: stop.signal })
    this.#active.set(run.id, { stop, end })
    if (scan.waits) await end
    return run
  }

  /** Finishes the objects in progress and begins no others. False if the run has already ended. */
  async cancel(id: string): Promise<boolean> {
    const active = this.#active.get(id)
    active?.stop.abort()
    await active?.end
    return active !== undefined
  }

  runs(): readonly TaskRun[] {
    return [...this.#runs.values()]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#active.keys()].map((id) => this.cancel(id)))
  }

  #script({ script }: TaskScan): ScriptSource {
    const read = scriptSource(script, { label: 'task script', readFile: this.#options.readFile })
    if (!read.ok) throw new Problem('CONFIGURATION', `task/script: ${read.finding.message}`)
    return read.value
  }

  #remember(run: TaskRun): void {
    this.#runs.set(run.id, run)
    for (const { id, ended } of this.#runs.values()) {
      if (this.#runs.size <= remembered) return
      if (ended !== undefined) this.#runs.delete(id)
    }
  }

  async #scan(run: TaskRun, work: Work): Promise<void> {
    const { during = (rest) => rest() } = this.#options
    try {
      await during(() => this.#work(run, work))
      run.state = work.signal.aborted ? 'CANCELLED' : 'COMPLETED'
    } catch (error) {
      run.state = 'ERROR'
      run.message = asProblem(error).message
      this.#options.log('error', `task scan of ${work.scan.object}: ${run.message}`)
    }
    run.ended = this.#time()
    this.#active.delete(run.id)
  }

  /** Processes page by page, `threads` objects at a time. */
  async #work(run: TaskRun, work: Work): Promise<void> {
    const { scan, signal } = work
    for await (const page of this.#due(work)) {
      const room = (scan.maxRecords ?? Number.POSITIVE_INFINITY) - run.total
      const objects = page.slice(0, Math.max(0, room))
      run.total += objects.length
      await parallel(objects, scan.threads, async (object) => {
        if (!signal.aborted) await this.#task(run, object, work)
      })
      if (signal.aborted || run.total >= (scan.maxRecords ?? Number.POSITIVE_INFINITY)) return
    }
  }

  async *#due({ scan, request, signal }: Work): AsyncIterable<readonly Resource[]> {
    const { fields, ...query } = resourceQuery(scan.object, queryAt(scan, this.#now()), undefined)
    for await (const { result } of pages((from) =>
      this.#options.resources().query(scan.object, { ...query, pageSize, ...from }, request),
    )) {
      if (signal.aborted) return
      yield result.filter((object) => this.#isDue(scan, object))
    }
  }

  #isDue({ due, started, completed, timeout }: TaskScan, object: JsonObject): boolean {
    if (isSet(getAt(object, completed))) return false
    if (due && !(timeOf(object, due.property) < Date.parse(atTime(due.before, this.#now())))) return false
    if (!isSet(getAt(object, started))) return true
    return timeout !== undefined && timeOf(object, started) + timeout <= this.#now()
  }

  async #task(run: TaskRun, found: Resource, work: Work): Promise<void> {
    try {
      const taken = await this.#take(found, work)
      if (!taken) {
        run.total--
        return
      }
      await this.#perform(taken, work)
      run.successes++
    } catch (error) {
      run.failures++
      this.#options.log('error', `task of ${work.scan.object}/${found._id}: ${asProblem(error).message}`)
    }
    run.processed++
  }

  /** Undefined if another scan was faster, or the object was changed: the next scan tries again. */
  async #take(found: Resource, { scan, request }: Work): Promise<Taken | undefined> {
    const path = `${scan.object}/${joinPath(found._id)}`
    const at = this.#time()
    try {
      const object = await this.#mark(path, found._rev, scan.started, at, request)
      return { path, at, object }
    } catch (error) {
      if (['PRECONDITION_FAILED', 'NOT_FOUND'].includes(asProblem(error).code)) return undefined
      throw error
    }
  }

  async #perform({ path, at, object }: Taken, { scan, script, request }: Work): Promise<void> {
    const variables = { input: object, object, objectID: object._id }
    await this.#options.engine().evaluate(script, variables, { request })
    for (let attempt = 0; ; attempt++) {
      const current = await this.#current(path, request)
      // Deleted, or taken by another scan that considered this one dead: now it belongs to that scan.
      if (!current || getAt(current, scan.started) !== at) return
      try {
        await this.#mark(path, current._rev, scan.completed, this.#time(), request)
        return
      } catch (error) {
        if (asProblem(error).code !== 'PRECONDITION_FAILED' || attempt === completionRetries) throw error
      }
    }
  }

  async #current(path: string, request: RequestContext): Promise<Resource | undefined> {
    try {
      return await this.#options.resources().read(path, request)
    } catch (error) {
      if (asProblem(error).status === 404) return undefined
      throw error
    }
  }

  #mark(
    path: string,
    rev: string | undefined,
    field: Pointer,
    value: string,
    request: RequestContext,
  ): Promise<Resource> {
    return this.#options.resources().patch(path, rev, [{ operation: 'add', field, value }], request)
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  #time(): string {
    return new Date(this.#now()).toISOString()
  }
}

/** The task may have changed the object meanwhile, and so may others. */
const completionRetries = 5

interface Work {
  readonly scan: TaskScan
  readonly script: ScriptSource
  readonly request: RequestContext
  readonly signal: AbortSignal
}

interface Taken {
  readonly path: string
  /** The value of `started` as long as no other scan has taken the object. */
  readonly at: string
  readonly object: Resource
}

function isSet(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== ''
}

/** NaN if there is no time: neither before nor after any other. Without a zone it is UTC, as where a filter compares texts. */
function timeOf(object: JsonObject, pointer: Pointer): number {
  const value = getAt(object, pointer)
  if (typeof value === 'number') return value
  const text = String(value ?? '')
  return instantOf(text) ?? instantOf(`${text}Z`) ?? Date.parse(text)
}
