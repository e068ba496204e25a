import { isDeepStrictEqual } from 'node:util'
import { steadyTime } from '../kit/clock.ts'
import type { Log } from '../kit/log.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { AuditEvent } from '../repository/audit.ts'
import type { Repository } from '../repository/repository.ts'
import type { Exchange, RequestObserver } from '../router/exchange.ts'
import type { Resources } from '../router/resources.ts'
import { accessEvent, authenticationEvent, type NamesSecret } from './access.ts'
import { EventBuffer } from './buffer.ts'
import { csvFormat } from './csv.ts'
import { FileSink, jsonLines } from './file-sink.ts'
import { Follower } from './follower.ts'
import { routerSink, stdoutSink } from './other-sinks.ts'
import { applyRetention } from './retention.ts'
import { Sampling, shortened } from './sampling.ts'
import type { AuditSettings, HandlerSettings } from './settings.ts'
import type { Sink } from './sink.ts'
import { AuditTrail, type RunFilter } from './trail.ts'

export interface AuditServiceOptions {
  readonly log: Log
  /** The store itself. Record only through `AuditService.repository`. */
  readonly repository: Repository
  readonly resources: () => Resources
  /** For the hashes in CSV files. */
  readonly fileKey: () => Buffer
  readonly print: (text: string) => Promise<void>
  /** How often handlers look for new events, in ms. */
  readonly interval?: number
}

/** The part that may change while the server runs. */
export interface AuditConfiguration {
  readonly settings: AuditSettings
  /** Names of properties that are secret somewhere in the project. */
  readonly isSecret: NamesSecret
  readonly runFilter: RunFilter
}

const retentionInterval = 3_600_000

/**
 * The audit of a process: the repository that records everything, events of external requests, handlers, retention.
 * Until it is configured, it keeps every event and has no handlers. Only a server starts it. A command only records; the
 * next server does the rest.
 */
export class AuditService implements AsyncDisposable {
  readonly repository: Repository
  readonly trail: AuditTrail
  readonly observer: RequestObserver
  readonly #options: AuditServiceOptions
  readonly #buffer: EventBuffer
  readonly #unknown = new Sampling()
  readonly #refused = new Sampling()
  #isSecret: NamesSecret = () => false
  #followers: Follower[] = []
  #started = false
  #timer: NodeJS.Timeout | undefined
  #retaining: Promise<unknown> = Promise.resolve()

  constructor(options: AuditServiceOptions) {
    this.#options = options
    this.trail = new AuditTrail(options.log)
    this.repository = this.trail.recorded(options.repository)
    const { log } = options
    this.#buffer = new EventBuffer({ log, append: (events) => this.repository.audit.append(events) })
    this.observer = {
      exchange: (exchange) => this.#observe(exchange),
      attempt: (attempt) => {
        const leftOut = attempt.successful ? 0 : this.#refused.take()
        if (leftOut !== undefined) this.record(authenticationEvent(attempt, Date.now(), leftOut))
      },
    }
  }

  #observe(exchange: Exchange): void {
    const isUnknown = exchange.userId === undefined
    const leftOut = isUnknown ? this.#unknown.take() : 0
    if (leftOut === undefined) return
    const { path, search } = exchange
    const shown = isUnknown
      ? { ...exchange, path: shortened(path), search: shortened(search), headers: {} }
      : exchange
    this.record(accessEvent(shown, (name) => this.#isSecret(name), Date.now(), leftOut))
  }

  /** Stores the event soon, in a batch. */
  record(event: AuditEvent): void {
    this.#buffer.add(event)
  }

  /** When this resolves, all events recorded so far can be read. */
  flush(): Promise<void> {
    return this.#buffer.flush()
  }

  async start(): Promise<void> {
    this.#started = true
    for (const follower of this.#followers) await follower.start()
    this.#timer = setInterval(() => this.#retain(), retentionInterval).unref()
    this.#retain()
  }

  /** Applies new settings. Unchanged handlers continue; new ones begin at their stored position. */
  async configure({ settings, isSecret, runFilter }: AuditConfiguration): Promise<void> {
    this.#isSecret = isSecret
    this.trail.configure(settings, runFilter)
    const { handlers } = settings
    const kept = this.#followers.filter((one) =>
      handlers.some((wanted) => isDeepStrictEqual(one.settings, wanted)),
    )
    for (const one of this.#followers) if (!kept.includes(one)) await one[Symbol.asyncDispose]()
    const added = handlers
      .filter((wanted) => !kept.some((one) => isDeepStrictEqual(one.settings, wanted)))
      .map((one) => this.#followerOf(one))
    this.#followers = [...kept, ...added]
    if (!this.#started) return
    for (const follower of added) await follower.start()
    this.#retain()
  }

  /** Archives the files of one handler, or of all. NOT_FOUND if no handler of that name has files. */
  async rotate(name: string | undefined): Promise<void> {
    await this.flush()
    const files = this.#followers.filter(({ canRotate }) => canRotate)
    const wanted = files.filter(({ settings }) => name === undefined || settings.name === name)
    if (name !== undefined && wanted.length === 0)
      throw new Problem(
        'NOT_FOUND',
        `There is no audit handler ${name} that writes files; there are: ${files.map(({ settings }) => settings.name).join(', ') || 'none'}`,
      )
    for (const follower of wanted) await follower.rotate()
  }

  /** Stores all events and hands them over to the handlers. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#retaining
    await this.#buffer[Symbol.asyncDispose]()
    for (const follower of this.#followers) await follower[Symbol.asyncDispose]()
  }

  #retain(): void {
    const { repository, log } = this.#options
    // A clock that is set forward by mistake must not make everything old.
    const now = () => Math.min(Date.now(), steadyTime())
    this.#retaining = this.#retaining
      .then(() => applyRetention(repository, this.trail.settings, now()))
      .then(
        (removed) =>
          removed > 0 &&
          log('info', `audit: ${removed} events need not be kept any longer, and were removed`),
        (error) => log('error', `audit: old events could not be removed: ${asProblem(error).message}`),
      )
  }

  #followerOf(settings: HandlerSettings): Follower {
    return new Follower({ ...this.#options, settings, sink: this.#sinkOf(settings) })
  }

  #sinkOf(settings: HandlerSettings): Sink {
    const { fileKey, print, resources } = this.#options
    switch (settings.kind) {
      case 'json':
        return new FileSink(settings, jsonLines)
      case 'csv':
        return new FileSink(settings, csvFormat(settings.format, settings.evident ? fileKey() : undefined))
      case 'stdout':
        return stdoutSink(print)
      case 'router':
        return routerSink(settings.resourcePath, resources)
    }
  }
}
