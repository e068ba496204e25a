import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { completeListing, type Listing } from '../../model/listing.ts'
import { Unreadable } from '../../model/unreadable.ts'
import { type FileIdentity, identityOf, requireUnchanged } from '../files/file.ts'
import { RowIndex } from '../files/row-index.ts'
import { ConnectorError } from '../kit/errors.ts'
import { type Columns, faultOf, isBlank, tableOf, uidOf } from './columns.ts'
import { canReadByRow, isDecodingError, undecodable } from './file.ts'
import type { Malformed, Row } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'

/**
 * What is known about one state of the file. An error of a row is only that row's: its id, as far as it is known, is among
 * `faults`. Where an id is not known for certain, the listing is not complete.
 */
export interface Snapshot {
  readonly identity: FileIdentity
  readonly columns: Columns
  readonly index: RowIndex
  /** By id. They take precedence over the index. */
  readonly faults: ReadonlyMap<string, Fault>
  readonly listing: Listing
  /** Some row has bytes that are not of the encoding. */
  readonly byRow: boolean
  /** Why the rest of the file was not read: then nothing can be written. */
  readonly broken: Malformed | undefined
  /** The last line has no line break, so a row after it needs one first. */
  readonly endsOpen: boolean
}

export interface Fault extends Malformed {
  /** Of the text of its row. */
  readonly checksum: number
}

export async function readSnapshot(
  handle: FileHandle,
  settings: CsvSettings,
  signal?: AbortSignal,
): Promise<Snapshot> {
  try {
    return await read(handle, settings, { signal, byRow: false })
  } catch (error) {
    if (!isDecodingError(error)) throw error
    if (!canReadByRow(settings)) throw await undecodable(handle, settings)
    return await read(handle, settings, { signal, byRow: true })
  }
}

async function read(
  handle: FileHandle,
  settings: CsvSettings,
  options: { readonly signal: AbortSignal | undefined; readonly byRow: boolean },
): Promise<Snapshot> {
  const identity = await identityOf(handle)
  const index = new RowIndex()
  const { columns, rows } = await tableOf(handle, settings, options)
  const damage = new Damage(columns, index)
  let next = await rows.next()
  for (; !next.done; next = await rows.next()) {
    for (const row of next.value) {
      const uid = uidOf(row, columns)
      if (uid === undefined) damage.take(row)
      else if (!index.add(uid, row) || damage.has(uid)) damage.repeat(uid, row)
    }
  }
  const broken = next.value
  if (broken) damage.stop(broken)
  await damage.findFirst(handle, settings, options)
  await requireUnchanged(handle, identity, settings.file)
  const endsOpen = !(await endsWithLineBreak(handle, Number(identity.size)))
  const { faults, listing } = damage.of(settings)
  return { identity, columns, index, faults, listing, byRow: options.byRow, broken, endsOpen }
}

/** Collects what is wrong with a file while it is read. */
class Damage {
  readonly #columns: Columns
  readonly #index: RowIndex
  readonly #faults = new Map<string, Fault>()
  /** Ids that several rows have, and the last of these. */
  readonly #repeated = new Map<string, Row>()
  /** What keeps the listing from being complete. */
  readonly #doubts: Malformed[] = []
  #doubtCount = 0
  #isPartial = false

  constructor(columns: Columns, index: RowIndex) {
    this.#columns = columns
    this.#index = index
  }

  has(uid: string): boolean {
    return this.#faults.has(uid)
  }

  take(row: Row): void {
    if (isBlank(row)) return
    const { fact, id, isCertain } = faultOf(row, this.#columns)
    const { line } = row
    if (!isCertain || id === undefined) this.#doubt({ line, fact })
    if (id === undefined) this.#isPartial = true
    else if (this.#index.has(id) || this.has(id)) this.repeat(id, row)
    else this.#faults.set(id, { line, fact, checksum: crc32(row.text) })
  }

  repeat(uid: string, row: Row): void {
    this.#repeated.set(uid, row)
    const fact = `the id "${uid}" is that of an earlier row, too`
    this.#faults.set(uid, { line: row.line, fact, checksum: crc32(row.text) })
  }

  stop({ line, fact }: Malformed): void {
    this.#isPartial = true
    this.#doubt({ line, fact: `${fact}; the rest of the file was not read` })
  }

  /** Where the first row of each repeated id is; reads the file once more. */
  async findFirst(
    handle: FileHandle,
    settings: CsvSettings,
    options: { readonly signal: AbortSignal | undefined; readonly byRow: boolean },
  ): Promise<void> {
    if (this.#repeated.size === 0) return
    const { rows } = await tableOf(handle, settings, options)
    const missing = new Map(this.#repeated)
    for await (const some of rows) {
      for (const { fields, line: first } of some) {
        const uid = fields[this.#columns.uid] ?? ''
        const row = missing.get(uid)
        if (!row || !missing.delete(uid)) continue
        const fact = `the id "${uid}" is also that of the row in line ${first}`
        this.#faults.set(uid, { line: row.line, fact, checksum: crc32(row.text) })
        this.#doubt({ line: row.line, fact })
      }
    }
  }

  of({ file }: CsvSettings): Pick<Snapshot, 'faults' | 'listing'> {
    const [first] = this.#doubts
    if (!first) return { faults: this.#faults, listing: completeListing }
    const more = this.#doubtCount > 1 ? `, and ${this.#doubtCount - 1} more like this` : ''
    const reason = `${file}, line ${first.line}: ${first.fact}${more}`
    return { faults: this.#faults, listing: { state: this.#isPartial ? 'partial' : 'suspect', reason } }
  }

  #doubt(one: Malformed): void {
    this.#doubtCount++
    if (this.#doubts.length === 0) this.#doubts.push(one)
  }
}

/** What stands in the place of a row with an error. */
export function unreadableRow(id: string, { line, fact }: Malformed, { file }: CsvSettings): Unreadable {
  return new Unreadable(id, rowError(line, fact, file))
}

export function rowError(line: number, fact: string, file: string): ConnectorError {
  return new ConnectorError('unreadable', `${file}, line ${line}: ${fact}`, { detail: { file, line } })
}

/** The row of an id has an error, or might be one whose id cannot be read; undefined: there is no such row. */
export function missingRow(id: string, snapshot: Snapshot, settings: CsvSettings): Unreadable | undefined {
  const fault = snapshot.faults.get(id)
  if (fault) return unreadableRow(id, fault, settings)
  if (snapshot.listing.state !== 'partial') return undefined
  const fact = `no row that can be read has the id "${id}", and not all can be read`
  const { file } = settings
  const problem = new ConnectorError('unreadable', `${file}: ${fact}. ${snapshot.listing.reason}`, {
    detail: { file },
  })
  return new Unreadable(id, problem)
}

/** Throws the first error of the file. */
export function requireWhole({ faults, listing }: Snapshot, { file }: CsvSettings): void {
  if (listing.state !== 'complete') throw new ConnectorError('unreadable', listing.reason)
  for (const { line, fact } of faults.values()) throw rowError(line, fact, file)
}

async function endsWithLineBreak(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a || buffer[0] === 0x0d
}
