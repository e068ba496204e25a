import { chunks } from '../../kit/chunks.ts'
import { compareText } from '../../model/sort.ts'
import { ConnectorError, kindOfError } from '../kit/errors.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import type { Cell, Column } from './column.ts'
import { type Dialect, manyParameters, type Session } from './dialect.ts'
import { type Draft, draftOf, groupsOf } from './drafts.ts'
import { Cells } from './filter.ts'
import { candidatesFor, contested, keyCell, movesOf, type Step } from './moves.ts'
import { idCondition, namesOf, type Reading } from './reading.ts'
import { idOf } from './table.ts'

/**
 * A page of writes in one transaction, with few statements: one looks which rows there are and locks them; then deletes, changes
 * of keys, updates and inserts that have the same columns go together. If such a statement fails, it is taken back to
 * its savepoint, and its rows are written one by one, so that a bad row fails alone.
 */
export async function writePage(
  session: Session,
  reading: Reading,
  writes: readonly ConnectorWrite[],
  signal: AbortSignal,
): Promise<readonly ConnectorWriteOutcome[]> {
  const page = new PageWrites(session, reading, writes.length)
  const drafts = writes.flatMap((write, place): Draft[] => {
    const draft = draftOf(write, place, reading.table)
    if (!(draft instanceof Error)) return [draft]
    page.fail(place, draft)
    // Its row stays: others may not take its id.
    return []
  })
  if (drafts.length === 0) return page.outcomes()
  // A server that hangs is left; it takes back what was not committed.
  const leave = () => void session.close()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await session.run(reading.dialect.begin)
    const groups = groupsOf(drafts)
    // All rows at first, in the order of their keys: pages that lock them in steps block each other.
    if (groups.length > 1) await page.existing(drafts)
    for (const group of groups) {
      signal.throwIfAborted()
      await page.write(group)
    }
    signal.throwIfAborted()
  } catch (error) {
    if (!session.isClosed) await session.run('ROLLBACK').catch(() => session.close())
    throw error
  } finally {
    signal.removeEventListener('abort', leave)
  }
  await commit(session, reading.dialect)
  return page.outcomes()
}

async function commit(session: Session, dialect: Dialect): Promise<void> {
  try {
    await session.run('COMMIT')
  } catch (thrown) {
    const error = dialect.errorOf(thrown)
    await session.close()
    if (error.kind !== 'connection') throw error
    const fact = `The connection broke while a page was being committed; whether it was written is unknown`
    throw new ConnectorError('connection', `${fact}: ${error.message}`, { cause: error })
  }
}

/** Failures after which the transaction is lost, or the database cannot go on. */
const endings: ReadonlySet<string> = new Set([
  'connection',
  'timeout',
  'busy',
  'conflict',
  'misconfigured',
  'failed',
])

class PageWrites {
  readonly #session: Session
  readonly #reading: Reading
  readonly #outcomes: ConnectorWriteOutcome[]
  #savepoints = 0

  constructor(session: Session, reading: Reading, count: number) {
    this.#session = session
    this.#reading = reading
    const error = new ConnectorError('failed', 'It was not written')
    this.#outcomes = Array.from({ length: count }, () => ({ ok: false, error }))
  }

  outcomes(): readonly ConnectorWriteOutcome[] {
    return this.#outcomes
  }

  fail(place: number, error: Error): void {
    this.#outcomes[place] = { ok: false, error }
  }

  async write(group: readonly Draft[]): Promise<void> {
    const found = await this.existing(group)
    const there = group.filter((draft) => {
      if (draft.from === undefined || found.get(draft.from) === 1) return true
      this.fail(draft.place, found.has(draft.from) ? this.#doubled(draft.from) : this.#unknown(draft.from))
      return false
    })
    const refused = new Set(contested(there, new Set(found.keys())))
    for (const { place, to = '' } of refused) this.fail(place, this.#taken(to))
    const drafts = there.filter((draft) => !refused.has(draft))
    await this.#alike(
      drafts.filter(({ kind }) => kind === 'delete'),
      (some) => this.#delete(some),
    )
    await this.#move(drafts)
    const kept = drafts.filter(({ kind, from, to }) => kind === 'update' && from === to)
    for (const some of byColumns(kept)) await this.#alike(some, (rows) => this.#update(rows))
    for (const some of byColumns(drafts.filter(({ kind }) => kind === 'insert')))
      await this.#alike(some, (rows) => this.#insert(rows), some[0]?.to === undefined ? 1 : undefined)
  }

  /** How many rows have each of the ids that the drafts are about; they are locked. */
  async existing(group: readonly Draft[]): Promise<ReadonlyMap<string, number>> {
    const ids = new Set(group.flatMap(({ from, to }) => [from, to].filter((id) => id !== undefined)))
    const found = new Map<string, number>()
    for (const some of chunks([...ids].sort(compareText), 1_000))
      for (const id of await this.#lock(some)) if (ids.has(id)) found.set(id, (found.get(id) ?? 0) + 1)
    return found
  }

  async #lock(ids: readonly string[]): Promise<readonly string[]> {
    const { table, dialect } = this.#reading
    const cells = new Cells(dialect)
    const condition = idCondition(ids, table, dialect, cells)
    if (condition === undefined) return []
    const key = dialect.quote(table.key.name)
    const sql = `SELECT ${key} FROM ${table.sql}${dialect.locking.ofTable} WHERE ${condition} ORDER BY ${key}${dialect.locking.atEnd}`
    const rows = await this.#session.rows(sql, cells.list)
    return rows.flatMap(([cell]) => idOf(cell ?? null, table.key) ?? [])
  }

  /** All by one statement; if it fails, each by its own. */
  async #alike(
    drafts: readonly Draft[],
    work: (some: readonly Draft[]) => Promise<void>,
    most?: number,
  ): Promise<void> {
    const width = (drafts[0]?.cells.size ?? 0) + 1
    const atOnce = this.#reading.dialect.mostParameters ?? manyParameters
    for (const some of chunks(drafts, most ?? Math.max(1, Math.floor(atOnce / width)))) {
      const failure = await this.#try(() => work(some))
      if (failure === undefined) continue
      if (some.length === 1) for (const { place } of some) this.fail(place, failure)
      else
        for (const draft of some) {
          const own = await this.#try(() => work([draft]))
          if (own) this.fail(draft.place, own)
        }
    }
  }

  /** The error after which everything that the work did is taken back; throws where the page cannot go on. */
  async #try(work: () => Promise<void>): Promise<Error | undefined> {
    const name = `s${++this.#savepoints}`
    const { set, back, release } = this.#reading.dialect.savepoints
    await this.#session.run(set(name))
    try {
      await work()
      if (release) await this.#session.run(release(name))
      return undefined
    } catch (thrown) {
      const error = this.#reading.dialect.errorOf(thrown)
      if (endings.has(kindOfError(error) ?? 'failed')) throw error
      await this.#session.run(back(name))
      return error
    }
  }

  async #delete(drafts: readonly Draft[]): Promise<void> {
    const { table, dialect } = this.#reading
    const cells = new Cells(dialect)
    const condition = idCondition(
      drafts.map(({ from = '' }) => from),
      table,
      dialect,
      cells,
    )
    if (condition !== undefined)
      await this.#session.run(`DELETE FROM ${table.sql} WHERE ${condition}`, cells.list)
    for (const { place, from = '' } of drafts) this.#done(place, from)
  }

  async #update(drafts: readonly Draft[]): Promise<void> {
    const { table, dialect } = this.#reading
    const columns = [...(drafts[0]?.cells.keys() ?? [])]
    const cells = new Cells(dialect)
    const rows = drafts.map((draft) => [keyCell(draft.from ?? '', table.key), ...cellsOf(draft, columns)])
    if (columns.length > 0)
      await this.#session.run(dialect.updateRows(table.sql, table.key, columns, rows, cells), cells.list)
    for (const { place, from = '' } of drafts) this.#done(place, from)
  }

  async #insert(drafts: readonly Draft[]): Promise<void> {
    const { table, dialect } = this.#reading
    const columns = [...(drafts[0]?.cells.keys() ?? [])]
    const cells = new Cells(dialect)
    const insert = {
      into: `INSERT INTO ${table.sql} (${namesOf(columns, dialect)})`,
      rows: dialect.rowsOf(
        drafts.map((draft) => cellsOf(draft, columns)),
        columns,
        cells,
      ),
    }
    const [first] = drafts
    if (first?.to === undefined) {
      const cell = await dialect.insertGenerating(this.#session, insert, cells.list, table.key)
      this.#done(first?.place ?? 0, idOf(cell, table.key) ?? '')
      return
    }
    await this.#session.run(`${insert.into} ${insert.rows}`, cells.list)
    for (const { place, to = '' } of drafts) this.#done(place, to)
  }

  /** A chain is done as a whole or not at all. */
  async #move(drafts: readonly Draft[]): Promise<void> {
    const isMoving = drafts.some(({ kind, from, to }) => kind === 'update' && from !== to)
    if (!isMoving) return
    const candidates = candidatesFor(this.#reading.table.key, drafts.length)
    const used = new Set(await this.#lock(candidates))
    const free = candidates.filter((id) => !used.has(id))
    const { chains, stuck } = movesOf(drafts, (place) => free[place])
    for (const { place, to = '' } of stuck) this.fail(place, this.#taken(to))
    for (const chain of chains) {
      const failure = await this.#try(async () => {
        for (const step of chain) await this.#step(step)
      })
      for (const { draft } of chain)
        if (failure) this.fail(draft.place, failure)
        else this.#done(draft.place, draft.to ?? '')
    }
  }

  async #step(step: Step): Promise<void> {
    const { table, dialect } = this.#reading
    const { draft } = step
    const { key } = table
    const cells = new Cells(dialect)
    const isAside = step.kind === 'aside'
    const given = isAside ? new Map([[key, keyCell(step.to, key)]]) : draft.cells
    const sets = Array.from(
      given,
      ([column, cell]) => `${dialect.quote(column.name)} = ${cells.add(cell, column)}`,
    )
    const from = keyCell(isAside ? (draft.from ?? '') : step.from, key)
    const where = `${dialect.quote(key.name)} = ${cells.add(from, key)}`
    await this.#session.run(`UPDATE ${table.sql} SET ${sets.join(', ')} WHERE ${where}`, cells.list)
  }

  #done(place: number, id: string): void {
    this.#outcomes[place] = { ok: true, id }
  }

  #unknown(id: string): ConnectorError {
    const { key, settings } = this.#reading.table
    return new ConnectorError('unknownId', `${settings.table} has no row with the ${key.name} "${id}"`)
  }

  #taken(id: string): ConnectorError {
    const { key, settings } = this.#reading.table
    return new ConnectorError(
      'alreadyExists',
      `${settings.table} already has a row with the ${key.name} "${id}"`,
    )
  }

  #doubled(id: string): ConnectorError {
    const { key, settings } = this.#reading.table
    const fact = `${settings.table} has more than one row with the ${key.name} "${id}"; which one is meant is unknown`
    return new ConnectorError('unreadable', fact)
  }
}

/** Those that set the same columns. */
function byColumns(drafts: readonly Draft[]): readonly (readonly Draft[])[] {
  const groups = new Map<string, Draft[]>()
  for (const draft of drafts) {
    const name = JSON.stringify([
      draft.to === undefined,
      ...Array.from(draft.cells.keys(), ({ name }) => name).sort(),
    ])
    const group = groups.get(name)
    if (group) group.push(draft)
    else groups.set(name, [draft])
  }
  return [...groups.values()]
}

function cellsOf({ cells }: Draft, columns: readonly Column[]): readonly Cell[] {
  return columns.map((column) => cells.get(column) ?? null)
}
