import type { Log } from '../kit/log.ts'
import { Mutex } from '../kit/mutex.ts'
import { isJsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { Repository } from '../repository/repository.ts'
import type { HandlerSettings } from './settings.ts'
import type { Position, Sink } from './sink.ts'

export interface FollowerOptions {
  readonly settings: HandlerSettings
  readonly sink: Sink
  readonly repository: Repository
  readonly log: Log
  /** How often it looks for new events, in ms. */
  readonly interval?: number | undefined
}

const batchSize = 1000

/** The key of a handler's position in the repository's settings. */
export function positionKey(name: string): string {
  return `audit.handler.${name}`
}

/**
 * Feeds a handler. The repository's audit is the queue: events are read from it in order, and the position is stored
 * after each batch. After a crash, the next process continues from the stored position; the sink must handle events that
 * come a second time. A sink that fails, such as a full disk, is tried again; the server continues meanwhile.
 */
export class Follower implements AsyncDisposable {
  readonly #options: FollowerOptions
  readonly #turn = new Mutex()
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #started = false
  #hasFailed = false

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  get settings(): HandlerSettings {
    return this.#options.settings
  }

  get canRotate(): boolean {
    return this.#options.sink.rotate !== undefined
  }

  async start(): Promise<void> {
    this.#started = true
    await this.#catchUp()
    this.#later()
  }

  /** Archives the handler's files, after all events recorded so far have been written to them. */
  async rotate(): Promise<void> {
    const { sink, settings } = this.#options
    try {
      await this.#turn.run(async () => {
        await this.#writeAll()
        await sink.rotate?.(await this.#position(), this.#save)
        await sink.afterSave?.()
      })
    } catch (error) {
      throw new Problem('UNAVAILABLE', `audit handler ${settings.name}: ${asProblem(error).message}`, {
        cause: error,
      })
    }
  }

  /** When this resolves, all events recorded so far have been written. */
  #catchUp(): Promise<void> {
    return this.#turn
      .run(() => this.#writeAll())
      .catch((error) => {
        if (!this.#hasFailed)
          this.#options.log(
            'error',
            `audit handler ${this.settings.name}: ${asProblem(error).message}; it is tried again`,
          )
        this.#hasFailed = true
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#closed = true
    if (this.#started) await this.#catchUp()
  }

  #later(): void {
    if (this.#closed) return
    this.#timer = setTimeout(
      () => this.#catchUp().then(() => this.#later()),
      this.#options.interval ?? 1000,
    ).unref()
  }

  /** Reads the stored position each time: after a failure, the position in memory may be wrong. */
  async #writeAll(): Promise<void> {
    const { settings, sink, repository } = this.#options
    const position = await this.#position()
    await sink.begin?.(position, this.#save)
    for (;;) {
      const events = await repository.audit.since(position.seq, batchSize)
      const last = events.at(-1)
      if (!last) return
      const wanted = events.filter(({ topic }) => settings.topics.has(topic))
      const written = wanted.length === 0 ? 0 : await sink.write(wanted, position, this.#save)
      position.seq = written < wanted.length ? (wanted[written - 1]?.seq as number) : last.seq
      await this.#save(position)
      await sink.afterSave?.()
      this.#hasFailed = false
    }
  }

  readonly #save = (position: Position) =>
    this.#options.repository.settings.write(positionKey(this.settings.name), position)

  /** A new handler begins with events recorded from now on. */
  async #position(): Promise<Position> {
    const { settings, audit } = this.#options.repository
    const stored = await settings.read(positionKey(this.settings.name))
    if (isJsonObject(stored)) return { ...structuredClone(stored), seq: Number(stored.seq) }
    const fresh: Position = { seq: await audit.lastSeq() }
    await this.#save(fresh)
    return fresh
  }
}
