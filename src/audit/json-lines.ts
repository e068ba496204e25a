import { mkdir, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { isJsonObject, type JsonObject } from '../model/json.ts'
import { asProblem } from '../model/problem.ts'
import type { Repository } from '../repository/repository.ts'

/** Where a handler writes, and what (platform specification §9). */
export interface JsonLinesSettings {
  readonly name: string
  /** A file a topic: `<folder>/recon.audit.json`. */
  readonly folder: string
  readonly topics: ReadonlySet<string>
  /** Bytes after which a file is put aside; undefined: never. */
  readonly maxFileSize: number | undefined
  /** How many files put aside are kept, of each topic; undefined: all. */
  readonly keptFiles: number | undefined
}

export interface JsonLinesOptions {
  readonly repository: Repository
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** How often it looks for new events, in ms. */
  readonly interval?: number
}

const portion = 1000

/** How far a handler has come, and how long its files were then. */
interface Position extends JsonObject {
  seq: number
  sizes: JsonObject
}

/**
 * Writes audit events as lines of JSON. The repository's audit is the queue: events are taken from it in order, and how far that
 * has come is stored with the lengths of the files. A process that dies in between cuts its files back to those lengths and
 * goes on, so no event is lost and none comes twice. A disk that is full is tried again; the server goes on meanwhile.
 */
export class JsonLinesHandler implements AsyncDisposable {
  readonly #settings: JsonLinesSettings
  readonly #options: JsonLinesOptions
  #turn: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #started = false
  #hasFailed = false

  constructor(settings: JsonLinesSettings, options: JsonLinesOptions) {
    this.#settings = settings
    this.#options = options
  }

  async start(): Promise<void> {
    this.#started = true
    await this.#catchUp()
    this.#later()
  }

  /** What is in the repository by now is in the files when this resolves. */
  #catchUp(): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#writeAll())
      .catch((error) => {
        if (!this.#hasFailed)
          this.#options.log(
            'error',
            `audit handler ${this.#settings.name}: ${asProblem(error).message}; it is tried again`,
          )
        this.#hasFailed = true
      })
    return this.#turn
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

  async #writeAll(): Promise<void> {
    const { audit } = this.#options.repository
    const position = await this.#position()
    await this.#cutBack(position)
    for (;;) {
      const events = await audit.since(position.seq, portion)
      if (events.length === 0) return
      const byTopic = Map.groupBy(events, ({ topic }) => topic)
      for (const [topic, some] of byTopic) {
        if (this.#settings.topics.has(topic))
          await this.#append(
            topic,
            some.map(({ content }) => `${JSON.stringify(content)}\n`).join(''),
            position,
          )
      }
      position.seq = events.at(-1)?.seq as number
      await this.#options.repository.settings.write(this.#key(), position)
      this.#hasFailed = false
    }
  }

  #key(): string {
    return `audit.handler.${this.#settings.name}`
  }

  /** A handler that is new begins with what is recorded from now on. */
  async #position(): Promise<Position> {
    const { settings, audit } = this.#options.repository
    const stored = await settings.read(this.#key())
    if (isJsonObject(stored)) return { seq: Number(stored.seq), sizes: { ...(stored.sizes as JsonObject) } }
    const fresh: Position = { seq: await audit.lastSeq(), sizes: {} }
    await settings.write(this.#key(), fresh)
    return fresh
  }

  #file(topic: string): string {
    return join(this.#settings.folder, `${topic}.audit.json`)
  }

  /** What was written after the position was stored is written again. */
  async #cutBack({ sizes }: Position): Promise<void> {
    await mkdir(this.#settings.folder, { recursive: true, mode: 0o700 })
    for (const topic of this.#settings.topics) {
      const known = Number(sizes[topic] ?? 0)
      const size = await sizeOf(this.#file(topic))
      if (size > known && topic in sizes) await truncate(this.#file(topic), known)
    }
  }

  async #append(topic: string, lines: string, { sizes }: Position): Promise<void> {
    const file = this.#file(topic)
    const { maxFileSize } = this.#settings
    const before = await sizeOf(file)
    if (maxFileSize !== undefined && before > 0 && before + lines.length > maxFileSize)
      await this.#putAside(topic)
    const handle = await open(file, 'a', 0o600)
    try {
      await handle.appendFile(lines)
      await handle.sync()
      sizes[topic] = (await handle.stat()).size
    } finally {
      await handle.close()
    }
  }

  /** Under the time of day; the oldest beyond those that are kept go. */
  async #putAside(topic: string): Promise<void> {
    const { folder, keptFiles } = this.#settings
    const file = this.#file(topic)
    const time = new Date().toISOString().replaceAll(/[:.]/g, '-')
    await rename(file, `${file}-${time}`)
    if (keptFiles === undefined) return
    const aside = (await readdir(folder)).filter((name) => name.startsWith(`${topic}.audit.json-`)).toSorted()
    for (const name of aside.slice(0, Math.max(0, aside.length - keptFiles)))
      await rm(join(folder, name), { force: true })
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}
