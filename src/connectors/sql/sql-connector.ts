import { createHash, timingSafeEqual } from 'node:crypto'
import { chunks } from '../../kit/chunks.ts'
import { everything, type Filter } from '../../model/filter/filter.ts'
import type { Json } from '../../model/json.ts'
import type { SortKey } from '../../model/sort.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { Changes, ChangesPage, SyncToken } from '../kit/changes.ts'
import type { Capabilities, Lifecycle } from '../kit/connector.ts'
import { ConnectorError, kindOfError } from '../kit/errors.ts'
import type { ConnectorHost } from '../kit/kind.ts'
import type {
  ConnectorEntry,
  ConnectorQuery,
  ObjectPage,
  PageQuery,
  SearchEnd,
  SplitFilter,
} from '../kit/query.ts'
import type { ObjectClass } from '../kit/schema.ts'
import { noSteps } from '../kit/steps.ts'
import { type Attributes, Secret, type Value } from '../kit/values.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { Connections } from './connections.ts'
import type { Dialect, Session } from './dialect.ts'
import { draftOf, foreseenId } from './drafts.ts'
import { type TableChanges, tableChanges } from './live-sync.ts'
import { writePage } from './page-writes.ts'
import {
  canSort,
  countWhere,
  doubled,
  keyFaults,
  type Reading,
  readByIds,
  readPage,
  selectionOf,
} from './reading.ts'
import { type ChangeReading, orderOfKey, rowsInOrder } from './row-stream.ts'
import type { SqlSettings } from './settings.ts'
import { heldIn, objectClassOf, readTable, type Table } from './table.ts'

/**
 * A table or view of a database as a system (platform §5.3): one object class, one object a row, an attribute for each
 * column. What differs between databases is in their dialects.
 */
type SqlCapabilities = Omit<
  Capabilities,
  'locate' | 'deltas' | 'ordered' | 'runScript' | 'latestToken' | 'changesSince'
>

const objectClass = '__ACCOUNT__'
const standardPageSize = 500
/** How often a page is written again that the database took back for the sake of another one. */
const attempts = 5

export class SqlConnector implements Lifecycle, SqlCapabilities {
  readonly displayName = 'Database Table Connector'
  /** Only with a `changeLogColumn`, or where snapshots can be kept. */
  readonly latestToken?: Changes['latestToken']
  readonly changesSince?: Changes['changesSince']
  readonly #settings: SqlSettings
  readonly #dialect: Dialect
  readonly #host: Pick<ConnectorHost, 'clock' | 'stateFolder'>
  readonly #connections: Connections
  /** As it was read last; what cannot wait for the database is answered from it. */
  #table: Table | undefined

  constructor(settings: SqlSettings, dialect: Dialect, host: Pick<ConnectorHost, 'clock' | 'stateFolder'>) {
    this.#settings = settings
    this.#dialect = dialect
    this.#host = host
    const changes = tableChanges(settings, host)
    if (changes) {
      this.latestToken = async (wanted, signal) =>
        changes.latestToken(await this.#changing(wanted, signal), signal)
      this.changesSince = (wanted, token, signal) => this.#changes(changes, wanted, token, signal)
    }
    this.#connections = new Connections(dialect, settings, host.clock)
  }

  agreedNames(): Readonly<Record<string, string>> {
    const { keyColumn, passwordColumn, status } = this.#settings
    return {
      __NAME__: keyColumn,
      ...(passwordColumn !== undefined && { __PASSWORD__: passwordColumn }),
      ...(status && { __ENABLE__: status.column }),
    }
  }

  async test(signal: AbortSignal = new AbortController().signal, steps = noSteps): Promise<void> {
    this.#table = undefined
    const session = await this.#dialect.connect(signal, steps).catch((error: unknown) => {
      signal.throwIfAborted()
      throw this.#dialect.errorOf(error)
    })
    await session.close()
    steps.enter('table', this.#settings.table)
    await this.#reading(async (used, { table }) => {
      steps.tell(`${table.sql}: ${table.columns.size} columns; the id is ${table.key.name}`)
      const { validationQuery } = this.#settings
      if (validationQuery === undefined) return
      steps.enter('test', 'validationQuery')
      await used.rows(validationQuery)
    }, signal)
  }

  async schema(signal?: AbortSignal): Promise<Readonly<Record<string, ObjectClass>>> {
    this.#table = undefined
    return this.#reading(async (_, { table }) => ({ [objectClass]: objectClassOf(table) }), signal)
  }

  /** The whole filter: which parts the database evaluates is known once its table has been looked at. */
  split(_wantedClass: string, filter: Filter): SplitFilter {
    return { native: filter, rest: everything }
  }

  async *search(
    query: ConnectorQuery,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly ConnectorEntry[], SearchEnd> {
    requireAccounts(query.objectClass)
    const { reading, doubles, listing } = await this.#reading(
      async (session, found) => ({ reading: found, ...(await keyFaults(session, found)) }),
      signal,
    )
    const { pageSize = standardPageSize } = query
    const statement = () => selectionOf(reading, query.filter, query.fields)
    const { accepts, reader } = statement()
    const source = { connections: this.#connections, dialect: this.#dialect }
    for await (const rows of rowsInOrder(source, orderOfKey(reading), statement, pageSize, signal)) {
      const page = rows.flatMap((row): ConnectorEntry[] => {
        const entry = reader.read(row)
        return entry && !doubles.has(entry._id) && accepts(entry) ? [entry] : []
      })
      if (page.length > 0) yield page
    }
    yield* chunks(
      [...doubles].map((id) => doubled(id, reading.table)),
      pageSize,
    )
    return listing
  }

  async page(query: PageQuery, signal?: AbortSignal): Promise<ObjectPage> {
    requireAccounts(query.objectClass)
    return this.#reading((session, reading) => readPage(session, reading, query), signal)
  }

  sorts(_wantedClass: string, sortKeys: readonly SortKey[]): boolean {
    return sortKeys.length === 0 || (this.#table !== undefined && canSort(this.#table, sortKeys))
  }

  async readMany(
    wantedClass: string,
    ids: readonly string[],
    fields?: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorEntry>> {
    requireAccounts(wantedClass)
    return this.#reading((session, reading) => readByIds(session, reading, ids, fields), signal)
  }

  async count(wantedClass: string, signal?: AbortSignal): Promise<number> {
    requireAccounts(wantedClass)
    return this.#reading(async (session, reading) => {
      const { key } = reading.table
      const name = this.#dialect.quote(key.name)
      if (key.unique) return countWhere(session, reading, key.nullable ? `${name} IS NOT NULL` : '')
      const [row] = await session.rows(`SELECT COUNT(DISTINCT ${name}) FROM ${reading.table.sql}`)
      return Number(row?.[0] ?? 0)
    }, signal)
  }

  idOf(_wantedClass: string, attributes: Attributes, proposed?: string): string | undefined {
    if (this.#table) return foreseenId(attributes, proposed, this.#table)
    const given = attributes[this.#settings.keyColumn]
    return given === undefined || given === null ? proposed : String(given)
  }

  exchangesIds(): boolean {
    return true
  }

  held(_wantedClass: string, name: string, value: Value): Value {
    return this.#table ? heldIn(name, value, this.#table) : value
  }

  async refusals(
    wantedClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly (Error | undefined)[]> {
    requireAccounts(wantedClass)
    if (this.#settings.query !== undefined) return writes.map(readOnly)
    return this.#reading(async (_, { table }) => {
      return writes.map((write, place) => {
        const draft = draftOf(write, place, table)
        return draft instanceof Error ? draft : undefined
      })
    }, signal)
  }

  async writeMany(
    wantedClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly ConnectorWriteOutcome[]> {
    requireAccounts(wantedClass)
    if (this.#settings.query !== undefined)
      return writes.map((write) => ({ ok: false, error: readOnly(write) }))
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connections.use(
          async (session, both) => writePage(session, await this.#known(session), writes, both),
          signal,
          true,
        )
      } catch (error) {
        // The database has taken the page back: nothing of it is written.
        if (kindOfError(error) !== 'conflict' || attempt >= attempts) throw error
        await this.#host.clock.sleep(Math.random() * 50 * attempt, signal)
      }
    }
  }

  async authenticate(
    wantedClass: string,
    username: string,
    password: Secret,
    signal?: AbortSignal,
  ): Promise<string> {
    requireAccounts(wantedClass)
    const column = (await this.#reading(async (_, { table }) => table, signal)).password
    if (!column)
      throw new ConnectorError('unsupported', 'The system has no passwordColumn: nobody can log in')
    const [[id, entry] = []] = await this.readMany(wantedClass, [username], [column.name], signal)
    const stored = entry && !isUnreadable(entry) ? entry[column.name] : undefined
    if (id !== undefined && isSame(stored, password)) return id
    const message = `The password is wrong, or there is no account "${username}"`
    throw new ConnectorError('wrongCredentials', message)
  }

  async resolveUsername(wantedClass: string, username: string, signal?: AbortSignal): Promise<string> {
    const [id] = (await this.readMany(wantedClass, [username], [], signal)).keys()
    if (id !== undefined) return id
    throw new ConnectorError('unknownId', `There is no account "${username}"`)
  }

  async discover(signal?: AbortSignal): Promise<Readonly<Record<string, readonly Json[]>>> {
    return this.#connections.use(async (session) => {
      const table = await this.#dialect.columns(session, this.#settings.table)
      const names = table?.columns.map(({ name }) => name) ?? []
      return {
        table: await this.#dialect.tables(session),
        keyColumn: names,
        passwordColumn: names,
        statusColumn: names,
        changeLogColumn: names,
      }
    }, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]()
  }

  async *#changes(
    found: TableChanges,
    wantedClass: string,
    token: SyncToken | null,
    signal?: AbortSignal,
  ): AsyncGenerator<ChangesPage, SearchEnd> {
    return yield* found.changesSince(await this.#changing(wantedClass, signal), token, signal)
  }

  async #changing(wantedClass: string, signal?: AbortSignal): Promise<ChangeReading> {
    requireAccounts(wantedClass)
    const reading = await this.#reading(async (_, found) => found, signal)
    return { ...reading, connections: this.#connections }
  }

  async #reading<T>(
    work: (session: Session, reading: Reading) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#connections.use(async (session) => {
      try {
        return await work(session, await this.#known(session))
      } catch (error) {
        // Perhaps the table is another one now.
        if (kindOfError(this.#dialect.errorOf(error)) === 'misconfigured') this.#table = undefined
        throw error
      }
    }, signal)
  }

  async #known(session: Session): Promise<Reading> {
    this.#table ??= await readTable(session, this.#dialect, this.#settings)
    return { table: this.#table, dialect: this.#dialect }
  }
}

function readOnly({ operation }: ConnectorWrite): ConnectorError {
  const fact = `The rows of a query can only be read, so there is no ${operation}`
  return new ConnectorError('unsupported', fact, {
    hint: 'Give the table in the place of the query to write.',
  })
}

function requireAccounts(wanted: string): void {
  if (wanted === objectClass) return
  throw new ConnectorError(
    'unknownClass',
    `A table has only objects of the type ${objectClass}, none of ${wanted}`,
  )
}

/** Takes the same time for any difference. */
function isSame(stored: Value | undefined, given: Secret): boolean {
  if (!(stored instanceof Secret) || given.reveal() === '') return false
  const digest = (secret: Secret) => createHash('sha256').update(secret.reveal()).digest()
  return timingSafeEqual(digest(stored), digest(given))
}
