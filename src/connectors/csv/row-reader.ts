import { escapesBefore, unquote } from './fields.ts'
import type { Dialect } from './settings.ts'

/**
 * Takes the text of a file in pieces and gives its rows, each with its values trimmed, the line it begins on and the
 * bytes it spans. One reader serves reading and writing, so both see the same rows at the same places.
 *
 * Rows end with `\n`, `\r\n` or `\r`; lines without any content are not rows. Memory holds one piece and one row.
 *
 * An error within one line is that of its row; the next row begins on the next line. Where a row of several lines has an
 * error, nobody knows where it ends: reading stops, and `broken` says why.
 */
export interface Row {
  readonly fields: readonly string[]
  /** As in the file, without its line break. */
  readonly text: string
  readonly line: number
  /** Byte offsets of the text. */
  readonly start: number
  readonly end: number
  /** Bytes of the line break after it; 0 where the file ends without one. */
  readonly terminator: number
  /** Why it cannot be read; then `fields` are those before the error. */
  readonly fault: string | undefined
}

/** An error in the CSV text; the caller adds the name of the file. */
export interface Malformed {
  readonly line: number
  readonly fact: string
}

/** A longer row is an unclosed quote; without a limit it would swallow the rest of the file. */
const longestRow = 16 * 1024 * 1024

export class RowReader {
  readonly #dialect: Dialect
  readonly #singleByte: boolean
  #text = ''
  #position = 0
  #line = 1
  #offset: number
  /** True if a character of #text may take more than one byte. */
  #wide = false
  #final = false
  #broken: Malformed | undefined
  /** The next \n, \r and quote at or after #position; Infinity if there is none in #text. */
  #lineFeed = 0
  #carriageReturn = 0
  #quote = 0

  /** `offset`: bytes before the first character (a byte order mark). */
  constructor(dialect: Dialect, singleByte: boolean, offset: number) {
    this.#dialect = dialect
    this.#singleByte = singleByte
    this.#offset = offset
  }

  /** Why nothing is read from this line on. */
  get broken(): Malformed | undefined {
    return this.#broken
  }

  /** Adds a piece and gives the rows that are complete with it. `ascii`: its bytes are ASCII only. */
  push(piece: string, ascii: boolean): Row[] {
    const rest = this.#text.slice(this.#position)
    this.#wide = !this.#singleByte && ((rest !== '' && this.#wide) || !ascii)
    this.#text = rest + piece
    this.#position = 0
    this.#lineFeed = this.#carriageReturn = this.#quote = -1
    const rows = this.#rows()
    if (this.#text.length - this.#position > longestRow) {
      const fact = `the row is longer than ${longestRow} characters; is a quote not closed?`
      this.#broken ??= { line: this.#line, fact }
    }
    return rows
  }

  /** The last row, if the file does not end with a line break. */
  end(): Row[] {
    this.#final = true
    this.#lineFeed = this.#carriageReturn = this.#quote = -1
    return this.#rows()
  }

  #rows(): Row[] {
    const rows: Row[] = []
    while (this.#position < this.#text.length && !this.#broken) {
      const scanned = this.#scan()
      if (scanned === undefined) break
      const row = this.#take(scanned)
      if (row) rows.push(row)
    }
    return rows
  }

  /** The fields from #position on and where their row ends; undefined if that is not known yet. */
  #scan(): Scanned | undefined {
    const end = this.#lineEnd(this.#position)
    this.#quote = this.#seek(this.#dialect.quote, this.#quote, this.#position)
    if (this.#quote < end) return this.#scanQuoted()
    if (end === Number.POSITIVE_INFINITY && !this.#final) return undefined
    const stop = Math.min(end, this.#text.length)
    const fields = this.#text.slice(this.#position, stop).split(this.#dialect.delimiter)
    for (let i = 0; i < fields.length; i++) fields[i] = (fields[i] ?? '').trim()
    return { fields, stop, quoted: false, fault: undefined }
  }

  #scanQuoted(): Scanned | undefined {
    const { quote, delimiter } = this.#dialect
    const fields: string[] = []
    for (let at = this.#position; ; at++) {
      const start = this.#skipBlanks(at)
      const field = this.#text[start] === quote ? this.#quotedField(start) : this.#plainField(at)
      if (field === undefined) return undefined
      at = field.stop
      const { fault } = field
      if (fault === undefined) fields.push(field.value)
      if (fault !== undefined || this.#text[at] !== delimiter)
        return { fields, stop: at, quoted: true, fault }
    }
  }

  #plainField(from: number): Field | undefined {
    const end = this.#lineEnd(from)
    const delimiter = this.#text.indexOf(this.#dialect.delimiter, from)
    const stop = delimiter >= 0 && delimiter < end ? delimiter : end
    if (stop === Number.POSITIVE_INFINITY && !this.#final) return undefined
    const value = this.#text.slice(from, stop).trim()
    return { value, stop: Math.min(stop, this.#text.length), fault: undefined }
  }

  #quotedField(start: number): Field | undefined {
    const close = this.#closingQuote(start)
    if (close === undefined) {
      if (!this.#final) return undefined
      return this.#stopped(this.#lineOf(start), 'a quote is opened here and never closed')
    }
    const stop = this.#skipBlanks(close + 1)
    const next = this.#text[stop]
    if (!this.#final && (next === undefined || this.#isHalfBreak(stop))) return undefined
    if (next !== undefined && next !== this.#dialect.delimiter && next !== '\n' && next !== '\r') {
      const fact = `after a closing quote stands ${JSON.stringify(next)} instead of "${this.#dialect.delimiter}"`
      if (this.#lineOf(close) > this.#line) return this.#stopped(this.#lineOf(close), fact)
      const end = this.#lineEnd(stop)
      if (end === Number.POSITIVE_INFINITY && !this.#final) return undefined
      return { value: '', stop: Math.min(end, this.#text.length), fault: fact }
    }
    const raw = this.#text.slice(start + 1, close)
    const special = raw.includes(this.#dialect.quote) || this.#text[close - 1] === this.#dialect.escaper
    return { value: (special ? unquote(raw, this.#dialect) : raw).trim(), stop, fault: undefined }
  }

  #stopped(line: number, fact: string): undefined {
    this.#broken = { line, fact }
  }

  #closingQuote(start: number): number | undefined {
    const { quote, escaper } = this.#dialect
    for (let from = start + 1; ; ) {
      const at = this.#text.indexOf(quote, from)
      if (at < 0) return undefined
      const escaped = escapesBefore(this.#text, at, from, escaper) % 2 === 1
      if (!escaped && at + 1 >= this.#text.length && !this.#final) return undefined
      if (!escaped && this.#text[at + 1] !== quote) return at
      from = escaped ? at + 1 : at + 2
    }
  }

  /** Moves past the row and its line break; undefined for a line without content. */
  #take({ fields, stop, quoted, fault }: Scanned): Row | undefined {
    const next = this.#afterLineBreak(stop)
    const text = this.#text.slice(this.#position, stop)
    const line = this.#line
    const start = this.#offset
    const end = start + (this.#wide ? Buffer.byteLength(text) : text.length)
    const terminator = next - stop
    this.#line += quoted ? lineBreaks(this.#text.slice(this.#position, next)) : 1
    this.#position = next
    this.#offset = end + terminator
    if (!quoted && fields.length === 1 && fields[0] === '') return undefined
    return { fields, text, line, start, end, terminator, fault }
  }

  #afterLineBreak(stop: number): number {
    if (stop >= this.#text.length) return stop
    return this.#text[stop] === '\r' && this.#text[stop + 1] === '\n' ? stop + 2 : stop + 1
  }

  /** Where the line ends; Infinity if that is beyond #text. A \r at its very end may be half of a \r\n. */
  #lineEnd(from: number): number {
    this.#lineFeed = this.#seek('\n', this.#lineFeed, from)
    this.#carriageReturn = this.#seek('\r', this.#carriageReturn, from)
    const end = Math.min(this.#lineFeed, this.#carriageReturn)
    return this.#isHalfBreak(end) && !this.#final ? Number.POSITIVE_INFINITY : end
  }

  #isHalfBreak(at: number): boolean {
    return at === this.#text.length - 1 && this.#text[at] === '\r'
  }

  #seek(character: string, known: number, from: number): number {
    if (known >= from) return known
    const found = this.#text.indexOf(character, from)
    return found < 0 ? Number.POSITIVE_INFINITY : found
  }

  #skipBlanks(from: number): number {
    let at = from
    while ((this.#text[at] === ' ' || this.#text[at] === '\t') && this.#text[at] !== this.#dialect.delimiter)
      at++
    return at
  }

  #lineOf(position: number): number {
    return this.#line + lineBreaks(this.#text.slice(this.#position, position))
  }
}

interface Scanned {
  readonly fields: readonly string[]
  readonly stop: number
  readonly quoted: boolean
  readonly fault: string | undefined
}

interface Field {
  readonly value: string
  readonly stop: number
  readonly fault: string | undefined
}

function lineBreaks(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i)
    if (character === 10 || (character === 13 && text.charCodeAt(i + 1) !== 10)) count++
  }
  return count
}
