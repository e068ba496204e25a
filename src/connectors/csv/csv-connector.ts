import { type FileHandle, realpath } from 'node:fs/promises'
import { chunks, repaged } from '../../kit/chunks.ts'
import { Mutex } from '../../kit/mutex.ts'
import { everything } from '../../model/filter/filter.ts'
import { compareText, type SortKey } from '../../model/sort.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import { removeParts } from '../files/copies.ts'
import { attempt, changedMeanwhile, identityOf, isSameFile, requireUnchanged } from '../files/file.ts'
import { isAbandoned, lockFile } from '../files/lock.ts'
import { removeLeftovers, replaceFile } from '../files/replace.ts'
import type { RowIndex } from '../files/row-index.ts'
import type { ChangesPage, SyncToken } from '../kit/changes.ts'
import type { Capabilities, Lifecycle } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import type {
  ConnectorEntry,
  ConnectorQuery,
  ObjectPage,
  PageQuery,
  Place,
  PlaceQuery,
  SearchEnd,
} from '../kit/query.ts'
import { isSameSecret } from '../kit/same-secret.ts'
import type { ObjectClass } from '../kit/schema.ts'
import { noSteps } from '../kit/steps.ts'
import { type Attributes, attribute, Secret, type Value } from '../kit/values.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { changesSince, latestToken } from './changes.ts'
import { heldValue, objectMaker, tableOf, uidOf } from './columns.ts'
import { openCsv } from './file.ts'
import { linesAt } from './lines.ts'
import { planPage, refusalOf } from './page.ts'
import { isOrderedById, pageOfIds } from './paging.ts'
import { readRows } from './read-rows.ts'
import type { CsvSettings } from './settings.ts'
import { missingRow, readSnapshot, requireWhole, rowError, type Snapshot, unreadableRow } from './snapshot.ts'

/**
 * A CSV file as a system (platform §5.1): one object class, one object a row, all values text.
 *
 * Reading: a row with an error is one unreadable object; all rows are checked before the first one is handed out. Rows stream.
 *
 * Writing: a page is one replacement of the file, so readers and crashes see it with the page or without. What other
 * programs wrote meanwhile is kept: the page is applied to the file as it is now, and only a write to a row that
 * they changed fails. Writers of Syncline wait for each other. Other programs ignore the lock, so there
 * remains the instant between the last check of the file and its replacement; a program that delivers its file by renaming it
 * into place loses nothing else.
 */
type CsvCapabilities = Omit<Capabilities, 'split' | 'ordered' | 'resolveUsername' | 'runScript' | 'discover'>

const objectClass = '__ACCOUNT__'
const pageSize = 500
/** The rows of a page may be scattered over the file: bytes between them are not read. */
const pageGap = 1024
/** How often a page is applied again to a file that keeps changing. */
const attempts = 5

export class CsvConnector implements Lifecycle, CsvCapabilities {
  readonly displayName = 'CSV File Connector'
  readonly #settings: CsvSettings
  /** The version of the file that was read or written last. */
  #snapshot: Snapshot | undefined
  /** The index belongs to one operation at a time. */
  readonly #turn = new Mutex()
  #hasLooked = false
  #hasCleanedUp = false

  constructor(settings: CsvSettings) {
    this.#settings = settings
  }

  agreedNames(): Readonly<Record<string, string>> {
    return { __NAME__: this.#settings.name, __PASSWORD__: this.#settings.password }
  }

  async test(signal?: AbortSignal, steps = noSteps): Promise<void> {
    steps.enter('open', this.#settings.file)
    await using handle = await this.#open(signal)
    steps.enter('content')
    const snapshot = await this.#turn.run(() => this.#current(handle, signal))
    requireWhole(snapshot, this.#settings)
    steps.tell(`rows: ${snapshot.index.size}, columns: ${snapshot.columns.names.length}`)
  }

  async schema(signal?: AbortSignal): Promise<Readonly<Record<string, ObjectClass>>> {
    const { names } = await this.#reading(async (_, { columns }) => columns, signal)
    const { uid, multivalued, password } = this.#settings
    const attributes = names.map((name) => ({
      name,
      type: 'string' as const,
      multivalued: multivalued.has(name),
      required: name === uid,
      comparison: 'exact' as const,
      secret: name === password,
      unique: name === uid,
    }))
    return { [objectClass]: { attributes } }
  }

  async *search(
    query: ConnectorQuery,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly ConnectorEntry[], SearchEnd> {
    requireAccounts(query.objectClass)
    await using handle = await this.#open(signal)
    const snapshot = await this.#turn.run(() => this.#current(handle, signal))
    const settings = this.#settings
    const { columns, faults, byRow, listing } = snapshot
    const { rows } = await tableOf(handle, settings, { signal, byRow })
    async function* unchanged() {
      yield* rows
      await requireUnchanged(handle, snapshot.identity, settings.file)
    }
    const asObject = objectMaker(columns, settings, query.fields)
    const size = query.pageSize ?? pageSize
    yield* repaged(unchanged(), size, (row) => {
      const uid = uidOf(row, columns)
      return uid === undefined || faults.has(uid) ? undefined : asObject(row.fields)
    })
    yield* chunks(
      Array.from(faults, ([id, fault]) => unreadableRow(id, fault, settings)),
      size,
    )
    return listing
  }

  async readMany(
    wantedClass: string,
    ids: readonly string[],
    fields?: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorEntry>> {
    requireAccounts(wantedClass)
    return this.#reading(async (handle, found) => {
      const { rows, snapshot } = await this.#rows(handle, found, ids, signal)
      const asObject = objectMaker(snapshot.columns, this.#settings, fields)
      const entries = new Map<string, ConnectorEntry>()
      for (const id of ids) {
        const fields = snapshot.faults.has(id) ? undefined : rows.get(id)
        const entry = fields ? asObject(fields) : missingRow(id, snapshot, this.#settings)
        if (entry) entries.set(id, entry)
      }
      return entries
    }, signal)
  }

  async locate(
    wantedClass: string,
    places: readonly PlaceQuery[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Place>> {
    requireAccounts(wantedClass)
    return this.#reading(async (handle, { index, columns }) => {
      const { file } = this.#settings
      const starts = places.map(({ id }) => index.range(id)?.start ?? Number.NaN)
      const lines = await linesAt(handle, file, starts)
      return new Map(
        places.flatMap(({ id, attribute = '' }, at): [string, Place][] => {
          const line = lines.get(starts[at] ?? Number.NaN)
          if (line === undefined) return []
          const position = columns.positions.get(attribute)
          const column = position === undefined ? undefined : position + 1
          const text = `${file}, line ${line}${column === undefined ? '' : `, column ${column} (${attribute})`}`
          return [[id, { text, detail: { file, line, ...(column !== undefined && { column }) } }]]
        }),
      )
    }, signal)
  }

  sorts(_wantedClass: string, sortKeys: readonly SortKey[]): boolean {
    return isOrderedById(sortKeys, this.#settings)
  }

  async page(query: PageQuery, signal?: AbortSignal): Promise<ObjectPage> {
    requireAccounts(query.objectClass)
    return this.#reading(async (handle, found) => {
      const { ids, ...page } = pageOfIds(idsIn(found), query)
      const { rows, snapshot } = await this.#rows(handle, found, ids, signal, pageGap)
      const asObject = objectMaker(snapshot.columns, this.#settings, query.fields)
      const { faults, listing } = snapshot
      const objects = ids.flatMap((id): ConnectorEntry[] => {
        const fault = faults.get(id)
        if (fault) return [unreadableRow(id, fault, this.#settings)]
        const fields = rows.get(id)
        return fields ? [asObject(fields)] : []
      })
      return { ...page, objects, listing }
    }, signal)
  }

  async count(wantedClass: string, signal?: AbortSignal): Promise<number> {
    requireAccounts(wantedClass)
    return this.#reading(
      async (_, snapshot) => (snapshot.faults.size > 0 ? idsIn(snapshot).length : snapshot.index.size),
      signal,
    )
  }

  deltas(_wantedClass: string, name: string): boolean {
    return this.#settings.multivalued.has(name)
  }

  idOf(_wantedClass: string, attributes: Attributes, proposed?: string): string | undefined {
    const given = attribute(attributes, this.#settings.uid)
    return (given === undefined || given === null ? '' : String(given)).trim() || proposed
  }

  exchangesIds(): boolean {
    return true
  }

  held(_wantedClass: string, name: string, value: Value): Value {
    return heldValue(name, value, this.#settings)
  }

  async refusals(
    wantedClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly (Error | undefined)[]> {
    requireAccounts(wantedClass)
    const columns = await this.#reading(async (_, snapshot) => snapshot.columns, signal)
    return writes.map((write) => refusalOf(write, columns, this.#settings))
  }

  async writeMany(
    wantedClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly ConnectorWriteOutcome[]> {
    requireAccounts(wantedClass)
    if (writes.length === 0) return []
    return this.#turn.run(async () => {
      const path = await this.#path()
      await using lock = await lockFile(path)
      if (lock.broken || !this.#hasCleanedUp) await removeLeftovers(path)
      this.#hasCleanedUp = true
      const known = this.#snapshot?.index
      for (let attempt = 0; attempt < attempts; attempt++) {
        signal?.throwIfAborted()
        const outcomes = await this.#writeOnce(path, writes, known)
        if (outcomes) return outcomes
      }
      throw new ConnectorError(
        'conflict',
        `${path} is changed by another program again and again; nothing was written`,
      )
    })
  }

  async latestToken(wantedClass: string): Promise<SyncToken> {
    requireAccounts(wantedClass)
    return this.#turn.run(async () => latestToken(this.#settings, await this.#path()))
  }

  async *changesSince(
    wantedClass: string,
    token: SyncToken | null,
    signal?: AbortSignal,
  ): AsyncGenerator<ChangesPage, SearchEnd> {
    requireAccounts(wantedClass)
    return yield* changesSince(this.#settings, await this.#path(), token, signal)
  }

  async authenticate(
    wantedClass: string,
    username: string,
    password: Secret,
    signal?: AbortSignal,
  ): Promise<string> {
    requireAccounts(wantedClass)
    const { name, password: column } = this.#settings
    for await (const page of this.search({ objectClass, filter: everything }, signal)) {
      for (const account of page) {
        if (isUnreadable(account)) continue
        if (account[name] === username && isPassword(account[column], password)) return account._id
      }
    }
    const message = `The password is wrong, or there is no account "${username}"`
    throw new ConnectorError('wrongCredentials', message)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn.idle()
    this.#snapshot = undefined
  }

  /** The page on the file as it is now; undefined if the file changed before the page was in it. */
  async #writeOnce(
    path: string,
    writes: readonly ConnectorWrite[],
    known: RowIndex | undefined,
  ): Promise<readonly ConnectorWriteOutcome[] | undefined> {
    await using handle = await this.#open()
    const touched = writes.flatMap((write) => (write.operation === 'create' ? [] : [write.id]))
    const { rows, snapshot } = await this.#rows(handle, await this.#current(handle), touched)
    if (snapshot.broken) throw rowError(snapshot.broken.line, snapshot.broken.fact, path)
    const page = planPage(writes, { snapshot, rows, known }, this.#settings)
    if (page.edits.length === 0) return page.outcomes
    const identity = await replaceFile(path, handle, snapshot.identity, page.edits)
    if (identity === undefined) return undefined
    page.follow()
    this.#snapshot = { ...snapshot, identity, endsOpen: page.endsOpen }
    // The lines that its errors name have moved.
    if (snapshot.faults.size > 0 || snapshot.listing.state !== 'complete') await this.#lookAgain()
    return page.outcomes
  }

  async #lookAgain(): Promise<void> {
    await using handle = await this.#open()
    this.#snapshot = await readSnapshot(handle, this.#settings)
  }

  /** The rows of these ids. If the index does not match the file, it is rebuilt. */
  async #rows(
    handle: FileHandle,
    snapshot: Snapshot,
    ids: readonly string[],
    signal?: AbortSignal,
    gap?: number,
  ): Promise<{ readonly rows: ReadonlyMap<string, readonly string[]>; readonly snapshot: Snapshot }> {
    const rows = await readRows(handle, snapshot, ids, this.#settings, gap)
    if (rows) return { rows, snapshot }
    this.#snapshot = undefined
    const anew = await readSnapshot(handle, this.#settings, signal)
    const found = await readRows(handle, anew, ids, this.#settings, gap)
    if (!found) throw changedMeanwhile(this.#settings.file)
    this.#snapshot = anew
    return { rows: found, snapshot: anew }
  }

  async #reading<T>(
    work: (handle: FileHandle, snapshot: Snapshot) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#turn.run(async () => {
      await using handle = await this.#open(signal)
      return await work(handle, await this.#current(handle, signal))
    })
  }

  /** Removes what a dead writer left; a read-only process leaves it there. */
  async #clearAbandoned(): Promise<void> {
    this.#hasLooked = true
    try {
      const path = await this.#path()
      await removeParts(path)
      if (!(await isAbandoned(path))) return
      await using _ = await lockFile(path)
      await removeLeftovers(path)
    } catch {
      // Errors of the file are reported when it is opened.
    }
  }

  async #open(signal?: AbortSignal): Promise<FileHandle> {
    signal?.throwIfAborted()
    if (!this.#hasLooked) await this.#clearAbandoned()
    return openCsv(this.#settings.file)
  }

  /** The snapshot of exactly this version of the file. */
  async #current(handle: FileHandle, signal?: AbortSignal): Promise<Snapshot> {
    if (!this.#snapshot || !isSameFile(this.#snapshot.identity, await identityOf(handle)))
      this.#snapshot = await readSnapshot(handle, this.#settings, signal)
    return this.#snapshot
  }

  /** A link stays a link: its target is replaced. */
  async #path(): Promise<string> {
    return attempt(this.#settings.file, 'opened', () => realpath(this.#settings.file))
  }
}

/** All that are known, in order. */
function idsIn({ index, faults }: Snapshot): readonly string[] {
  const ids = index.ordered()
  return faults.size === 0 ? ids : [...new Set([...ids, ...faults.keys()])].sort(compareText)
}

function requireAccounts(wanted: string): void {
  if (wanted === objectClass) return
  throw new ConnectorError(
    'unknownClass',
    `A CSV file has only objects of the type ${objectClass}, none of ${wanted}`,
  )
}

function isPassword(stored: Value | undefined, given: Secret): boolean {
  return stored instanceof Secret && isSameSecret(stored.reveal(), given)
}
