import type { Cell, Column, Row } from './column.ts'
import type { Connections } from './connections.ts'
import type { Dialect } from './dialect.ts'
import type { Cells } from './filter.ts'
import type { Reading } from './reading.ts'

/** What finds the changes of a table. */
export interface ChangeReading extends Reading {
  readonly connections: Connections
}

/** An expression by which rows are ordered; the value by which a row stands is its first cell. */
export interface KeyOrder {
  readonly sql: string
  /** What its values are compared with; undefined: texts. */
  readonly column: Column | undefined
}

/** The order of the key as the database likes it best. */
export function orderOfKey({ table: { key }, dialect }: Reading): KeyOrder {
  return { sql: dialect.quote(key.name), column: key }
}

/** Rows in the order of the keys: as a stream of one statement, or by a statement a page where a stream locks. */
export async function* rowsInOrder(
  { connections, dialect }: { readonly connections: Connections; readonly dialect: Dialect },
  order: KeyOrder,
  statement: () => { readonly sql: (condition: string) => string; readonly cells: Cells },
  pageSize: number,
  signal?: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  if (!connections.inPages) {
    const { sql, cells } = statement()
    return yield* streamed(
      connections,
      dialect,
      `${sql('')} ORDER BY ${order.sql}`,
      cells.list,
      pageSize,
      signal,
    )
  }
  for (let after: Row | undefined; ; ) {
    const { sql, cells } = statement()
    const last = after && cells.add(after[0] ?? null, order.column)
    const condition = last === undefined ? '' : `${order.sql} > ${last}`
    const text = `${sql(condition)} ORDER BY ${order.sql} ${dialect.limit(pageSize, 0)}`
    const rows = await connections.use((session) => session.rows(text, cells.list), signal)
    if (rows.length > 0) yield rows
    if (rows.length < pageSize) return
    after = rows.at(-1)
  }
}

/** Rows of one statement; the connection is its own until the end. */
export async function* streamed(
  connections: Connections,
  dialect: Dialect,
  sql: string,
  cells: readonly Cell[],
  pageSize: number,
  signal?: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  const lease = await connections.lease(signal)
  try {
    for await (const rows of lease.session.stream(sql, cells, pageSize)) {
      signal?.throwIfAborted()
      yield rows
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw dialect.errorOf(error)
  } finally {
    await lease.end()
  }
}
