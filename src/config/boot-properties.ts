/**
 * `conf/boot/boot.properties`: the Java properties format (`key=value`, `key: value`, `key value`; `#` and `!`
 * comments; a backslash at the end continues a line; `\n`, `\t`, `\u00e9` and other escapes). All values are text;
 * of a repeated key the last value counts, as in Java.
 */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const [key, value] = splitEntry(line)
    properties.set(unescaped(key), unescaped(value))
  }
  return properties
}

function* logicalLines(text: string): Iterable<string> {
  let pending: string | undefined
  for (const natural of text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (pending === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const joined: string = (pending ?? '') + line
    if (endsInOddBackslashes(line)) {
      pending = joined.slice(0, -1)
      continue
    }
    pending = undefined
    yield joined
  }
  if (pending !== undefined && pending !== '') yield pending
}

function endsInOddBackslashes(line: string): boolean {
  const backslashes = /\\*$/.exec(line)?.[0].length ?? 0
  return backslashes % 2 === 1
}

/** The key ends at the first unescaped `=`, `:` or blank; one `=` or `:` with blanks around it separates. */
function splitEntry(line: string): readonly [key: string, value: string] {
  const key = /^(?:\\.|[^\\=: \t\f])*/.exec(line)?.[0] ?? ''
  const rest = line.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return [key, rest]
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' }

function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.))/g,
    (_, hex: string | undefined, char: string | undefined) =>
      hex === undefined ? (escapes[char ?? ''] ?? char ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
