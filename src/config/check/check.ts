/**
 * Checks a value against a schema and says what is wrong in words that help: the name that was probably meant, the
 * values that are allowed, the branch of a union that the author evidently meant. All findings, not the
 * first. Pure; the place in the file is added where the file is known (locate.ts).
 *
 * Unknown properties are allowed, since people write `"comment"`; one that looks like a known name is a warning.
 */

import type { Finding, Place } from '../../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { nearMiss, notAllowed } from '../../model/nearest.ts'
import { namesSecret } from '../../model/secrecy.ts'
import { formatFault } from './formats.ts'
import { rules } from './rules.ts'
import {
  type Definitions,
  hasType,
  type JsonSchema,
  resolveReference,
  typeOf,
  typesOf,
  wanted,
} from './schema.ts'

export interface Checked {
  readonly findings: readonly Finding[]
  /** Texts of placeholders that the schema wants as number or boolean, converted. */
  readonly conversions: readonly { readonly place: Place; readonly value: Json }[]
}

export interface CheckOptions {
  readonly definitions: Definitions
  /** The value as the file has it, before substitution: what messages may show. */
  readonly written?: (place: Place) => Json | undefined
}

export function check(schema: JsonSchema, value: Json, place: Place, options: CheckOptions): Checked {
  const run: Run = { ...options, findings: [], conversions: [] }
  checkValue(schema, value, place, run)
  return run
}

interface Run extends CheckOptions {
  readonly findings: Finding[]
  readonly conversions: { readonly place: Place; readonly value: Json }[]
}

function checkValue(reference: JsonSchema, value: Json, place: Place, run: Run): void {
  const schema = resolveReference(reference, run.definitions)
  // An encrypted value is unknown until it is decrypted (platform §3.3).
  if (isJsonObject(value) && isJsonObject(value.$crypto)) return
  if (schema.anyOf) checkUnion(schema, value, place, run)
  else if (acceptsType(schema, value, run.definitions)) checkTyped(schema, value, place, run)
  else checkMistyped(schema, value, place, run)
}

function checkTyped(schema: JsonSchema, value: Json, place: Place, run: Run): void {
  if (schema.enum) checkChoice(schema, value, place, run)
  if (typeof value === 'string') checkText(schema, value, place, run)
  if (typeof value === 'number') checkNumber(schema, value, place, run)
  if (Array.isArray(value)) checkArray(schema, value, place, run)
  if (isJsonObject(value)) checkObject(schema, value, place, run)
}

/** Of the branches that accept the type of the value, the one with the fewest errors is the one that was meant. */
function checkUnion(schema: JsonSchema, value: Json, place: Place, run: Run): void {
  const outcomes = (schema.anyOf ?? [])
    .filter((branch) => acceptsType(branch, value, run.definitions))
    .map((branch) => check(branch, value, place, run))
  const [first, ...others] = outcomes
  if (first) {
    const meant = others.reduce((best, next) => (errorCount(next) < errorCount(best) ? next : best), first)
    run.findings.push(...meant.findings)
    run.conversions.push(...meant.conversions)
  } else checkMistyped(schema, value, place, run)
}

function acceptsType(reference: JsonSchema, value: Json, definitions: Definitions): boolean {
  const schema = resolveReference(reference, definitions)
  if (schema.anyOf) return schema.anyOf.some((branch) => acceptsType(branch, value, definitions))
  const types = typesOf(schema)
  return types.length === 0 || types.some((type) => hasType(value, type))
}

function errorCount({ findings }: Checked): number {
  return findings.filter(({ severity }) => severity !== 'warning').length
}

function checkMistyped(schema: JsonSchema, value: Json, place: Place, run: Run): void {
  const [type] = typesOf(schema)
  const meant = typeof value === 'string' && type !== undefined ? readAs(type, value) : undefined
  const isTaken = meant !== undefined && (schema['x-lenient'] || isPlaceholder(run.written?.(place)))
  if (isTaken) {
    run.conversions.push({ place, value: meant })
    checkTyped(schema, meant, place, run)
  }
  if (isTaken && !schema['x-lenient']) return
  const found = show(value, schema, place, run)
  const remedy = meant === undefined ? '' : '; write it without quotes'
  const message = `expected ${wanted(schema, run.definitions)}, found ${found}${remedy}`
  run.findings.push({ place, message, found, ...(isTaken && { severity: 'warning' }) })
}

/** `"true"` as a boolean, `"10"` as a number: what a text in quotes was probably meant to be. */
function readAs(type: string, text: string): Json | undefined {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined
  if (type !== 'integer' && type !== 'number') return undefined
  const number = Number(text)
  return text.trim() !== '' && hasType(number, type) && Number.isFinite(number) ? number : undefined
}

function isPlaceholder(written: Json | undefined): boolean {
  return typeof written === 'string' && written.startsWith('&{') && written.endsWith('}')
}

function checkChoice(schema: JsonSchema, value: Json, place: Place, run: Run): void {
  const allowed = schema.enum ?? []
  const fold = (text: Json) =>
    schema['x-ignoreCase'] && typeof text === 'string' ? text.toUpperCase() : text
  if (allowed.some((candidate) => fold(candidate) === fold(value))) return
  const names = allowed.map((candidate) =>
    typeof candidate === 'string' ? candidate : JSON.stringify(candidate),
  )
  const found = show(value, schema, place, run)
  const noun = schema['x-noun'] ?? 'an allowed value'
  run.findings.push({
    ...notAllowed(`${found} is not ${noun}`, typeof value === 'string' ? value : '', names),
    place,
    found,
    ...(schema['x-lenient'] ? { severity: 'warning' } : {}),
  })
}

function checkText(schema: JsonSchema, value: string, place: Place, run: Run): void {
  const found = show(value, schema, place, run)
  if (value.length < (schema.minLength ?? 0)) {
    run.findings.push({ place, message: 'must not be empty', found })
  } else if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    const message = `${found} is not ${schema['x-noun'] ?? `of the form ${schema.pattern}`}`
    run.findings.push({ place, message, found })
  }
  const fault = schema.format === undefined ? undefined : formatFault(schema.format, value)
  if (fault !== undefined) run.findings.push({ place, message: `${found} ${fault}`, found })
}

function checkNumber(schema: JsonSchema, value: number, place: Place, run: Run): void {
  const { minimum, exclusiveMinimum, maximum } = schema
  const report = (limit: string) =>
    run.findings.push({ place, message: `must be ${limit}, found ${value}`, found: String(value) })
  if (minimum !== undefined && value < minimum) report(`at least ${minimum}`)
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) report(`more than ${exclusiveMinimum}`)
  if (maximum !== undefined && value > maximum) report(`at most ${maximum}`)
}

function checkArray(schema: JsonSchema, value: readonly Json[], place: Place, run: Run): void {
  if (value.length < (schema.minItems ?? 0))
    run.findings.push({ place, message: 'the array must not be empty' })
  const seen = new Set<string>()
  for (const [index, item] of value.entries()) {
    if (schema.items) checkValue(schema.items, item, [...place, index], run)
    const text = JSON.stringify(item)
    const message = `${text} is in the array twice; remove one`
    if (schema.uniqueItems && seen.has(text))
      run.findings.push({ place: [...place, index], message, found: text })
    seen.add(text)
  }
}

function checkObject(schema: JsonSchema, value: JsonObject, place: Place, run: Run): void {
  const properties = schema.properties ?? {}
  const strays = checkNames(schema, value, place, run)
  for (const name of schema.required ?? []) {
    if (value[name] === undefined && !strays.has(name))
      run.findings.push(missing(name, properties[name], place, run))
  }
  for (const [name, member] of Object.entries(value)) {
    // As in the original, null means the same as an absent property.
    if (member === undefined || (member === null && !schema.required?.includes(name))) continue
    const inner = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (inner) checkMember(inner, member, [...place, name], run)
    else if (isJsonObject(schema.additionalProperties))
      checkValue(schema.additionalProperties, member, [...place, name], run)
  }
  const rule = schema['x-rule'] === undefined ? undefined : rules[schema['x-rule']]
  for (const finding of rule?.(value) ?? [])
    run.findings.push({ ...finding, place: [...place, ...finding.place] })
}

function checkMember(schema: JsonSchema, value: Json, place: Place, run: Run): void {
  const { 'x-noEffect': reason, default: standard } = resolveReference(schema, run.definitions)
  if (reason !== undefined && JSON.stringify(value) !== JSON.stringify(standard)) {
    const message = `this setting has no effect: ${reason}`
    run.findings.push({ severity: 'warning', place, what: 'key', message })
  }
  checkValue(schema, value, place, run)
}

/** Reports names that look like known ones; returns the known names of required properties explained that way. */
function checkNames(schema: JsonSchema, value: JsonObject, place: Place, run: Run): ReadonlySet<string> {
  const { properties = {} } = schema
  const explained = new Set<string>()
  const known = Object.keys(properties)
  if (isJsonObject(schema.additionalProperties)) return explained
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(properties, name)) continue
    const suggestion = schema['x-keywords']?.includes(name) ? undefined : nearMiss(name, known)
    const isMissing =
      suggestion !== undefined && schema.required?.includes(suggestion) && value[suggestion] === undefined
    if (isMissing) explained.add(suggestion)
    if (suggestion === undefined && schema.additionalProperties !== false) continue
    const restricts =
      suggestion !== undefined &&
      (schema['x-restricts']?.includes(suggestion) ?? false) &&
      value[suggestion] === undefined
    const consequence = isMissing
      ? `, and the required property ${suggestion} is missing`
      : restricts
        ? `, and without ${suggestion} more would be worked than is meant`
        : ' and is ignored'
    const isStructural = suggestion !== undefined && schema['x-open'] !== true
    const severity = isMissing || restricts || isStructural ? 'error' : 'warning'
    run.findings.push(unknownName(name, { suggestion, known, severity, consequence }, place))
  }
  return explained
}

interface UnknownName {
  readonly suggestion: string | undefined
  readonly known: readonly string[]
  readonly severity: 'error' | 'warning'
  readonly consequence: string
}

function unknownName(
  name: string,
  { suggestion, known, severity, consequence }: UnknownName,
  place: Place,
): Finding {
  const meant = suggestion === undefined ? `. Known: ${known.join(', ')}` : `; did you mean ${suggestion}?`
  const message = `the property ${JSON.stringify(name)} is not known${consequence}${meant}`
  return { severity, place: [...place, name], what: 'key', message, found: name, allowed: known, suggestion }
}

function missing(name: string, schema: JsonSchema | undefined, place: Place, run: Run): Finding {
  const expected = schema === undefined ? '' : ` (${wanted(schema, run.definitions)})`
  return { place: [...place, name], message: `the required property ${name} is missing; add it${expected}` }
}

/** The value for a message: as written in the file, shortened; secrets and expanded properties are never shown. */
function show(value: Json, schema: JsonSchema, place: Place, run: Run): string {
  const written = run.written?.(place)
  if (typeof written === 'string' && written.includes('&{')) return `the value of ${written}`
  if (schema.writeOnly || namesSecret(String(place.at(-1)))) return `a secret (${typeOf(value)})`
  if (Array.isArray(value)) return 'an array'
  if (isJsonObject(value)) return 'an object'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…"` : text
}
