/**
 * Expands `&{name}` in configuration (platform §3.2). Pure: the properties and files it needs are
 * functions among the arguments. Guarantees: a value without placeholders stays equal; a value that is exactly
 * one placeholder takes the property's value with its type; what cannot be expanded stays literally and is
 * reported with its place, except inside objects that are switched off by `enabled: false`.
 */

import type { Finding, Place } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { coerce, coercionOf } from './coerce.ts'
import { outsideRoots } from './file-roots.ts'
import type { PropertyLookup } from './properties.ts'

export interface SubstitutionSources {
  readonly property: PropertyLookup
  /** The text of a file for `$inline`; undefined if it cannot be read. */
  readonly readText: (path: string) => string | undefined
  /** Whether the configuration may name this file. */
  readonly isAllowed: (path: string) => boolean
}

export function substitute(value: Json, sources: SubstitutionSources) {
  const failures: Finding[] = []
  return { value: expandValue(value, [], { ...sources, failures }), failures }
}

interface Expansion extends SubstitutionSources {
  readonly failures: Finding[]
}

function expandValue(value: Json, place: Place, expansion: Expansion): Json {
  if (typeof value === 'string')
    return expandText(value, [], (message) => expansion.failures.push({ place, message }), expansion.property)
  if (Array.isArray(value)) return value.map((item, index) => expandValue(item, [...place, index], expansion))
  if (!isJsonObject(value)) return value
  const coercion = coercionOf(value)
  return coercion ? expandCoercion(coercion, place, expansion) : expandObject(value, place, expansion)
}

function expandObject(value: JsonObject, place: Place, expansion: Expansion): JsonObject {
  const failures: Finding[] = []
  const inner = { ...expansion, failures }
  const expanded: JsonObject = Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, expandValue(member ?? null, [...place, key], inner)]),
  )
  if (!isSwitchedOff(expanded)) expansion.failures.push(...failures)
  return expanded
}

/** A property is text; the schema turns it into a boolean only later. */
function isSwitchedOff({ enabled }: JsonObject): boolean {
  return enabled === false || enabled === 'false'
}

function expandCoercion(
  { name, operand }: { readonly name: string; readonly operand: Json },
  place: Place,
  expansion: Expansion,
): Json {
  const failures: Finding[] = []
  const text = expandValue(operand, [...place, name], { ...expansion, failures })
  expansion.failures.push(...failures)
  if (failures.length > 0) return { [name]: text }
  if (name === '$inline') return inline(text, place, expansion)
  const coerced = coerce(name, text)
  if (coerced.ok) return coerced.value
  // The value may be a secret from the environment: only what was written in the file is shown.
  expansion.failures.push({
    place,
    message: `${name} needs ${coerced.expected}, but ${JSON.stringify(operand)} is not`,
  })
  return { [name]: text }
}

function inline(path: Json, place: Place, expansion: Expansion): Json {
  const text = typeof path === 'string' ? expansion.readText(path) : undefined
  if (text !== undefined) return text
  const outside = typeof path === 'string' && !expansion.isAllowed(path)
  const message = `$inline cannot read the file ${JSON.stringify(path)}`
  expansion.failures.push({ place, message: outside ? `${message}: ${outsideRoots}` : message })
  return { $inline: path }
}

type Report = (message: string) => void

/** `within`: the properties being expanded, outermost first. A property found there refers to itself. */
function expandText(text: string, within: readonly string[], report: Report, property: PropertyLookup): Json {
  let result = ''
  let from = 0
  for (let start = text.indexOf('&{'); start >= 0; start = text.indexOf('&{', from)) {
    const end = closingBrace(text, start + 2)
    if (end < 0) break
    const value = expandPlaceholder(text.slice(start + 2, end), within, report, property)
    if (start === 0 && end === text.length - 1) return value
    result += text.slice(from, start) + asText(value)
    from = end + 1
  }
  return result + text.slice(from)
}

function expandPlaceholder(
  inner: string,
  within: readonly string[],
  report: Report,
  property: PropertyLookup,
): Json {
  const bar = topLevelBar(inner)
  const name = asText(expandText(bar < 0 ? inner : inner.slice(0, bar), within, report, property))
  if (within.includes(name)) {
    report(`the property ${name} refers to itself: ${[...within, name].join(' → ')}`)
    return `&{${inner}}`
  }
  const value = property(name)
  if (typeof value === 'string') return expandText(value, [...within, name], report, property)
  if (value !== undefined) return value
  if (bar >= 0) return expandText(inner.slice(bar + 1), within, report, property)
  // A name that still holds a placeholder has been reported by the inner expansion.
  if (!name.includes('&{'))
    report(
      `the property ${name} is not defined; set it in the environment, in conf/boot/boot.properties or ` +
        `by a flag, or give a default: &{${name}|default}`,
    )
  return `&{${inner}}`
}

/** The brace that closes a placeholder; plain braces within (a JSON default) must balance. -1 if there is none. */
function closingBrace(text: string, from: number): number {
  let depth = 1
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++
    if (text[i] === '}' && --depth === 0) return i
  }
  return -1
}

function topLevelBar(inner: string): number {
  let depth = 0
  for (let i = 0; i < inner.length; i++) {
    if (inner[i] === '{') depth++
    else if (inner[i] === '}') depth--
    else if (inner[i] === '|' && depth === 0) return i
  }
  return -1
}

function asText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
