import { crc32 } from 'node:zlib'
import { compareText } from '../../model/sort.ts'
import type { Edit } from './replace.ts'

/**
 * Where each row of a file, or each object of a document, is: uid → bytes, and a checksum by which a later read detects whether another program changed
 * it. Rows have slots in the order of the file. The slot of a deleted row has no place, so edits never find or move
 * it; when there are many, they are removed. About 100 bytes a row.
 */
export interface RowRange {
  readonly start: number
  readonly end: number
  readonly terminator: number
}

/** The start of a deleted row: not a number, so it is neither before nor after any place. */
const nowhere = Number.NaN
/** So many slots of deleted rows, beyond the number of rows, are tolerated before a pass over all. */
const toleratedGaps = 1024

export class RowIndex {
  readonly #slots = new Map<string, number>()
  #starts = new Float64Array(1024)
  #ends = new Float64Array(1024)
  #checksums = new Uint32Array(1024)
  #terminators = new Uint8Array(1024)
  #used = 0
  /** All uids in order; absent until first needed, and again after a change. */
  #ordered: readonly string[] | undefined

  get size(): number {
    return this.#slots.size
  }

  /** The present capacity in rows, deleted ones included. */
  get capacity(): number {
    return this.#starts.length
  }

  has(uid: string): boolean {
    return this.#slots.has(uid)
  }

  /** Adds a row after all others; false if one with this uid exists. */
  add(uid: string, { start, end, terminator, text }: RowRange & { readonly text: string }): boolean {
    if (this.#slots.has(uid)) return false
    this.#ordered = undefined
    const slot = this.#used++
    if (slot === this.#starts.length) this.#grow()
    this.#slots.set(detached(uid), slot)
    this.#put(slot, start, end, terminator, text)
    return true
  }

  /** All uids by code point. Sorted on demand, once for each version of the file. */
  ordered(): readonly string[] {
    this.#ordered ??= [...this.#slots.keys()].sort(compareText)
    return this.#ordered
  }

  range(uid: string): RowRange | undefined {
    const slot = this.#slots.get(uid)
    if (slot === undefined) return undefined
    return {
      start: this.#starts[slot] ?? nowhere,
      end: this.#ends[slot] ?? nowhere,
      terminator: this.#terminators[slot] ?? nowhere,
    }
  }

  checksum(uid: string): number | undefined {
    const slot = this.#slots.get(uid)
    return slot === undefined ? undefined : this.#checksums[slot]
  }

  /**
   * Follows a change of the file: `edits` in the order of the file moved its bytes; then the rows of `changed` went
   * (no `text`), or have a new text and perhaps a new uid. Rows behind the old end are added by the caller.
   */
  follow(edits: readonly Edit[], changed: readonly ChangedRow[]): void {
    this.#move(edits)
    if (changed.some(({ uid, after }) => uid !== after?.uid)) this.#ordered = undefined
    // Remove all old names before adding new ones: two rows may have swapped names.
    const slots = changed.map(({ uid }) => this.#slots.get(uid) ?? nowhere)
    for (const { uid } of changed) this.#slots.delete(uid)
    changed.forEach(({ after }, position) => {
      const slot = slots[position] ?? nowhere
      if (after === undefined) {
        this.#starts[slot] = nowhere
        return
      }
      this.#slots.set(detached(after.uid), slot)
      this.#checksums[slot] = crc32(after.text)
    })
    if (this.#used > 2 * this.#slots.size + toleratedGaps) this.#closeUp()
  }

  /** The last row now has a line break. */
  terminateLast(length: number): void {
    for (let slot = 0; slot < this.#used; slot++) this.#terminators[slot] ||= length
  }

  /** Shifts the rows behind each edit; a row that an edit covers takes the length of its new bytes. */
  #move(edits: readonly Edit[]): void {
    let shift = 0
    let next = 0
    for (let slot = 0; slot < this.#used; slot++) {
      const start = this.#starts[slot] ?? nowhere
      for (let edit = edits[next]; edit && edit.end <= start; edit = edits[++next]) shift += growth(edit)
      const edit = edits[next]
      const covered = edit !== undefined && edit.start === start
      this.#starts[slot] = start + shift
      this.#ends[slot] = covered ? start + shift + edit.bytes.length : (this.#ends[slot] ?? nowhere) + shift
    }
  }

  /** Drops the slots of deleted rows; the others keep their order. */
  #closeUp(): void {
    const moved = new Uint32Array(this.#used)
    let used = 0
    for (let slot = 0; slot < this.#used; slot++) {
      if (Number.isNaN(this.#starts[slot])) continue
      moved[slot] = used
      this.#starts[used] = this.#starts[slot] ?? nowhere
      this.#ends[used] = this.#ends[slot] ?? nowhere
      this.#checksums[used] = this.#checksums[slot] ?? nowhere
      this.#terminators[used] = this.#terminators[slot] ?? nowhere
      used++
    }
    for (const [uid, slot] of this.#slots) this.#slots.set(uid, moved[slot] ?? 0)
    this.#used = used
  }

  #put(slot: number, start: number, end: number, terminator: number, text: string): void {
    this.#starts[slot] = start
    this.#ends[slot] = end
    this.#terminators[slot] = terminator
    this.#checksums[slot] = crc32(text)
  }

  #grow(): void {
    const length = this.#starts.length * 2
    this.#starts = extended(this.#starts, new Float64Array(length))
    this.#ends = extended(this.#ends, new Float64Array(length))
    this.#checksums = extended(this.#checksums, new Uint32Array(length))
    this.#terminators = extended(this.#terminators, new Uint8Array(length))
  }
}

export interface ChangedRow {
  readonly uid: string
  readonly after: { readonly uid: string; readonly text: string } | undefined
}

function growth({ start, end, bytes }: Edit): number {
  return bytes.length - (end - start)
}

function extended<T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}

/** A part of a long string keeps all of it in memory; a copy does not. Up to 12 characters are copied anyway. */
function detached(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf8').toString('utf8')
}
