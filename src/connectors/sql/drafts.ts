import { ConnectorError, connectorError } from '../kit/errors.ts'
import { attribute, type Value } from '../kit/values.ts'
import { type AttributeChange, type ConnectorWrite, settingOf } from '../kit/write.ts'
import type { Cell, Column } from './column.ts'
import { cellFor, idOf, keyOf, standardStatus, type Table } from './table.ts'

/**
 * One write as the table sees it: which row, which cells, under which id the row stands afterwards. Everything that can be refused without
 * asking the database is refused here.
 */
export interface Draft {
  /** Its place in the page. */
  readonly place: number
  readonly kind: 'insert' | 'update' | 'delete'
  /** The row that there must be. */
  readonly from: string | undefined
  /** The id afterwards; undefined: none, or one that the database gives. */
  readonly to: string | undefined
  /** Without the key of an update that keeps it. */
  readonly cells: ReadonlyMap<Column, Cell>
}

export function draftOf(write: ConnectorWrite, place: number, table: Table): Draft | Error {
  try {
    switch (write.operation) {
      case 'create':
        return insertOf(write.attributes, write.id, place, table)
      case 'update':
        return updateOf(write.id, write.changes, place, table)
      case 'delete':
        return { place, kind: 'delete', from: write.id, to: undefined, cells: new Map() }
    }
  } catch (error) {
    return connectorError(error)
  }
}

function insertOf(
  attributes: Readonly<Record<string, Value | undefined>>,
  id: string | undefined,
  place: number,
  table: Table,
): Draft {
  const { key } = table
  const cells = cellsOf(settingOf(attributes), table)
  const cell = cells.get(key) ?? (id === undefined || key.generated ? undefined : keyOf(id, key))
  if (cell === undefined || cell === null) {
    cells.delete(key)
    if (!key.generated) throw missing(key)
  } else cells.set(key, cell)
  const standard = standardStatus(table)
  if (standard && !cells.has(standard.column)) cells.set(standard.column, standard.cell)
  fillIn(cells, table)
  return {
    place,
    kind: 'insert',
    from: undefined,
    to: cell === undefined ? undefined : idOf(cell, key),
    cells,
  }
}

/** `enableEmptyString`: a text column that must have a value gets an empty text. */
function fillIn(cells: Map<Column, Cell>, { columns, key, settings }: Table): void {
  if (!settings.enableEmptyString) return
  for (const column of columns.values())
    if (
      column.kind === 'text' &&
      !column.nullable &&
      !column.hasDefault &&
      column !== key &&
      !cells.has(column)
    )
      cells.set(column, '')
}

function updateOf(id: string, changes: readonly AttributeChange[], place: number, table: Table): Draft {
  const { key } = table
  const cells = cellsOf(changes, table)
  const cell = cells.get(key)
  if (cell === null) throw missing(key)
  const to = cell === undefined ? id : idOf(cell, key)
  if (to === id) cells.delete(key)
  return { place, kind: 'update', from: id, to, cells }
}

function cellsOf(changes: readonly AttributeChange[], table: Table): Map<Column, Cell> {
  const cells = new Map<Column, Cell>()
  for (const change of changes) {
    if (change.kind === 'delta')
      throw new ConnectorError(
        'unsupported',
        `${change.attribute} has one value; values cannot be added to it`,
      )
    const value = change.kind === 'clear' ? null : change.value
    const { column, cell } = cellFor(change.attribute, value, table)
    cells.set(column, cell)
  }
  return cells
}

function missing({ name }: Column): ConnectorError {
  return new ConnectorError('schemaViolation', `A row needs a value in its key column ${name}`, {
    attribute: name,
  })
}

/** The id that a create will have; undefined where the database gives it. */
export function foreseenId(
  attributes: Readonly<Record<string, Value | undefined>>,
  proposed: string | undefined,
  table: Table,
): string | undefined {
  const { key, settings } = table
  const given = attribute(attributes, settings.keyColumn) ?? attribute(attributes, key.name)
  if (given !== undefined && given !== null)
    return idOf(cellFor(table.key.name, given, table).cell, table.key)
  return table.key.generated ? undefined : proposed
}

/**
 * Groups of drafts that can be done together: within one, no row is meant twice. So the writes of a page take effect in their
 * order, and rows can exchange their ids.
 */
export function groupsOf(drafts: readonly Draft[]): readonly (readonly Draft[])[] {
  const groups: Draft[][] = []
  let meant = new Set<string>()
  for (const draft of drafts) {
    const isMeant = draft.from !== undefined && meant.has(draft.from)
    if (groups.length === 0 || isMeant) {
      groups.push([])
      meant = new Set()
    }
    groups.at(-1)?.push(draft)
    if (draft.from !== undefined) meant.add(draft.from)
    if (draft.kind === 'insert' && draft.to !== undefined) meant.add(draft.to)
  }
  return groups
}
