import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { beginCopy, type Copy, copyIn, type Part } from '../files/copies.ts'
import { attempt, chunksOf, openFile } from '../files/file.ts'
import { ConnectorError } from '../kit/errors.ts'

/**
 * What a table was like, in a file: a line for each row, `<digest> <id as JSON>`, in the order of the ids. It is written and
 * read in pieces, so that millions of rows need no memory. The first line says what it is a snapshot of.
 */
export interface KnownRow {
  readonly id: string
  /** Of its cells; empty where only the keys are kept. */
  readonly digest: string
}

const linesAtOnce = 5_000

/** A snapshot that is being written. Unless the finished copy is kept, nothing of it stays. */
export class SnapshotWriter implements AsyncDisposable {
  readonly #begun: Part
  readonly #handle: FileHandle
  #lines: string[]

  private constructor(begun: Part, handle: FileHandle, title: string) {
    this.#begun = begun
    this.#handle = handle
    this.#lines = [JSON.stringify(title)]
  }

  static async begin(base: string, title: string): Promise<SnapshotWriter> {
    await attempt(base, 'written', () => mkdir(dirname(base), { recursive: true, mode: 0o700 }))
    const begun = await beginCopy(base)
    const handle = await attempt(begun.part, 'written', () => open(begun.part, 'w', 0o600))
    return new SnapshotWriter(begun, handle, title)
  }

  async add({ id, digest }: KnownRow): Promise<void> {
    if (this.#lines.push(`${digest} ${JSON.stringify(id)}`) >= linesAtOnce) await this.#write()
  }

  async finish(): Promise<Copy> {
    await this.#write()
    await attempt(this.#begun.part, 'written', () => this.#handle.sync())
    return copyIn(this.#begun)
  }

  async #write(): Promise<void> {
    const text = this.#lines.map((line) => `${line}\n`).join('')
    this.#lines = []
    await attempt(this.#begun.part, 'written', () => this.#handle.appendFile(text))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
    await this.#begun[Symbol.asyncDispose]()
  }
}

/** The rows of a snapshot, one after the other. `staleToken` if it is one of something else. */
export class SnapshotReader implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #lines: AsyncGenerator<readonly string[], undefined>
  #page: readonly string[] = []
  #place = 0

  private constructor(handle: FileHandle, file: string) {
    this.#handle = handle
    this.#lines = linesOf(handle, file)
  }

  static async open(file: string, title: string): Promise<SnapshotReader> {
    const reader = new SnapshotReader(await openFile(file), file)
    const found = await reader.#line()
    if (found === JSON.stringify(title)) return reader
    await reader[Symbol.asyncDispose]()
    throw new ConnectorError(
      'staleToken',
      `${file} is a snapshot of ${found}, not of ${JSON.stringify(title)}`,
    )
  }

  async next(): Promise<KnownRow | undefined> {
    const line = await this.#line()
    if (line === undefined) return undefined
    const gap = line.indexOf(' ')
    return { digest: line.slice(0, gap), id: String(JSON.parse(line.slice(gap + 1))) }
  }

  async #line(): Promise<string | undefined> {
    while (this.#place >= this.#page.length) {
      const next = await this.#lines.next()
      if (next.done) return undefined
      this.#page = next.value
      this.#place = 0
    }
    return this.#page[this.#place++]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

async function* linesOf(handle: FileHandle, file: string): AsyncGenerator<readonly string[], undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunksOf(handle, 0, file)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield lines
  }
}
