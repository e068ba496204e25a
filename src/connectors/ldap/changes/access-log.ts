import { type Filter, GreaterThanEqualsFilter } from 'ldapts'
import type { Json, JsonObject } from '../../../model/json.ts'
import { ConnectorError } from '../../kit/errors.ts'
import type { Connection } from '../connection.ts'
import type { Facts } from '../directory.ts'
import { contains, keyOf, parseDn } from '../dn.ts'
import { valuesIn } from '../entries.ts'
import { and, equals } from '../filter.ts'
import type { LdapSettings } from '../settings.ts'
import {
  concernsAttributes,
  ignoredAuthors,
  requireInstance,
  type Session,
  type Strategy,
  tokenOf,
  Written,
} from './strategy.ts'

/** What reading the log needs of a connection. */
type Log = Pick<Connection, 'entry' | 'search'>

/**
 * The access log of OpenLDAP (slapo-accesslog): one entry a write, with its change sequence number (CSN) and the id of the entry that
 * was written. CSNs are given before writes take effect, so a smaller one may appear after a greater one: reading begins a
 * while before the position, and leaves out what was read then.
 */
export interface AccessLog {
  /** The name of its root. */
  readonly name: string
  /** The database that it logs. */
  readonly epoch: string
  /** The log has every write after this one; absent: nothing was logged yet. */
  readonly oldest: string | undefined
  /** Ask for what modifications have written. */
  readonly withAttributes?: boolean
}

export interface LogPosition {
  /** The greatest CSN that was read; empty: the log was empty. */
  readonly csn: string
  /** Those that were read within the overlap before it. */
  readonly seen: readonly string[]
}

export interface LoggedWrite {
  readonly csn: string
  readonly id: string
  readonly type: string
  /** The name of who wrote. */
  readonly author: string
  /** What a modification has written, if that was asked for. */
  readonly attributes: readonly string[]
}

/** What is known of entries by the log of all writes. */
export const accessLog: Strategy = {
  async latest(session) {
    const { connection, facts, now, signal } = session
    const log = await requireLog(session)
    const position = await endOfLog(connection, facts, log, now, signal)
    return tokenOf('accessLog', log.epoch, jsonOf(position))
  },
  async since(session, token) {
    const { connection, facts, settings, signal } = session
    const log = await requireLog(session)
    requireInstance(token, 'accessLog', log.epoch, `The database of ${facts.server}`)
    const position = positionOf(token.position)
    const withAttributes = settings.changes.attributes.length > 0
    const found = await writesAfter(connection, facts, { ...log, withAttributes }, position, signal)
    const isIgnored = ignoredAuthors(settings)
    const concerns = concernsAttributes(settings)
    const written = new Written()
    const renamed = new Set<string>()
    for (const { id, type, author, attributes } of found) {
      if (id === '' || isIgnored(author)) continue
      if (type !== 'modify' || concerns(attributes)) written.add(id, type === 'add')
      if (type === 'modrdn') renamed.add(id)
    }
    const csns = found.map(({ csn }) => csn)
    const next = jsonOf(positionAfter(position, csns))
    return {
      ids: written.ids,
      renamed,
      hasUnknownDeletions: false,
      token: tokenOf('accessLog', log.epoch, next),
    }
  },
}

const overlap = 60_000

async function requireLog({ connection, facts, settings, signal }: Session): Promise<AccessLog> {
  const log = await findLog(connection, facts, settings, signal)
  if (typeof log !== 'string') return log
  throw new ConnectorError('unsupported', `liveSync cannot read the access log of ${facts.server}: ${log}`, {
    hint: 'Add the overlay accesslog to the database of the base contexts, with olcAccessLogOps: writes.',
  })
}

/** The log of the database of the base contexts; a text says why there is none that tells everything. */
export async function findLog(
  connection: Log,
  { root, server, uidAttribute }: Facts,
  { bases }: LdapSettings,
  signal?: AbortSignal,
): Promise<AccessLog | string> {
  if (uidAttribute.toLowerCase() !== 'entryuuid')
    return `it knows entries by entryUUID, and uidAttribute is ${uidAttribute}`
  const contexts = (root.get('namingcontexts') ?? []).filter((context) => {
    const dn = parseDn(context) ?? []
    return bases.some((base) => contains(dn, base.dn))
  })
  const logs = new Map<string, AccessLog>()
  for (const context of contexts) {
    const entry = await connection.entry(context, { attributes: ['auditContext', 'entryUUID'] }, signal)
    const [name] = valuesIn(entry?.auditContext).map(String)
    const [epoch = ''] = valuesIn(entry?.entryUUID).map(String)
    if (name === undefined) continue
    const log = await connection.entry(name, { attributes: ['minCSN'] }, signal)
    if (!log)
      throw new ConnectorError(
        'permission',
        `${server} does not show its access log ${name} to the account of this system`,
      )
    logs.set(keyOf(parseDn(name) ?? []), {
      name,
      epoch,
      oldest: valuesIn(log.minCSN).map(String).toSorted().at(-1),
    })
  }
  const [log, other] = logs.values()
  if (log && !other && contexts.length === 1) return log
  return log ? 'the base contexts lie in several databases' : 'there is none'
}

function positionOf(position: Json): LogPosition {
  const { csn, seen } = Object(position)
  const isValid =
    typeof csn === 'string' && Array.isArray(seen) && seen.every((one) => typeof one === 'string')
  if (isValid) return { csn, seen }
  throw new ConnectorError('staleToken', 'The token is none of an access log')
}

function jsonOf({ csn, seen }: LogPosition): JsonObject {
  return { csn, seen: [...seen] }
}

/** The end of the log: found in growing stretches of time, so that a long log is not read as a whole. */
export async function endOfLog(
  connection: Log,
  facts: Pick<Facts, 'paged' | 'server'>,
  log: AccessLog,
  now: number,
  signal?: AbortSignal,
): Promise<LogPosition> {
  if (log.oldest === undefined) return { csn: '', seen: [] }
  const minute = 60_000
  for (const back of [minute, 60 * minute, 48 * 60 * minute, Number.POSITIVE_INFINITY]) {
    const from = back === Number.POSITIVE_INFINITY ? '' : csnAt(now - back)
    const csns = (await writesFrom(connection, facts, log, from, signal)).map(({ csn }) => csn)
    if (csns.length > 0) return positionAfter({ csn: '', seen: [] }, csns)
  }
  // All was purged: the log is complete from here on.
  return { csn: log.oldest, seen: [log.oldest] }
}

/** The writes after a position, in their order; fails where the log cannot say what has happened since. */
export async function writesAfter(
  connection: Log,
  facts: Pick<Facts, 'paged' | 'server'>,
  log: AccessLog,
  position: LogPosition,
  signal?: AbortSignal,
): Promise<readonly LoggedWrite[]> {
  await requireComplete(connection, facts, log, position, signal)
  if (log.oldest === undefined) return []
  const from = position.csn === '' ? '' : csnAt(timeOf(position.csn) - overlap)
  const seen = new Set(position.seen)
  const writes = await writesFrom(connection, facts, log, from, signal)
  return writes.filter(({ csn }) => !seen.has(csn)).toSorted((a, b) => (a.csn < b.csn ? -1 : 1))
}

/** The position after these writes. */
export function positionAfter(position: LogPosition, csns: readonly string[]): LogPosition {
  const all = [...new Set([...position.seen, ...csns])].toSorted()
  const csn = [position.csn, ...all].toSorted().at(-1) ?? ''
  const from = csn === '' ? '' : csnAt(timeOf(csn) - overlap)
  return { csn, seen: all.filter((one) => one >= from) }
}

async function requireComplete(
  connection: Log,
  facts: Pick<Facts, 'paged' | 'server'>,
  log: AccessLog,
  { csn }: LogPosition,
  signal?: AbortSignal,
): Promise<void> {
  const { oldest } = log
  if (oldest === undefined && csn === '') return
  const isThere = async (one: string) =>
    (await writesOf(connection, facts, log, equals('entryCSN', one), signal)).length > 0
  // Purging sets `oldest` to the last write that was removed; before the first purge it is the first one there is.
  const isComplete =
    oldest !== undefined &&
    (csn === '' ? await isThere(oldest) : oldest === csn || (oldest < csn && (await isThere(csn))))
  if (isComplete) return
  const message = `The access log ${log.name} of ${facts.server} does not reach back to where changes were last read: it was purged, or the server was restored or replaced`
  throw new ConnectorError('staleToken', message)
}

async function writesFrom(
  connection: Log,
  facts: Pick<Facts, 'paged' | 'server'>,
  log: AccessLog,
  from: string,
  signal?: AbortSignal,
): Promise<readonly LoggedWrite[]> {
  const later = new GreaterThanEqualsFilter({ attribute: 'entryCSN', value: from })
  return writesOf(connection, facts, log, from === '' ? undefined : later, signal)
}

async function writesOf(
  connection: Log,
  { paged }: Pick<Facts, 'paged'>,
  { name, withAttributes }: AccessLog,
  filter: Filter | undefined,
  signal?: AbortSignal,
): Promise<readonly LoggedWrite[]> {
  const question = {
    filter: and([
      equals('objectClass', 'auditWriteObject'),
      equals('reqResult', '0'),
      ...(filter ? [filter] : []),
    ]),
    attributes: ['entryCSN', 'reqEntryUUID', 'reqType', 'reqAuthzID', ...(withAttributes ? ['reqMod'] : [])],
    binary: [],
    pageSize: paged ? 500 : undefined,
  }
  const writes: LoggedWrite[] = []
  // A limit is an error here: a part of the log says nothing.
  for await (const { entries } of connection.search(name, question, signal))
    for (const entry of entries) {
      const text = (attribute: string) => valuesIn(entry[attribute]).map(String)[0] ?? ''
      writes.push({
        ...{ csn: text('entryCSN'), id: text('reqEntryUUID'), type: text('reqType') },
        author: text('reqAuthzID').replace(/^dn:/, ''),
        // `mail:= a@example.com`
        attributes: valuesIn(entry.reqMod).map((one) => String(one).split(':')[0] ?? ''),
      })
    }
  return writes
}

/** The smallest CSN of a point in time: `20260131080500.000000Z#000000#000#000000`. */
function csnAt(time: number): string {
  const digits = new Date(time).toISOString().replace(/\D/g, '')
  return `${digits.slice(0, 14)}.${digits.slice(14, 17)}000Z#000000#000#000000`
}

function timeOf(csn: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(csn) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!Number.isNaN(time)) return time
  throw new ConnectorError('failed', `"${csn}" is no change sequence number`)
}
