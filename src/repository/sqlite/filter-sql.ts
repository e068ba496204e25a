import type { Filter } from '../../model/filter/filter.ts'
import { datesAround, instantOf } from '../../model/instant.ts'
import { elementsOf, type Json } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import type { Field, JsonField } from './field.ts'
import { rankOf } from './field.ts'
import { all, any, type Fragment, fragment } from './fragment.ts'

/**
 * Query filters as SQL conditions, meaning exactly what `matches` means (platform §1.3).
 *
 * A condition is never null. It is *exact*, or else only necessary: every row that matches fulfils it, but so may
 * others, and the residue has to be evaluated with `matches`. Inexact are decimals, because SQLite reads a decimal's
 * digits less accurately than JavaScript, and text with lone surrogates, which has no UTF-8.
 */
export interface FilterCondition extends Fragment {
  /** What is left to decide in memory; undefined if the condition is exact. */
  readonly residue: Filter | undefined
}

export type FieldOf = (pointer: Pointer) => Field

export function filterCondition(filter: Filter, fieldOf: FieldOf): FilterCondition {
  const parts = filter.kind === 'and' ? filter.filters : [filter]
  const conditions = parts.map((part) => translated(part, fieldOf))
  const undecided = parts.filter((_, i) => !conditions[i]?.exact)
  const residue: Filter | undefined = undecided.length > 0 ? { kind: 'and', filters: undecided } : undefined
  return { ...all(conditions), residue }
}

interface Condition extends Fragment {
  readonly exact: boolean
}

type Compare = Extract<Filter, { kind: 'compare' }>

function translated(filter: Filter, fieldOf: FieldOf): Condition {
  switch (filter.kind) {
    case 'literal':
      return filter.value ? always : never
    case 'and':
      return both(filter.filters.map((part) => translated(part, fieldOf)))
    case 'or':
      return either(withEqualsJoined(filter.filters).map((part) => translated(part, fieldOf)))
    case 'not':
      return negated(translated(filter.filter, fieldOf))
    case 'present':
      return present(fieldOf(filter.pointer))
    case 'compare':
      return comparison(filter, fieldOf(filter.pointer))
  }
}

const always: Condition = { ...fragment('1'), exact: true }
const never: Condition = { ...fragment('0'), exact: true }
const unknown: Condition = { ...fragment('1'), exact: false }

function exactly(sql: string, ...parameters: readonly (string | number)[]): Condition {
  return { sql, parameters, exact: true }
}

function atLeast(sql: string, ...parameters: readonly (string | number)[]): Condition {
  return { sql, parameters, exact: false }
}

function both(parts: readonly Condition[]): Condition {
  return { ...all(parts), exact: parts.every((part) => part.exact) }
}

function either(parts: readonly Condition[]): Condition {
  return { ...any(parts), exact: parts.every((part) => part.exact) }
}

function negated(condition: Condition): Condition {
  return condition.exact ? { ...condition, sql: `NOT (${condition.sql})` } : unknown
}

/** `a eq 1 or a eq 2 or …` is one `in`: a correlation query of a whole page stays one look into an index. */
function withEqualsJoined(filters: readonly Filter[]): readonly Filter[] {
  const parts = filters.flatMap(alternatives)
  const byPointer = Map.groupBy(parts.filter(isEquals), ({ pointer }) => JSON.stringify(pointer))
  const joined = [...byPointer.values()].flatMap((group): readonly Compare[] => {
    const [first, another] = group
    return first && another ? [{ ...first, operator: 'in', value: group.map(({ value }) => value) }] : group
  })
  return [...joined, ...parts.filter((part) => !isEquals(part))]
}

function isEquals(filter: Filter): filter is Compare {
  return filter.kind === 'compare' && filter.operator === 'eq'
}

function alternatives(filter: Filter): readonly Filter[] {
  return filter.kind === 'or' ? filter.filters.flatMap(alternatives) : [filter]
}

function present(field: Field): Condition {
  switch (field.kind) {
    case 'absent':
      return never
    case 'column':
      return field.optional ? exactly(`${field.column} IS NOT NULL`) : always
    case 'json':
      return exactly(`${field.rank} < ${rankOf.empty}`)
  }
}

function comparison({ operator, value }: Compare, field: Field): Condition {
  if (operator === 'ne') return negated(someValue(field, (place) => equal(place, value)))
  if (operator !== 'ca') return someValue(field, (place) => scalar(operator, place, value))
  const contained = elementsOf(value).map((each) => someValue(field, (place) => equal(place, each)))
  return both([present(field), ...contained])
}

/** Where a scalar is compared: the value itself, or one element of an array. */
interface ScalarPlace {
  readonly isText: string
  readonly isNumber: string
  readonly isInteger: string
  readonly isBoolean: string
  readonly value: string
}

type ScalarTest = (place: ScalarPlace) => Condition

/** An array fulfils a test if any of its elements does. */
function someValue(field: Field, test: ScalarTest): Condition {
  switch (field.kind) {
    case 'absent':
      return never
    case 'column':
      return test(columnPlace(field.column, field.optional))
    case 'json': {
      const itself = test(valuePlace(field))
      const element = test(elementPlace)
      const sql = `${field.rank} = ${rankOf.array} AND EXISTS (SELECT 1 FROM ${field.elements} AS element WHERE ${element.sql})`
      return either([itself, { ...element, sql: `(${sql})` }])
    }
  }
}

function valuePlace({ rank, type, value }: JsonField): ScalarPlace {
  return {
    isText: `${rank} = ${rankOf.text}`,
    isNumber: `${rank} = ${rankOf.number}`,
    isInteger: `${rank} = ${rankOf.number} AND ${type} = 'integer'`,
    isBoolean: `${rank} = ${rankOf.boolean}`,
    value,
  }
}

function columnPlace(name: string, optional: boolean): ScalarPlace {
  const isText = optional ? `${name} IS NOT NULL` : '1'
  return { isText, isNumber: '0', isInteger: '0', isBoolean: '0', value: name }
}

const elementPlace: ScalarPlace = {
  isText: `element.type = 'text'`,
  isNumber: `element.type IN ('integer', 'real')`,
  isInteger: `element.type = 'integer'`,
  isBoolean: `element.type IN ('true', 'false')`,
  value: 'element.value',
}

function scalar(
  operator: Exclude<Compare['operator'], 'ne' | 'ca'>,
  place: ScalarPlace,
  value: Json,
): Condition {
  switch (operator) {
    case 'eq':
      return equal(place, value)
    case 'in':
      return among(place, elementsOf(value))
    case 'co':
      return text(place, value, (part) => exactly(`instr(${place.value}, ?) > 0`, part))
    case 'sw':
      return text(place, value, (part) => startsWith(place, part))
    case 'ew':
      return text(place, value, (part) => endsWith(place, part))
    default:
      return ordered(place, symbols[operator], value)
  }
}

const symbols = { lt: '<', le: '<=', gt: '>', ge: '>=' } as const

function equal(place: ScalarPlace, value: Json): Condition {
  if (typeof value === 'boolean') return exactly(`(${place.isBoolean} AND ${place.value} = ${Number(value)})`)
  if (typeof value === 'number') return equalNumber(place, value)
  return text(place, value, (wanted) => exactly(`${place.value} = ?`, wanted))
}

function equalNumber(place: ScalarPlace, value: number): Condition {
  if (Number.isSafeInteger(value)) return exactly(`(${place.isInteger} AND ${place.value} = ?)`, value)
  if (!Number.isFinite(value)) return never
  return atLeast(`(${place.isNumber} AND ${place.value} = ${numberParameter})`, JSON.stringify(value))
}

function ordered(place: ScalarPlace, operator: '<' | '<=' | '>' | '>=', value: Json): Condition {
  if (typeof value !== 'number') return text(place, value, (limit) => orderedText(place, operator, limit))
  if (!Number.isFinite(value)) return atLeast(place.isNumber)
  // Neighbouring decimals may read as equal, but never as swapped.
  const loose = operator.startsWith('<') ? '<=' : '>='
  return atLeast(`(${place.isNumber} AND ${place.value} ${loose} ${numberParameter})`, JSON.stringify(value))
}

/**
 * Instants where both sides name one. An index knows texts only: it answers for the dates on which a clock somewhere shows the
 * limit, and what lies between is compared row by row.
 */
function orderedText({ value }: ScalarPlace, operator: '<' | '<=' | '>' | '>=', limit: string): Condition {
  const instant = instantOf(limit)
  if (instant === undefined) return exactly(`${value} ${operator} ?`, limit)
  const compared = `coalesce(syncline_instant(${value}) ${operator} ?, ${value} ${operator} ?)`
  const dates = datesAround(instant)
  if (!dates) return exactly(compared, instant, limit)
  const [from, to] = dates
  return operator.startsWith('<')
    ? exactly(`${value} < ? AND ${compared}`, to, instant, limit)
    : exactly(`${value} >= ? AND ${compared}`, from, instant, limit)
}

/** A number's digits, read by the same code that reads the documents: a bound one may differ in its last bit. */
export const numberParameter = `json_extract(?, '$')`

function text(place: ScalarPlace, value: Json, test: (text: string) => Condition): Condition {
  if (typeof value !== 'string') return never
  if (!value.isWellFormed()) return atLeast(place.isText)
  const condition = test(value)
  return { ...condition, sql: `(${place.isText} AND ${condition.sql})` }
}

function among(place: ScalarPlace, values: readonly Json[]): Condition {
  const texts = values.filter(isText)
  const integers = values.filter((value) => Number.isSafeInteger(value))
  const others = values.filter((value) => !isText(value) && !Number.isSafeInteger(value))
  return either([
    ...(texts.length > 0 ? [inList(place.isText, place.value, texts)] : []),
    ...(integers.length > 0 ? [inList(place.isInteger, place.value, integers)] : []),
    ...others.map((value) => equal(place, value)),
  ])
}

/** One parameter however many values: the statement's text and its plan stay the same. */
function inList(isOfType: string, value: string, list: readonly Json[]): Condition {
  return exactly(`(${isOfType} AND ${value} IN (SELECT value FROM json_each(?)))`, JSON.stringify(list))
}

function isText(value: Json): value is string {
  return typeof value === 'string' && value.isWellFormed()
}

/** As a range, so that an index can answer it; `LIKE` would ignore case. */
function startsWith(place: ScalarPlace, prefix: string): Condition {
  const end = afterAllWith(prefix)
  if (end === undefined) return exactly(`${place.value} >= ?`, prefix)
  return exactly(`${place.value} >= ? AND ${place.value} < ?`, prefix, end)
}

/** The least text above every text with this prefix, by code point; undefined if there is none. */
function afterAllWith(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number)
  while (points.at(-1) === 0x10ffff) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  const next = last === 0xd7ff ? 0xe000 : last + 1
  return String.fromCodePoint(...points, next)
}

/** In bytes: functions on text stop at a NUL. */
function endsWith(place: ScalarPlace, suffix: string): Condition {
  if (suffix === '') return always
  const size = Buffer.byteLength(suffix)
  // `IS`, since the end of an empty text is null.
  return exactly(`substr(CAST(${place.value} AS BLOB), -${size}) IS CAST(? AS BLOB)`, suffix)
}
