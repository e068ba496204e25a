import { createHash } from 'node:crypto'
import { type Entry, type Filter, GreaterThanEqualsFilter } from 'ldapts'
import { isJsonObject, type Json } from '../../../model/json.ts'
import type { SyncToken } from '../../kit/changes.ts'
import { ConnectorError } from '../../kit/errors.ts'
import { searchBases } from '../base-search.ts'
import { idOf, valuesIn } from '../entries.ts'
import { and, idFilter, or } from '../filter.ts'
import { requireInstance, type Session, type Strategy, tokenOf, treeOf, Written } from './strategy.ts'

/**
 * Changes by the times at which entries were written, for servers that tell nothing better.
 *
 * Such a time is that of a second: entries of one second can be written before and after it is looked at, and an entry can become visible
 * after a later one. So the last while is read again each time, and the token has digests of the entries in it: those that are as they were
 * are left out. Deletions leave no trace in times.
 */
interface Position {
  /** The newest time that was seen, as the server writes it; empty: there was no entry. */
  readonly newest: string
  /** Entries of the last while: id → digest. */
  readonly seen: Readonly<Record<string, string>>
}

const overlap = 60_000
/** Entries whose digests are kept; what was written besides in the same minute is told twice. */
const mostSeen = 2_000

export const timestamps: Strategy = {
  async latest(session) {
    const instance = await treeOf(session)
    const newest = await newestOf(session)
    const entries = newest === '' ? [] : await entriesFrom(session, before(newest))
    return tokenAt(instance, newest, entries)
  },
  async since(session, token) {
    const instance = await treeOf(session)
    requireInstance(token, 'timestamps', instance, `The tree of ${session.facts.server}`)
    const { newest, seen } = positionOf(token.position)
    const entries = await entriesFrom(session, newest === '' ? '' : before(newest))
    await requireNotRestored(session, Object.keys(seen), entries)
    const written = new Written()
    for (const { id, digest } of entries) if (seen[id] !== digest) written.add(id, false)
    const last = [newest, ...entries.map(({ time }) => time)].reduce(later)
    return { ids: written.ids, hasUnknownDeletions: true, token: tokenAt(instance, last, entries) }
  },
}

interface Seen {
  readonly id: string
  readonly time: string
  readonly digest: string
}

function tokenAt(instance: string, newest: string, entries: readonly Seen[]): SyncToken {
  const from = newest === '' ? '' : before(newest)
  const inWindow = entries.filter(({ time }) => later(time, from) === time)
  const recent = inWindow.toSorted((a, b) => (later(a.time, b.time) === a.time ? -1 : 1)).slice(0, mostSeen)
  const seen: Json = Object.fromEntries(recent.map(({ id, digest }) => [id, digest]))
  return tokenOf('timestamps', instance, { newest, seen })
}

/** Found in growing stretches of time, so that a large directory is not read as a whole. */
async function newestOf(session: Session): Promise<string> {
  const minute = 60_000
  for (const back of [minute, 60 * minute, 48 * 60 * minute]) {
    const times = (await entriesFrom(session, timeText(session.now - back))).map(({ time }) => time)
    if (times.length > 0) return times.reduce(later)
  }
  return (await entriesFrom(session, '', true)).map(({ time }) => time).reduce(later, '')
}

/** Times only go forward. An entry of the last while that is older now has come back from a backup. */
async function requireNotRestored(
  session: Session,
  seen: readonly string[],
  entries: readonly Seen[],
): Promise<void> {
  const found = new Set(entries.map(({ id }) => id))
  const missing = seen.filter((id) => !found.has(id))
  if (missing.length === 0) return
  const { kind } = session
  const isBack =
    (await matching(session, and([kind.filter, idFilter(missing.slice(0, 100), kind.names)]), true)).length >
    0
  if (!isBack && missing.length < seen.length) return
  const fact = isBack
    ? 'has an entry that is older than it was: it was restored'
    : 'has none of the entries any more that were written last'
  throw new ConnectorError('staleToken', `${session.facts.server} ${fact}`)
}

async function entriesFrom(session: Session, from: string, timesOnly = false): Promise<readonly Seen[]> {
  const { modified, created } = session.facts.profile.times
  const isLater = [modified, created].map(
    (attribute) => new GreaterThanEqualsFilter({ attribute, value: from }),
  )
  return matching(
    session,
    from === '' ? session.kind.filter : and([session.kind.filter, or(isLater)]),
    timesOnly,
  )
}

async function matching(session: Session, filter: Filter, timesOnly: boolean): Promise<readonly Seen[]> {
  const { connection, facts, settings, kind, signal } = session
  const { modified, created } = facts.profile.times
  const wanted = settings.changes.attributes.length > 0 ? settings.changes.attributes : ['*']
  const attributes = [facts.uidAttribute, modified, created, ...(timesOnly ? [] : wanted)]
  const { binary } = kind.attributes
  const pages = searchBases(
    connection,
    facts,
    settings,
    { filter, attributes, binary, pageSize: settings.pageSize, scope: kind.scope },
    signal,
  )
  const found: Seen[] = []
  for (let next = await pages.next(); ; next = await pages.next()) {
    if (next.done) {
      // A part of them says nothing about the rest.
      if (next.value.state === 'complete') return found
      throw new ConnectorError('failed', `liveSync needs all entries of a time: ${next.value.reason}`)
    }
    for (const entry of next.value) {
      const id = idOf(entry, facts.uidAttribute)
      const text = (name: string) => String(valuesIn(entry[name])[0] ?? '')
      if (id !== undefined)
        found.push({
          id,
          time: later(text(modified), text(created)),
          digest: timesOnly ? '' : digestOf(entry, session),
        })
    }
  }
}

/** Of what counts as a change: with `attributesToSynchronize` not the times. */
function digestOf(entry: Entry, { facts, settings }: Session): string {
  const { modified, created } = facts.profile.times
  const isTime = (name: string) => name === modified || name === created
  const counts = (name: string) => settings.changes.attributes.length === 0 || !isTime(name)
  const values = Object.entries(entry)
    .filter(([name]) => counts(name))
    .map(
      ([name, given]) =>
        [
          name,
          valuesIn(given)
            .map((one) => (typeof one === 'string' ? one : one.toString('base64')))
            .toSorted(),
        ] as const,
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(values)).digest('base64url').slice(0, 11)
}

function positionOf(position: Json): Position {
  const { newest, seen } = isJsonObject(position) ? position : {}
  if (typeof newest === 'string' && isJsonObject(seen))
    return {
      newest,
      seen: Object.fromEntries(Object.entries(seen).map(([id, digest]) => [id, String(digest)])),
    }
  throw new ConnectorError('staleToken', 'The token is none of times')
}

function later(one: string, other: string): string {
  return one > other ? one : other
}

function before(time: string): string {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(time) ?? []
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (!Number.isNaN(milliseconds)) return timeText(milliseconds - overlap)
  throw new ConnectorError('failed', `"${time}" is no time of a directory`)
}

/** `20260131080500Z`: generalized time (RFC 4517, 3.3.13). */
function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().replace(/\D/g, '').slice(0, 14)}Z`
}
