import { isJsonObject, type Json } from '../../model/json.ts'
import { completeListing } from '../../model/listing.ts'
import { type ChangesPage, requireEpoch, type SyncToken } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorHost } from '../kit/kind.ts'
import type { SearchEnd } from '../kit/query.ts'
import { byColumn } from './changes.ts'
import { type Comparison, comparedSince, snapshotToken } from './comparing.ts'
import { byReplicationSlot } from './decoding.ts'
import type { Following } from './following.ts'
import type { ChangeReading } from './row-stream.ts'
import type { SqlSettings } from './settings.ts'

/**
 * How the changes of a table are found: by a column that grows (changes.ts), by the log of PostgreSQL (decoding.ts), or else by
 * comparison with a snapshot (comparing.ts). With both, the snapshot is one of the keys alone and tells what is gone.
 */
export interface TableChanges {
  latestToken(reading: ChangeReading, signal?: AbortSignal): Promise<SyncToken>
  changesSince(
    reading: ChangeReading,
    token: SyncToken | null,
    signal?: AbortSignal,
  ): AsyncGenerator<ChangesPage, SearchEnd>
}

/** Undefined where there is neither a column nor a place for snapshots. */
export function tableChanges(
  settings: SqlSettings,
  { stateFolder }: Pick<ConnectorHost, 'stateFolder'>,
): TableChanges | undefined {
  const base = (name: string) => (stateFolder === undefined ? undefined : `${stateFolder}/${name}`)
  const keys = settings.detectDeletes ? base('keys') : undefined
  const slot = settings.replicationSlot
  if (slot !== undefined) return new Followed(byReplicationSlot(slot), keys)
  if (settings.changes) return new Followed(byColumn, keys)
  const rows = base('rows')
  if (rows === undefined) return undefined
  const comparison = (reading: ChangeReading): Comparison => ({ ...reading, base: rows, keysOnly: false })
  return {
    latestToken: (reading, signal) => snapshotToken(comparison(reading), signal),
    changesSince: (reading, token, signal) => comparedSince(comparison(reading), token, signal),
  }
}

/** The position of a token: how far changes are known, of which database, and which keys there were. */
interface Position {
  readonly at: Json
  readonly database: Json
  readonly keys?: SyncToken
}

/** `keys`: the path of the snapshots that tell what is gone. */
class Followed implements TableChanges {
  readonly #following: Following
  readonly #keys: string | undefined

  constructor(following: Following, keys: string | undefined) {
    this.#following = following
    this.#keys = keys
  }

  async latestToken(reading: ChangeReading, signal?: AbortSignal): Promise<SyncToken> {
    const database = await identityOf(reading, signal)
    const at = await this.#following.latest(reading, signal)
    const comparison = this.#comparison(reading)
    return this.#tokenOf(reading, {
      ...{ at, database },
      ...(comparison && { keys: await snapshotToken(comparison, signal) }),
    })
  }

  async *changesSince(
    reading: ChangeReading,
    token: SyncToken | null,
    signal?: AbortSignal,
  ): AsyncGenerator<ChangesPage, SearchEnd> {
    if (token) requireEpoch(token, this.#epochOf(reading), `The table ${reading.table.settings.table}`)
    const before = token === null ? undefined : positionOf(token)
    const database = await identityOf(reading, signal)
    if (before && isOther(before.database, database))
      throw new ConnectorError(
        'staleToken',
        `${reading.table.settings.table} or its database has been restored or replaced since changes were last read`,
      )
    const keys = before?.keys
    const known = before?.at
    let reached = known ?? null
    for await (const { changes, at } of this.#following.after(reading, known, signal)) {
      reached = at
      yield { changes, token: this.#tokenOf(reading, { at, database, ...(keys && { keys }) }) }
    }
    const comparison = this.#comparison(reading)
    if (!comparison) return completeListing
    // After the column: what comes in between is there, at worst, to be found missing next time.
    const gone = comparedSince(comparison, keys ?? null, signal)
    let next = await gone.next()
    for (; !next.done; next = await gone.next()) {
      const { changes, token: found } = next.value
      const position = { at: reached, database, ...(found && { keys: found }) }
      yield { changes, token: this.#tokenOf(reading, position) }
    }
    return next.value
  }

  #epochOf(reading: ChangeReading): string {
    const { dialect, table } = reading
    return `${dialect.place} ${table.sql} ${this.#following.nameIn(reading)}`
  }

  #tokenOf(reading: ChangeReading, { at, database, keys }: Position): SyncToken {
    const known = keys && { epoch: keys.epoch, position: keys.position }
    return { epoch: this.#epochOf(reading), position: { at, database, ...(known && { keys: known }) } }
  }

  #comparison(reading: ChangeReading): Comparison | undefined {
    return this.#keys === undefined ? undefined : { ...reading, base: this.#keys, keysOnly: true }
  }
}

async function identityOf(
  { connections, dialect, table }: ChangeReading,
  signal?: AbortSignal,
): Promise<Json> {
  return connections.use(
    (session) => dialect.identity(session, table.settings.query === undefined ? table.sql : undefined),
    signal,
  )
}

/** Another database, or another table of this name; or the same one in an earlier state. */
function isOther(before: Json, now: Json): boolean {
  if (!isJsonObject(before) || !isJsonObject(now)) return false
  return before.name !== now.name || BigInt(String(now.age)) < BigInt(String(before.age))
}

function positionOf({ position }: SyncToken): Position {
  const { at = null, database = null, keys } = isJsonObject(position) ? position : {}
  const known = isJsonObject(keys) && typeof keys.epoch === 'string' ? keys : undefined
  return {
    ...{ at, database },
    ...(known && { keys: { epoch: String(known.epoch), position: known.position ?? null } }),
  }
}
