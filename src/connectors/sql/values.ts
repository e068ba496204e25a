import { ConnectorError } from '../kit/errors.ts'
import { Secret, type Value } from '../kit/values.ts'
import type { Cell, Column } from './column.ts'
import { canonicalDecimal, numberOf, plainDecimal, roundedDecimal, shortestFloat } from './numbers.ts'
import { dayText, momentOf, sqlTimestamp, timestampText } from './times.ts'

/**
 * Values between the database and the connector. What is written is brought here into the form in which the column
 * will hold it, so that the form is foreseen (`held`), and a value that the column cannot hold is refused by name before any
 * statement runs.
 */

/** Undefined: no value. */
export function decoded(cell: Cell, column: Pick<Column, 'kind' | 'padded'>): Value | undefined {
  if (cell === null) return undefined
  switch (column.kind) {
    case 'bytes':
      return cell instanceof Uint8Array ? cell : String(cell)
    case 'boolean':
      return truth(cell)
    case 'integer':
      return wholeNumber(cell)
    case 'decimal':
      return cell instanceof Uint8Array ? cell : numberOf(canonicalDecimal(String(cell)))
    case 'float':
      return cell instanceof Uint8Array ? cell : floatOf(cell)
    case 'timestamp':
      return timestampText(String(cell))
    case 'date':
      return dayText(String(cell))
    case 'text':
    case 'other':
      if (cell instanceof Uint8Array) return cell
      return column.padded ? String(cell).replace(/ +$/, '') : String(cell)
  }
}

function truth(cell: Exclude<Cell, null>): Value {
  if (cell instanceof Uint8Array) return cell.some((byte) => byte !== 0)
  if (typeof cell !== 'string') return Number(cell) !== 0
  if (['t', 'true', '1'].includes(cell)) return true
  return ['f', 'false', '0'].includes(cell) ? false : Number.isFinite(Number(cell)) ? true : cell
}

function wholeNumber(cell: Exclude<Cell, null>): Value {
  if (cell instanceof Uint8Array) return wholeNumber(BigInt(`0x${Buffer.from(cell).toString('hex') || '0'}`))
  const number = Number(cell)
  return Number.isSafeInteger(number) ? number : String(cell)
}

function floatOf(cell: Exclude<Cell, null | Uint8Array>): Value {
  const number = Number(cell)
  return typeof cell === 'string' && !Number.isFinite(number) ? cell : number
}

/** The form in which a column will hold a value. Throws `invalidValue` for what it cannot hold. */
export function encoded(value: Value, column: Column): Cell {
  if (value instanceof Secret) return encoded(value.reveal(), column)
  if (value === null || (Array.isArray(value) && value.length === 0)) return null
  if (typeof value === 'object' && !(value instanceof Uint8Array))
    throw refused(column, 'holds one value, not a list or an object')
  switch (column.kind) {
    case 'bytes':
      return bytesFor(value, column)
    case 'boolean':
      if (typeof value === 'boolean') return value ? 1 : 0
      throw refused(column, `holds true or false, not ${shown(value)}`)
    case 'integer':
      return integerFor(value, column)
    case 'decimal':
      return decimalFor(value, column)
    case 'float':
      return floatFor(value, column)
    case 'timestamp':
    case 'date':
      return timeFor(value, column)
    case 'text':
    case 'other':
      return textFor(value, column)
  }
}

type Single = string | number | boolean | Uint8Array

function textFor(value: Single, column: Column): Cell {
  if (value instanceof Uint8Array) throw refused(column, 'holds text, not bytes')
  const text = typeof value === 'string' ? value : String(value)
  const { length } = column
  if (length !== undefined && text.length > length) {
    const characters = Array.from(text).length
    if (characters > length)
      throw refused(column, `holds ${length} characters; the value given has ${characters}`)
  }
  return text
}

function bytesFor(value: Single, column: Column): Cell {
  if (!(value instanceof Uint8Array)) throw refused(column, 'holds bytes')
  const { length, padded } = column
  if (length !== undefined && value.length > length)
    throw refused(column, `holds ${length} bytes; the value given has ${value.length}`)
  if (!padded || length === undefined || value.length === length) return value
  const full = new Uint8Array(length)
  full.set(value)
  return full
}

function integerFor(value: Single, column: Column): Cell {
  const text = typeof value === 'number' ? plainDecimal(value) : value
  if (typeof text === 'string' && /^[+-]?\d+$/.test(text)) return BigInt(text.replace(/^\+/, ''))
  throw refused(column, `holds whole numbers, not ${shown(value)}`)
}

function decimalFor(value: Single, column: Column): Cell {
  const text = typeof value === 'number' ? plainDecimal(value) : value
  if (typeof text !== 'string' || !/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text))
    throw refused(column, `holds numbers, not ${shown(value)}`)
  const { precision, scale } = column
  const rounded = canonicalDecimal(scale === undefined ? text : roundedDecimal(text, scale))
  const [whole = '', fraction = ''] = rounded.replace(/^-/, '').split('.')
  const digits = whole === '0' ? 0 : whole.length
  const isTooLong =
    precision !== undefined &&
    (scale === undefined ? digits + fraction.length > precision : digits > precision - scale)
  if (isTooLong) throw refused(column, `is ${column.type}; the value given has more digits`)
  return rounded
}

function floatFor(value: Single, column: Column): Cell {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw refused(column, `holds numbers, not ${shown(value)}`)
  return shortestFloat(number, column.digits)
}

function timeFor(value: Single, column: Column): Cell {
  const moment = typeof value === 'string' ? momentOf(value) : undefined
  if (moment === undefined)
    throw refused(column, `holds dates such as 2026-01-31T08:05:00Z, not ${shown(value)}`)
  return column.kind === 'date' ? moment.day : sqlTimestamp(moment, column.fraction ?? 6)
}

/** A value as it will be read after it was written; null where it is none. */
export function heldBy(value: Value, column: Column): Value {
  return decoded(encoded(value, column), column) ?? null
}

function refused(column: Column, fact: string): ConnectorError {
  return new ConnectorError('invalidValue', `The column ${column.name} ${fact}`, { attribute: column.name })
}

function shown(value: Single): string {
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'string' ? 'this text' : String(value)
}
