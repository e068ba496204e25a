import { hashColumn, rowHash } from './csv.ts'

export interface CsvVerdict {
  readonly rows: number
  /** The hash of the last row; empty if there is none. */
  readonly last: string
  /** The first line of the first wrong row, and why it is wrong. */
  readonly broken: { readonly line: number; readonly why: string } | undefined
}

/**
 * Checks the hashes of a CSV file (csv.ts), from the header on. `undefined` if the file has none. Rows are hashed as
 * text: the quoting of fields does not matter, only where rows end.
 */
export function verifyCsv(text: string, key: Buffer, quote = '"'): CsvVerdict | undefined {
  const newline = /^[^\r\n]*(\r\n|\n|\r)/.exec(text)?.[1] ?? '\n'
  const records = recordsOf(text, newline, quote)
  const header = records.next().value?.text
  if (header === undefined || !header.endsWith(hashColumn)) return undefined
  let before = header
  let rows = 0
  for (const { text: record, line, complete } of records) {
    const delimiter = header.at(-hashColumn.length - 1) ?? ','
    const at = record.lastIndexOf(delimiter)
    const hash = record.slice(at + 1)
    const fault = !complete
      ? 'the row is not complete'
      : hash !== rowHash(key, before, record.slice(0, at))
        ? 'the row was changed, or rows before it were removed or put in'
        : undefined
    if (fault) return { rows, last: rows === 0 ? '' : before, broken: { line, why: fault } }
    before = hash
    rows++
  }
  return { rows, last: rows === 0 ? '' : before, broken: undefined }
}

/** Rows end at line ends outside quotes. A doubled quote toggles twice, so it changes nothing. */
function* recordsOf(text: string, newline: string, quote: string) {
  let start = 0
  let line = 1
  let begun = 1
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    if (text[at] === quote) isQuoted = !isQuoted
    if (!text.startsWith(newline, at)) continue
    line++
    if (!isQuoted) {
      yield { text: text.slice(start, at), line: begun, complete: true }
      start = at + newline.length
      begun = line
    }
    at += newline.length - 1
  }
  if (start < text.length) yield { text: text.slice(start), line: begun, complete: false }
}
