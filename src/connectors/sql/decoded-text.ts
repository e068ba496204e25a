/** A change of a row, as the plugin `test_decoding` of PostgreSQL writes it down. */
export type DecodedRow =
  | { readonly kind: 'written'; readonly key: string; readonly before: string | undefined }
  | { readonly kind: 'deleted'; readonly key: string }
  /** All rows of the table at once, without saying which. */
  | { readonly kind: 'truncated' }

/**
 * The key of the row that a line tells of: `table public.people: UPDATE: old-key: id[text]:'a' new-tuple: id[text]:'b' n[integer]:5`.
 * Undefined for a line that has no such column.
 */
export function decodedRow(line: string, keyColumn: string): DecodedRow | undefined {
  const [, operation = '', tuple = ''] =
    /^table (?:"(?:[^"]|"")*"|[^":])*: (INSERT|UPDATE|DELETE|TRUNCATE): (.*)$/s.exec(line) ?? []
  if (operation === 'TRUNCATE') return { kind: 'truncated' }
  const columns = columnsOf(tuple)
  const values = columns.filter(({ name }) => name === keyColumn)
  const last = values.at(-1)?.value
  if (last === undefined) return undefined
  if (operation === 'DELETE') return { kind: 'deleted', key: last }
  // With the old key there are two tuples, each with a key.
  const before = tuple.startsWith('old-key: ') ? values[0]?.value : undefined
  return { kind: 'written', key: last, before: before === last ? undefined : before }
}

/** Names may be quoted, types may have brackets, and texts blanks and doubled quotes. */
const columnPattern = /("(?:[^"]|"")*"|[^[ ]+)\[[^:]*?\]:(?:B?'((?:[^']|'')*)'|([^ ]*))(?: |$)/gsy

function columnsOf(tuple: string): readonly { readonly name: string; readonly value: string | undefined }[] {
  const found = []
  const pattern = new RegExp(columnPattern)
  const marker = /(?:old-key: |new-tuple: )/y
  for (let at = 0; at < tuple.length; ) {
    marker.lastIndex = at
    if (marker.test(tuple)) at = marker.lastIndex
    pattern.lastIndex = at
    const match = pattern.exec(tuple)
    if (!match) break
    const [, name = '', text, bare] = match
    found.push({
      name: plainName(name),
      value: text?.replaceAll("''", "'") ?? (bare === 'null' ? undefined : bare),
    })
    at = pattern.lastIndex
  }
  return found
}

function plainName(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}
