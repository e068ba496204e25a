import { escapeDnValue } from '../../model/entry-name.ts'

/**
 * Names of entries (RFC 4514). Two spellings of one name differ in case, blanks and escapes; they are compared as
 * structures, never as texts.
 */
export type Dn = readonly Rdn[]

/** Usually one; several are joined by `+`. */
export type Rdn = readonly { readonly type: string; readonly value: string }[]

/** Undefined: the text is no name. The empty text is the name of the root. */
export function parseDn(text: string): Dn | undefined {
  if (text.trim() === '') return []
  const rdns: Rdn[] = []
  for (const part of separated(text, /[,;]/)) {
    const rdn = separated(part, /\+/).map(assertion)
    if (!rdn.every((one) => one !== undefined)) return undefined
    rdns.push(rdn)
  }
  return rdns
}

/** The name as text. Special characters are written as hexadecimal pairs, which no parser can mistake. */
export function printDn(dn: Dn): string {
  return dn.map(printRdn).join(',')
}

export function printRdn(rdn: Rdn): string {
  return rdn.map(({ type, value }) => `${type}=${escapeDnValue(value)}`).join('+')
}

export function sameDn(one: Dn, other: Dn): boolean {
  return keyOf(one) === keyOf(other)
}

/** Equal names have equal keys. */
export function keyOf(dn: Dn): string {
  const keys = dn.map((rdn) =>
    rdn
      .map(
        ({ type, value }) =>
          `${type.toLowerCase()}=${escapeDnValue(value.toLowerCase().replace(/ +/g, ' ').trim())}`,
      )
      .toSorted()
      .join('+'),
  )
  return keys.join(',')
}

/** Is the entry the base itself, or below it? */
export function contains(base: Dn, entry: Dn): boolean {
  return entry.length >= base.length && sameDn(entry.slice(entry.length - base.length), base)
}

/** The parts above the first one, as they are spelled. */
export function escapedParent(text: string): readonly string[] {
  return separated(text, /[,;]/)
    .slice(1)
    .map((part) => part.trim())
}

/** Splits at separators that are neither escaped nor quoted. */
function separated(text: string, separator: RegExp): readonly string[] {
  if (!/[\\"]/.test(text)) return text.split(separator)
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === '"') quoted = !quoted
    else if (!quoted && separator.test(character)) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

function assertion(text: string): Rdn[number] | undefined {
  const [, type, raw] = /^\s*([A-Za-z][A-Za-z0-9-]*|(?:OID\.)?\d+(?:\.\d+)*)\s*=(.*)$/s.exec(text) ?? []
  if (type === undefined || raw === undefined) return undefined
  const value = unescaped(raw)
  return value === undefined ? undefined : { type, value }
}

function unescaped(raw: string): string | undefined {
  if (!/[\\" ]/.test(raw)) return raw
  // A blank at the end that is escaped belongs to the value.
  const text = raw.replace(/^ +/, '').replace(/((?:^|[^\\])(?:\\\\)*(?:\\ )?) *$/, '$1')
  const inner = /^"(.*)"$/s.exec(text)?.[1] ?? text
  const bytes: Buffer[] = []
  for (const [part] of inner.matchAll(/(?:\\[0-9A-Fa-f]{2})+|\\[^0-9A-Fa-f]|[^\\]+/gs)) {
    if (!part.startsWith('\\')) bytes.push(Buffer.from(part))
    else if (/^\\[0-9A-Fa-f]{2}/.test(part)) bytes.push(Buffer.from(part.replaceAll('\\', ''), 'hex'))
    else bytes.push(Buffer.from(part.slice(1)))
  }
  return inner !== '' && bytes.length === 0 ? undefined : Buffer.concat(bytes).toString()
}
