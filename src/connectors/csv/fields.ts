import type { Dialect } from './settings.ts'

/**
 * Quoted fields as text, both ways. Within quotes a quote is doubled, or has an escape character before it. Escape
 * characters that are not directly before a quote are plain text, so `C:\new` and `\\server` stay unchanged;
 * of a run before a quote each pair stands for one. What is rendered is read back as the same value.
 */

/** The text between the quotes of a field, without doubling and escapes. */
export function unquote(raw: string, { quote, escaper }: Dialect): string {
  let result = ''
  let from = 0
  for (let at = raw.indexOf(quote); at >= 0; at = raw.indexOf(quote, from)) {
    const run = escapesBefore(raw, at, from, escaper)
    result += raw.slice(from, at - Math.ceil(run / 2)) + quote
    from = run % 2 === 1 ? at + 1 : at + 2
  }
  const run = escapesBefore(raw, raw.length, from, escaper)
  return result + raw.slice(from, raw.length - run / 2)
}

/** How many escape characters stand directly before `at`, back to `from`. */
export function escapesBefore(text: string, at: number, from: number, escaper: string | undefined): number {
  if (escaper === undefined) return 0
  let start = at
  while (start > from && text[start - 1] === escaper) start--
  return at - start
}

/** A row with all its fields quoted, without line break. */
export function renderRow(fields: readonly string[], dialect: Dialect): string {
  return fields.map((field) => quoted(field, dialect)).join(dialect.delimiter)
}

function quoted(value: string, { quote, escaper }: Dialect): string {
  const plain = !value.includes(quote) && (escaper === undefined || !value.endsWith(escaper))
  if (plain) return quote + value + quote
  let result = quote
  let from = 0
  for (let at = value.indexOf(quote); at >= 0; at = value.indexOf(quote, from)) {
    result +=
      value.slice(from, at) + (escaper ?? '').repeat(escapesBefore(value, at, from, escaper)) + quote + quote
    from = at + 1
  }
  const run = escapesBefore(value, value.length, from, escaper)
  return result + value.slice(from) + (escaper ?? '').repeat(run) + quote
}
