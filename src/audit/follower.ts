import type { Log } from '../kit/log.ts'
import { Mutex } from '../kit/mutex.ts'
import { isJsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { Repository } from '../repository/repository.ts'
import type { Position, Sink } from './sink.ts'

export interface FollowerOptions {
  readonly name: string
  readonly topics: ReadonlySet<string>
  readonly sink: Sink
  readonly repository: Repository
  readonly log: Log
  /** How often it looks for new events, in ms. */
  readonly interval?: number
}

const portion = 1000

/** Where the settings keep how far a handler has come. */
export function positionKey(name: string): string {
  return `audit.handler.${name}`
}

/**
 * Feeds a handler. The repository's audit is the queue: events are taken from it in order, and how far that has come is
 * stored after each portion. A process that dies in between goes on from there; what its handler makes of events that come
 * a second time is the sink's affair. A sink that fails, such as a full disk, is tried again; the server goes on meanwhile.
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

  get name(): string {
    return this.#options.name
  }

  get canRotate(): boolean {
    return this.#options.sink.rotate !== undefined
  }

  async start(): Promise<void> {
    this.#started = true
    await this.#catchUp()
    this.#later()
  }

  /** Puts the handler's files aside, with everything in them that is recorded by now. */
  async rotate(): Promise<void> {
    const { sink, name } = this.#options
    try {
      await this.#turn.run(async () => {
        await this.#writeAll()
        await sink.rotate?.(await this.#position(), this.#save)
        await sink.settle?.()
      })
    } catch (error) {
      throw new Problem('UNAVAILABLE', `audit handler ${name}: ${asProblem(error).message}`, { cause: error })
    }
  }

  /** What is in the repository by now has been handed over when this resolves. */
  #catchUp(): Promise<void> {
    return this.#turn
      .run(() => this.#writeAll())
      .catch((error) => {
        if (!this.#hasFailed)
          this.#options.log(
            'error',
            `audit handler ${this.name}: ${asProblem(error).message}; it is tried again`,
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

  /** The stored position is read anew each time: what a failure left half done in memory does not count. */
  async #writeAll(): Promise<void> {
    const { topics, sink, repository } = this.#options
    const position = await this.#position()
    await sink.begin?.(position, this.#save)
    for (;;) {
      const events = await repository.audit.since(position.seq, portion)
      const last = events.at(-1)
      if (!last) return
      const wanted = events.filter(({ topic }) => topics.has(topic))
      const written = wanted.length === 0 ? 0 : await sink.write(wanted, position, this.#save)
      position.seq = written < wanted.length ? (wanted[written - 1]?.seq as number) : last.seq
      await this.#save(position)
      await sink.settle?.()
      this.#hasFailed = false
    }
  }

  readonly #save = (position: Position) =>
    this.#options.repository.settings.write(positionKey(this.name), position)

  /** A handler that is new begins with what is recorded from now on. */
  async #position(): Promise<Position> {
    const { settings, audit } = this.#options.repository
    const stored = await settings.read(positionKey(this.name))
    if (isJsonObject(stored)) return { ...structuredClone(stored), seq: Number(stored.seq) }
    const fresh: Position = { seq: await audit.lastSeq() }
    await this.#save(fresh)
    return fresh
  }
}
