import { indexOf, type Pointer } from '../../model/pointer.ts'
import { literal } from './fragment.ts'

/**
 * What a pointer means in SQL.
 *
 * JSON has more types than SQL, and `json_extract` hides them (true becomes 1, an array its text), so every value is
 * a pair: the rank of its type, then the value. Pairs compare as platform §1.1 orders values, and an
 * index over (rank, value, id) answers comparisons and sorting alike.
 */
export type Field = JsonField | ColumnField | { readonly kind: 'absent' }

/** A value inside a JSON document. */
export interface JsonField {
  readonly kind: 'json'
  readonly type: string
  readonly rank: string
  readonly value: string
  /** The table of an array's elements, with `type` and `value`. */
  readonly elements: string
}

/** A column that holds a string in every row, or, if it is `optional`, null where there is none. */
export interface ColumnField {
  readonly kind: 'column'
  readonly column: string
  readonly optional: boolean
}

export const absent: Field = { kind: 'absent' }

export const rankOf = { boolean: 0, number: 1, text: 2, array: 3, object: 4, empty: 9 } as const

export function column(name: string, { optional = false } = {}): ColumnField {
  return { kind: 'column', column: name, optional }
}

/** The value at a pointer of the document that the column `content` holds. */
export function jsonField(pointer: Pointer): JsonField {
  // Evaluated in JavaScript, where a path cannot spell the pointer.
  const [document, path] = hasPath(pointer)
    ? ['content', jsonPath(pointer)]
    : [`syncline_at(content, ${literal(JSON.stringify(pointer))})`, '$']
  const place = `${document}, ${literal(path)}`
  const type = `json_type(${place})`
  return {
    kind: 'json',
    type,
    rank: rankExpression(type),
    value: `json_extract(${place})`,
    elements: `json_each(${place})`,
  }
}

/** As `jsonField`, where the table has a column for `_id`. */
export function documentField(pointer: Pointer): Field {
  return pointer.length === 1 && pointer[0] === '_id' ? column('id') : jsonField(pointer)
}

/**
 * Can a JSON path spell this pointer? Not a token that could be an array's index, which the value decides, nor one
 * with characters that SQLite's path has no escape for.
 */
export function hasPath(pointer: Pointer): boolean {
  return pointer.every(
    (token) => indexOf(token) === undefined && !unspeakable.test(token) && token.isWellFormed(),
  )
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what a path cannot spell
const unspeakable = /[\u0000-\u001f"\\]/

function jsonPath(pointer: Pointer): string {
  return `$${pointer.map((token) => `."${token}"`).join('')}`
}

function rankExpression(type: string): string {
  return (
    `CASE ${type} WHEN 'text' THEN 2 WHEN 'integer' THEN 1 WHEN 'real' THEN 1 WHEN 'true' THEN 0 WHEN 'false' THEN 0` +
    ` WHEN 'array' THEN 3 WHEN 'object' THEN 4 ELSE 9 END`
  )
}
