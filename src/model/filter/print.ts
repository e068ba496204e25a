import type { Json } from '../json.ts'
import { type Pointer, printPointer } from '../pointer.ts'
import { Problem } from '../problem.ts'
import type { Filter } from './filter.ts'

/**
 * The canonical text of a filter. `parseFilter(printFilter(f))` equals `f`, except that nested and/or are flattened.
 * BAD_FILTER for a value that the grammar cannot express, such as null.
 */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'literal':
      return String(filter.value)
    case 'and':
    case 'or':
      return printJunction(filter.kind, filter.filters)
    case 'not':
      return `!(${printFilter(filter.filter)})`
    case 'present':
      return `${property(filter.pointer)} pr`
    case 'compare':
      return `${property(filter.pointer)} ${filter.operator} ${printValue(filter.value)}`
  }
}

function printJunction(kind: 'and' | 'or', filters: readonly Filter[]): string {
  const [only, ...others] = filters
  // `and` of nothing is true; `or` of nothing is false.
  if (!only) return String(kind === 'and')
  if (others.length === 0) return printFilter(only)
  return filters
    .map((part) => (isJunction(part) ? `(${printFilter(part)})` : printFilter(part)))
    .join(` ${kind} `)
}

function isJunction(filter: Filter): boolean {
  return filter.kind === 'and' || filter.kind === 'or'
}

/** The root is written `/`: an empty name would be a syntax error. */
function property(pointer: Pointer): string {
  return printPointer(pointer) || '/'
}

function printValue(value: Json): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return printNumber(value)
  if (typeof value === 'string') return quote(value, '"')
  if (Array.isArray(value)) return quote(JSON.stringify(value), "'")
  throw new Problem('BAD_FILTER', `A filter cannot compare with ${JSON.stringify(value)}`)
}

function quote(text: string, mark: '"' | "'"): string {
  return mark + text.replace(/["'\\]/g, (c) => (c === '\\' || c === mark ? `\\${c}` : c)) + mark
}

/** The grammar has no exponent, so very large and very small numbers are written out. */
function printNumber(value: number): string {
  const [mantissa = '', exponent] = String(value).split('e')
  if (exponent === undefined) return isUnsafeInteger(value) ? `${mantissa}.0` : mantissa
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const shift = Number(exponent)
  if (shift > 0) return `${sign}${whole}${fraction.padEnd(shift, '0')}.0`
  return `${sign}0.${'0'.repeat(-shift - 1)}${whole}${fraction}`
}

/** Its digits may exceed the 64 bits of the grammar's integers; a decimal has no such limit. */
function isUnsafeInteger(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value)
}
