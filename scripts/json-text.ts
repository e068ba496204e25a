import { isJsonObject, type Json } from '../src/model/json.ts'

const lineWidth = 110

/** JSON as a person would write it: what fits on a line stands on one line. Ends with a line break. */
export function jsonText(value: Json | object): string {
  // An object of a declared type has no index signature, but is JSON all the same.
  return `${printed(value as Json, '', 0)}\n`
}

/** `taken`: characters of the first line before the value. */
function printed(value: Json, indent: string, taken: number): string {
  const flat = onOneLine(value)
  // One more for a comma that may follow.
  if (taken + flat.length + 1 <= lineWidth) return flat
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    return block(
      '[',
      value.map((item) => inner + printed(item, inner, inner.length)),
      `${indent}]`,
    )
  }
  if (!isJsonObject(value)) return flat
  const members = Object.entries(value).map(([key, member]) => {
    const start = `${inner}${JSON.stringify(key)}: `
    return start + printed(member ?? null, inner, start.length)
  })
  return block('{', members, `${indent}}`)
}

function block(open: string, lines: readonly string[], close: string): string {
  return `${open}\n${lines.join(',\n')}\n${close}`
}

function onOneLine(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`
  if (!isJsonObject(value)) return JSON.stringify(value)
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(key)}: ${onOneLine(member ?? null)}`,
  )
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}
