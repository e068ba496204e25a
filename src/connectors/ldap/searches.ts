import type { Socket } from 'node:net'
import {
  AbandonRequest,
  BerReader,
  type Control,
  type Entry,
  type Filter,
  PagedResultsControl,
  type ResultCodeError,
  SearchReference,
  SearchRequest,
  SearchResponse,
  StatusCodeParser,
} from 'ldapts'
import { contentOf, Elements, MalformedMessage } from './ber.ts'
import type { EntryReader } from './entry-reader.ts'

/**
 * Searches on the connection of a client, beside it: their answers are taken out of what the server sends, all else the client
 * gets. The client would build every entry several times over and lose those that came before a limit; here they are read as they arrive,
 * while the server works on those to come. Message ids begin where those of the client do not get to.
 *
 * A search is sent, answered by entries and references, and ended by its result. One that nobody wants any more is abandoned;
 * what was under way is then thrown away, and the connection can be used for other things.
 */
export class Searches {
  readonly #socket: Socket
  /** Milliseconds without a word of the server about a search. */
  readonly #timeout: number
  readonly #open = new Map<number, OpenSearch>()
  readonly #client: readonly ((chunk: Buffer) => void)[]
  #nextId = firstId
  readonly #frames = new Frames()

  /** `socket` is connected, and its client listens. */
  constructor(socket: Socket, timeout: number) {
    this.#socket = socket
    this.#timeout = timeout
    this.#client = socket
      .listeners('data')
      .map((listener) => (chunk) => Reflect.apply(listener, socket, [chunk]))
    socket.removeAllListeners('data')
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(closedInTheMiddle()))
  }

  /** One search, or one page of it. Its id is known at once, for `abandon`. */
  ask(base: string, question: Asked): { readonly id: number; readonly answer: Promise<Answer> } {
    const id = this.#nextId
    this.#nextId = id === lastId ? firstId : id + 1
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const timer = setTimeout(() => this.#break(new Error('The search timed out')), this.#timeout)
    this.#open.set(id, {
      reader: question.reader,
      hear: question.hear,
      entries: [],
      references: [],
      timer,
      resolve,
      reject,
    })
    // A socket that was closed already tells nobody so once more.
    if (this.#socket.writable) this.#socket.write(requestOf(id, base, question))
    else this.#fail(closedInTheMiddle())
    return { id, answer: promise }
  }

  abandon(id: number): void {
    const search = this.#open.get(id)
    if (!search) return
    this.#close(id, search)
    if (this.#socket.writable)
      this.#socket.write(new AbandonRequest({ messageId: this.#nextId++, abandonId: id }).write())
  }

  #receive(chunk: Buffer): void {
    try {
      this.#frames.add(chunk, (bytes, start, end) => this.#hear(bytes, start, end))
    } catch (error) {
      this.#break(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Nothing that comes later could be understood, or would be waited for. */
  #break(error: Error): void {
    this.#fail(error)
    this.#socket.destroy(error)
  }

  #hear(bytes: Buffer, start: number, end: number): void {
    const message = new Elements(bytes, start)
    message.enter(sequence, end)
    const id = message.integer(end)
    const search = this.#open.get(id)
    if (search) this.#take(id, search, message, bytes.subarray(start, end))
    // What comes of one that was abandoned is of no interest.
    else if (id < firstId) for (const listener of this.#client) listener(bytes.subarray(start, end))
  }

  #take(id: number, search: OpenSearch, message: Elements, frame: Buffer): void {
    search.timer.refresh()
    search.hear?.(frame)
    const tag = message.bytes[message.at]
    if (tag === entryTag) {
      const end = message.enter(entryTag, message.bytes.length)
      search.entries.push(search.reader.read(message.bytes, message.at, end))
    } else if (tag === referenceTag) search.references.push(...referencesIn(frame))
    else if (tag === resultTag) {
      this.#close(id, search)
      search.resolve({ entries: search.entries, references: search.references, ...resultIn(frame) })
    }
  }

  #fail(error: Error): void {
    for (const [id, search] of this.#open) {
      this.#close(id, search)
      search.reject(error)
    }
  }

  #close(id: number, { timer }: OpenSearch): void {
    clearTimeout(timer)
    this.#open.delete(id)
  }
}

/** What is asked; `cookie` continues a search in pages. */
export interface Asked {
  readonly filter: Filter
  readonly scope: 'base' | 'one' | 'sub'
  readonly attributes: readonly string[]
  readonly reader: EntryReader
  /** Absent: all at once. */
  readonly page: { readonly size: number; readonly cookie?: Buffer | undefined } | undefined
  readonly controls?: readonly Control[]
  /** Told of each message of the search as it has come: what is in its controls, and messages between entries. */
  readonly hear?: ((message: Buffer) => void) | undefined
}

/** What has come until the result, also before a limit. */
export interface Answer {
  readonly entries: readonly Entry[]
  readonly references: readonly string[]
  /** A result other than success. */
  readonly failure: ResultCodeError | undefined
  /** Absent: there are no more pages. */
  readonly cookie: Buffer | undefined
}

interface OpenSearch {
  readonly reader: EntryReader
  readonly hear: Asked['hear']
  readonly entries: Entry[]
  readonly references: string[]
  readonly timer: NodeJS.Timeout
  resolve(answer: Answer): void
  reject(error: Error): void
}

function closedInTheMiddle(): Error {
  return new Error('The connection was closed before the search ended')
}

const firstId = 2 ** 30
const lastId = 2 ** 31 - 1
const sequence = 0x30
const entryTag = 0x64
const resultTag = 0x65
const referenceTag = 0x73

function requestOf(
  id: number,
  base: string,
  { filter, scope, attributes, page, controls = [] }: Asked,
): Buffer {
  const paging = page && [
    new PagedResultsControl({ value: { size: page.size, ...(page.cookie && { cookie: page.cookie }) } }),
  ]
  return new SearchRequest({
    messageId: id,
    baseDN: base,
    scope,
    filter,
    attributes: [...attributes],
    // The limits are those of the server.
    timeLimit: 0,
    controls: [...controls, ...(paging ?? [])],
  }).write()
}

function referencesIn(frame: Buffer): readonly string[] {
  const message = new SearchReference({ messageId: 0 })
  message.parse(within(frame, referenceTag), [])
  return message.uris
}

function resultIn(frame: Buffer): Pick<Answer, 'failure' | 'cookie'> {
  const message = new SearchResponse({ messageId: 0 })
  message.parse(within(frame, resultTag), [])
  const paged = message.controls?.find((control) => control instanceof PagedResultsControl)
  const { cookie } = paged?.value ?? {}
  return {
    failure: message.status === 0 ? undefined : StatusCodeParser.parse(message),
    cookie: cookie?.length ? Buffer.from(cookie) : undefined,
  }
}

/** A reader at the content of the operation of a message. */
function within(frame: Buffer, tag: number): BerReader {
  const reader = new BerReader(frame)
  reader.readSequence()
  reader.readInt()
  reader.readSequence(tag)
  return reader
}

/** Cuts what arrives into whole messages; one that comes in many parts is put together once. */
class Frames {
  #parts: Buffer[] = []
  #size = 0
  /** Bytes until the message that has begun may be whole. */
  #needed = 0

  add(chunk: Buffer, hear: (bytes: Buffer, start: number, end: number) => void): void {
    this.#parts.push(chunk)
    this.#size += chunk.length
    if (this.#size < this.#needed) return
    const bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts)
    const content = { at: 0 }
    let start = 0
    let end = endOf(bytes, start, content)
    for (; end !== undefined && end <= bytes.length; end = endOf(bytes, start, content)) {
      hear(bytes, start, end)
      start = end
    }
    this.#parts = start === bytes.length ? [] : [bytes.subarray(start)]
    this.#size = bytes.length - start
    this.#needed = end === undefined ? 0 : end - start
  }
}

/** Where the message ends that begins here; undefined if its length is not there yet. */
function endOf(bytes: Buffer, start: number, content: { at: number }): number | undefined {
  if (start >= bytes.length) return undefined
  if (bytes[start] !== sequence) throw new MalformedMessage(`it begins with 0x${bytes[start]?.toString(16)}`)
  return contentOf(bytes, start + 1, bytes.length, content)
}
