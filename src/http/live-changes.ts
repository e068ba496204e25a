import { setTimeout as pause } from 'node:timers/promises'
import { equal } from '../model/equality.ts'
import { parseFilter } from '../model/filter/parse.ts'
import type { Json } from '../model/json.ts'
import { asProblem } from '../model/problem.ts'
import type { Events } from '../repository/events.ts'
import type { RequestContext, Resources } from '../router/resources.ts'

/** Something that is different now, with what it is now. */
export interface LiveChange {
  /** `run`: a run as `recon/ID` has it. `issues`: as `sync/issues?_action=summary`. `queue`: the mapping. `configuration`: nothing more. */
  readonly event: 'run' | 'issues' | 'queue' | 'configuration'
  readonly data: Json
}

interface LiveOptions {
  readonly resources: Resources
  readonly events: Pick<Events, 'subscribe'>
  /** Who looks, asked each time anew: rights may have been lost. Rejects: nothing is to be seen any more. */
  readonly context: () => Promise<RequestContext>
  readonly signal: AbortSignal
  /** Milliseconds: what changes within one is told together. */
  readonly pace: number
  /** Milliseconds after which nothing is told as undefined, so that a connection that is gone is noticed. */
  readonly heartbeat: number
}

/**
 * First the runs that are active and what is left to people, then what becomes different. Each change is read when it is told, with the rights of
 * whoever looks, so that a slow reader skips states and never lags behind.
 */
export async function* liveChanges(options: LiveOptions): AsyncGenerator<LiveChange | undefined> {
  const { resources, events, context, signal, pace, heartbeat } = options
  const news = new News()
  using _subscription = events.subscribe(['progress', 'queue', 'configuration'], (message) =>
    news.add(message),
  )
  for (const run of await activeRuns(resources, await context())) news.add({ topic: 'progress', run })
  let issues: Json | undefined
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    if (!isFirst) await news.wait(heartbeat, signal)
    if (signal.aborted) return
    const request = await context()
    const told = news.take()
    if (!isFirst && told.isEmpty) yield undefined
    if (told.configuration) yield { event: 'configuration', data: null }
    for (const mapping of told.mappings) yield { event: 'queue', data: { mapping } }
    for (const id of told.runs) {
      const run = await ifVisible(() => resources.read(`recon/${id}`, request))
      if (run !== undefined) yield { event: 'run', data: run }
    }
    // Cases come from runs and from single changes.
    const left = await ifVisible(() => resources.action('sync/issues', summary, request))
    if (left !== undefined && (isFirst || !equal(left, issues))) yield { event: 'issues', data: left }
    issues = left
    await pause(pace, undefined, { signal }).catch(() => undefined)
  }
}

async function activeRuns(resources: Resources, request: RequestContext): Promise<readonly string[]> {
  try {
    const filter = parseFilter('state eq "ACTIVE"')
    const { result } = await resources.query('recon', { filter, pageSize: 1_000 }, request)
    return result.map(({ _id }) => _id)
  } catch (error) {
    if (asProblem(error).code === 'FORBIDDEN') return []
    throw error
  }
}

const summary = { name: 'summary', content: null, parameters: {} }

/** Undefined: it is gone, or not for the eyes of whoever looks. */
async function ifVisible(look: () => Promise<Json>): Promise<Json | undefined> {
  try {
    return await look()
  } catch (error) {
    if (['NOT_FOUND', 'FORBIDDEN'].includes(asProblem(error).code)) return undefined
    throw error
  }
}

type Told =
  | { readonly topic: 'progress'; readonly run: string }
  | { readonly topic: 'queue'; readonly mapping: string }
  | { readonly topic: 'configuration' }

/** What has not been told yet: of many messages about one thing, one. */
class News {
  #runs = new Set<string>()
  #mappings = new Set<string>()
  #configuration = false
  #wake: () => void = () => {}

  add(message: Told): void {
    if (message.topic === 'progress') this.#runs.add(message.run)
    else if (message.topic === 'queue') this.#mappings.add(message.mapping)
    else this.#configuration = true
    this.#wake()
  }

  get isEmpty(): boolean {
    return this.#runs.size + this.#mappings.size === 0 && !this.#configuration
  }

  take() {
    const told = {
      isEmpty: this.isEmpty,
      runs: this.#runs,
      mappings: this.#mappings,
      configuration: this.#configuration,
    }
    this.#runs = new Set()
    this.#mappings = new Set()
    this.#configuration = false
    return told
  }

  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.isEmpty) return
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await pause(milliseconds, undefined, { signal: AbortSignal.any([woken.signal, signal]) }).catch(
      () => undefined,
    )
    this.#wake = () => {}
  }
}
