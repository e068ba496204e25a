import type { FileHandle } from 'node:fs/promises'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorObject } from '../kit/query.ts'
import { revealed, Secret, setAttribute, type Value, valuesOf } from '../kit/values.ts'
import { type AttributeChange, valueAfter } from '../kit/write.ts'
import { malformed, type RowsOptions, rowsOf } from './file.ts'
import type { Malformed, Row } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'

/**
 * The header of a file, and rows as objects. An empty cell is an absent attribute; a cell of a multi-valued column
 * holds its values joined by the separator.
 */
export interface Columns {
  /** Attribute names in the order of the columns. */
  readonly names: readonly string[]
  readonly positions: ReadonlyMap<string, number>
  readonly uid: number
}

/** CONFIGURATION for an empty or repeated name, or if a configured column is missing. */
export function columnsOf(header: Row | undefined, settings: CsvSettings): Columns {
  const { file, uid, name, multivalued } = settings
  if (!header) throw configuration(`${file} is empty; its first line must name the columns`)
  if (header.fault !== undefined) throw malformed(file, header.line, header.fault)
  const names = header.fields.map(settings.attributeOf)
  const positions = new Map<string, number>()
  for (const [position, column] of names.entries()) {
    const place = `${file}, line ${header.line}: the name of column ${position + 1}`
    if (column === '') throw configuration(`${place} is empty`)
    const first = positions.get(column)
    if (first !== undefined) throw configuration(`${place}, "${column}", is also that of column ${first + 1}`)
    positions.set(column, position)
  }
  for (const [property, column] of [
    ['headerUid', uid],
    ['headerName', name],
  ] as const) {
    if (!positions.has(column)) throw missing(file, property, column, names)
  }
  for (const column of multivalued) {
    if (!positions.has(column)) throw missing(file, 'multivaluedColumns', column, names)
  }
  return { names, positions, uid: positions.get(uid) ?? 0 }
}

/** The id of a row that is an object; undefined for every other row. */
export function uidOf({ fields, fault }: Row, { names, uid }: Columns): string | undefined {
  return fault === undefined && fields.length === names.length ? fields[uid] || undefined : undefined
}

/** True for a row of nothing but delimiters: it is no object, and no error. */
export function isBlank({ fields, fault }: Row): boolean {
  return fault === undefined && fields.every((field) => field === '')
}

/** Why a row is no object, and the id that it has as far as it can be read. */
export function faultOf(row: Row, { names, uid }: Columns) {
  const { fields, fault } = row
  const id = fields[uid] || undefined
  if (fault !== undefined) return { fact: fault, id, isCertain: fields.length <= names.length }
  const isRagged = fields.length !== names.length
  // With a delimiter too few or too many, another value may stand in the column of the id.
  if (isRagged)
    return {
      fact: `the row has ${fields.length} fields, the header has ${names.length}`,
      id,
      isCertain: false,
    }
  return {
    fact: `the column ${names[uid]} is empty; it holds the id of the row`,
    id: undefined,
    isCertain: false,
  }
}

/** The columns of an open file, and its rows in the order of the file, many at a time. */
export async function tableOf(handle: FileHandle, settings: CsvSettings, options?: RowsOptions) {
  const pieces = rowsOf(handle, settings, options)
  let next = await pieces.next()
  while (!next.done && next.value.length === 0) next = await pieces.next()
  if (next.done && next.value) throw malformed(settings.file, next.value.line, next.value.fact)
  const [header, ...first] = next.done ? [] : next.value
  const columns = columnsOf(header, settings)
  async function* rows(): AsyncGenerator<readonly Row[], Malformed | undefined> {
    yield first
    return yield* pieces
  }
  return { columns, rows: rows() }
}

/** Makes objects of rows; `wanted` limits the attributes. */
export function objectMaker(
  { names, uid }: Columns,
  { multivalued, separator, password }: CsvSettings,
  wanted?: readonly string[],
): (fields: readonly string[]) => ConnectorObject {
  const cells = names.flatMap((name, position) =>
    wanted === undefined || wanted.includes(name) ? [{ name, position, multi: multivalued.has(name) }] : [],
  )
  return (fields) => {
    const object: ConnectorObject = { _id: fields[uid] ?? '' }
    for (const { name, position, multi } of cells) {
      const cell = fields[position] ?? ''
      if (cell === '') continue
      if (name === password) setAttribute(object, name, new Secret(cell))
      else setAttribute(object, name, multi ? valuesIn(cell, separator) : cell)
    }
    return object
  }
}

function valuesIn(cell: string, separator: string): string[] {
  return cell.split(separator).flatMap((value) => value.trim() || [])
}

/** A copy of the fields with these changes. An error for what the file cannot hold. */
export function change(
  fields: readonly string[],
  changes: readonly AttributeChange[],
  { positions, names }: Columns,
  settings: CsvSettings,
): string[] {
  const result = [...fields]
  for (const one of changes) {
    const { attribute: name } = one
    const position = positions.get(name)
    if (position === undefined) {
      const fact = `${settings.file} has no column ${name}; it has ${names.join(', ')}`
      throw new ConnectorError('schemaViolation', fact, { attribute: name })
    }
    const isList = settings.multivalued.has(name)
    const before = isList ? valuesIn(result[position] ?? '', settings.separator) : result[position]
    const value = valueAfter(before, one) ?? null
    result[position] = isList ? joined(name, value, settings) : cell(name, value)
  }
  return result
}

/** A value as it is read from its cell. */
export function heldValue(name: string, value: Value, settings: CsvSettings): Value {
  const isList = settings.multivalued.has(name)
  const text = isList ? joined(name, value, settings) : cell(name, value)
  if (text === '') return null
  if (isList) return valuesIn(text, settings.separator)
  return name === settings.password ? new Secret(text) : text
}

function joined(name: string, value: Value, { separator }: CsvSettings): string {
  const values = valuesOf(value).map((one) => cell(name, one))
  const culprit = values.find((one) => one.includes(separator))
  if (culprit !== undefined) {
    throw new ConnectorError(
      'invalidValue',
      `A value of ${name} contains the separator "${separator}": ${culprit}`,
    )
  }
  return values.filter((one) => one !== '').join(separator)
}

function cell(name: string, given: Value): string {
  const value = revealed(given)
  if (value === null) return ''
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value !== 'object') return String(value).trim()
  if (!Array.isArray(value))
    throw new ConnectorError('invalidValue', `${name} is an object; a cell holds text`, { attribute: name })
  throw new ConnectorError(
    'invalidValue',
    `${name} has ${value.length} values; name it in multivaluedColumns if its cells hold several`,
  )
}

function missing(file: string, property: string, column: string, names: readonly string[]): Error {
  return configuration(`${file} has no column ${column} (${property}); it has ${names.join(', ')}`)
}

function configuration(message: string): Error {
  const hint = 'Correct the first line of the file, or the names in the configuration of the connector.'
  return new ConnectorError('misconfigured', message, { hint })
}
