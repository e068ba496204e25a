import type { Comparison } from '../kit/schema.ts'

/** What a column holds, whatever the database calls its type. */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'float'
  | 'boolean'
  | 'bytes'
  | 'date'
  | 'timestamp'
  /** As text, in the words of the database: its filters are evaluated here, and what it makes of a value is not foreseen. */
  | 'other'

/** As databases call the type of a UUID. */
export const uuidTypes: ReadonlySet<string> = new Set(['uuid', 'uniqueidentifier'])

/** One column, as the catalog of the database describes it. */
export interface Column {
  readonly name: string
  readonly kind: ColumnKind
  /** The type in the words of the database. */
  readonly type: string
  readonly nullable: boolean
  /** The database gives a value where an insert has none. */
  readonly hasDefault: boolean
  /** The database counts up its values: the key of a new row is known after its insert. */
  readonly generated: boolean
  /** Computed from other columns: never written. */
  readonly computed: boolean
  /** A unique index on this column alone. */
  readonly unique: boolean
  readonly comparison: Comparison
  readonly collation?: string | undefined
  /** The most characters, or bytes, if it is limited. */
  readonly length?: number | undefined
  /** Digits altogether, and after the point. */
  readonly precision?: number | undefined
  readonly scale?: number | undefined
  /** Digits of a second. */
  readonly fraction?: number | undefined
  /** Filled up with blanks or zero bytes to its length. */
  readonly padded?: boolean
  /** How many digits of a float the database shows; absent: all. */
  readonly digits?: 'single' | 6
  readonly withZone?: boolean
}

/** A value as it goes to a database and comes from it. */
export type Cell = null | string | number | bigint | Uint8Array
export type Row = readonly Cell[]

/** The column that `wanted` means: by its exact name, else by the only one that differs in case alone. */
export function columnNamed<T extends { readonly name: string }>(
  columns: readonly T[],
  wanted: string,
  isExact: boolean,
): T | undefined {
  const found = columns.find(({ name }) => name === wanted)
  if (found || isExact) return found
  const alike = columns.filter(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  return alike.length === 1 ? alike[0] : undefined
}
