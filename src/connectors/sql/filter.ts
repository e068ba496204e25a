import { type Filter, matchesEverything } from '../../model/filter/filter.ts'
import type { FilterLeaf } from '../../model/filter/walk.ts'
import { instantOf } from '../../model/instant.ts'
import type { Json } from '../../model/json.ts'
import { splitBy } from '../kit/query.ts'
import type { Cell, Column } from './column.ts'
import type { Dialect } from './dialect.ts'
import { plainDecimal } from './numbers.ts'
import { columnOf, keyOf, type Table } from './table.ts'

/**
 * Filters as SQL. The database evaluates a comparison if its answer is the one that the schema promises: of a text that compares
 * exactly, to the byte; of one with another collation, whatever that collation says. The rest is evaluated on what it finds. No
 * condition is ever NULL: `not` turns false into true.
 */
export interface Where {
  /** Empty: everything. */
  readonly sql: string
  readonly rest: Filter
}

/** The parameters of one statement. */
export class Cells {
  readonly list: Cell[] = []
  readonly #dialect: Dialect

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  /** What stands for the value in the statement. */
  add(cell: Cell, column?: Column): string {
    return this.#dialect.parameter(this.list.push(cell), column)
  }
}

export function whereOf(filter: Filter, table: Table, dialect: Dialect, cells: Cells): Where {
  const { native, rest } = splitBy(filter, (leaf) => answers(leaf, table))
  return { sql: matchesEverything(native) ? '' : conditionOf(native, { table, dialect, cells }), rest }
}

function leafColumn({ pointer: [name = '', ...below] }: FilterLeaf, table: Table): Column | undefined {
  if (below.length > 0) return undefined
  return name === '_id' ? table.key : columnOf(name, table)
}

function answers(leaf: FilterLeaf, table: Table): boolean {
  const column = leafColumn(leaf, table)
  if (!column || column === table.password || column === table.status) return false
  // A zero date of MySQL is no value.
  if (leaf.kind === 'present') return column.kind !== 'timestamp' && column.kind !== 'date'
  const { operator, value } = leaf
  if (operator === 'ca' || column.padded) return false
  const values = operator === 'in' ? (Array.isArray(value) ? value : [value]) : [value]
  const isOrder = ['lt', 'le', 'gt', 'ge'].includes(operator)
  const isEquality = ['eq', 'ne', 'in'].includes(operator)
  if (leaf.pointer[0] === '_id' && column.kind !== 'text')
    return isEquality && values.every((one) => typeof one === 'string')
  switch (column.kind) {
    case 'text':
      return values.every((one) => isPlainText(one) && !(isOrder && instantOf(one) !== undefined))
    case 'integer':
      return (isEquality || isOrder) && values.every(Number.isSafeInteger)
    case 'decimal':
    case 'float':
      return (isEquality || isOrder) && column.digits === undefined && values.every(Number.isFinite)
    case 'boolean':
      return isEquality && values.every((one) => typeof one === 'boolean')
    default:
      return false
  }
}

function isPlainText(value: Json): value is string {
  return typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
}

interface Statement {
  readonly table: Table
  readonly dialect: Dialect
  readonly cells: Cells
}

function conditionOf(filter: Filter, statement: Statement): string {
  switch (filter.kind) {
    case 'literal':
      return filter.value ? '1 = 1' : '1 = 0'
    case 'and':
    case 'or': {
      const parts = filter.filters.map((part) => conditionOf(part, statement))
      if (parts.length === 0) return filter.kind === 'and' ? '1 = 1' : '1 = 0'
      return `(${parts.join(` ${filter.kind.toUpperCase()} `)})`
    }
    case 'not':
      return `NOT (${conditionOf(filter.filter, statement)})`
    case 'present':
    case 'compare':
      return leafOf(filter, statement)
  }
}

function leafOf(leaf: FilterLeaf, statement: Statement): string {
  const { table, dialect } = statement
  const column = leafColumn(leaf, table) ?? table.key
  const name = dialect.quote(column.name)
  if (leaf.kind === 'present') return `${name} IS NOT NULL`
  if (leaf.operator === 'ne') return `NOT ${compared('eq', leaf.value, leaf, name, column, statement)}`
  return compared(leaf.operator, leaf.value, leaf, name, column, statement)
}

const signs: Readonly<Record<string, string>> = { lt: '<', le: '<=', gt: '>', ge: '>=' }

function compared(
  operator: string,
  value: Json,
  leaf: FilterLeaf,
  name: string,
  column: Column,
  statement: Statement,
): string {
  const { dialect, cells } = statement
  const isId = leaf.pointer[0] === '_id'
  const known = (condition: string) =>
    column.nullable ? `(${name} IS NOT NULL AND ${condition})` : `(${condition})`
  if (operator === 'in') {
    const parts = (Array.isArray(value) ? value : [value]).map((one) =>
      equality(one, isId, name, column, statement),
    )
    return parts.length === 0 ? '(1 = 0)' : known(`(${parts.join(' OR ')})`)
  }
  if (operator === 'eq') return known(equality(value, isId, name, column, statement))
  if (operator === 'co' || operator === 'sw' || operator === 'ew')
    return known(dialect.matches(operator, name, partOf(String(value), column, cells), column))
  const ordered = column.kind === 'text' && column.comparison === 'exact'
  const [left, right] = [name, cells.add(cellOf(value, column), column)].map((one) =>
    ordered ? dialect.byCodePoint(one) : one,
  )
  return known(`${left} ${signs[operator]} ${right}`)
}

function equality(
  value: Json,
  isId: boolean,
  name: string,
  column: Column,
  { dialect, cells }: Statement,
): string {
  if (typeof value === 'boolean') {
    const condition = dialect.isTrue?.(name) ?? name
    return value ? condition : `NOT ${condition}`
  }
  const cell = isId ? keyOf(String(value), column) : cellOf(value, column)
  return cell === undefined ? '1 = 0' : dialect.equals(name, cells.add(cell, column), column)
}

function cellOf(value: Json, { kind }: Column): Cell {
  if (typeof value !== 'number') return String(value)
  if (kind === 'integer') return BigInt(value)
  return kind === 'float' ? value : plainDecimal(value)
}

/** Only the parameter that a database uses is added. */
function partOf(text: string, column: Column, cells: Cells) {
  let [plain, pattern]: (string | undefined)[] = []
  return {
    get text() {
      plain ??= cells.add(text, column)
      return plain
    },
    get pattern() {
      pattern ??= cells.add(text.replace(/[!%_[]/g, '!$&'), column)
      return pattern
    },
  }
}
