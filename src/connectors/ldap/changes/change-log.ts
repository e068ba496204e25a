import { createHash } from 'node:crypto'
import { type Entry, type Filter, GreaterThanEqualsFilter, LessThanEqualsFilter } from 'ldapts'
import { chunks } from '../../../kit/chunks.ts'
import { isJsonObject, type Json } from '../../../model/json.ts'
import type { SyncToken } from '../../kit/changes.ts'
import { ConnectorError } from '../../kit/errors.ts'
import { valuesIn } from '../entries.ts'
import { and, equals, or } from '../filter.ts'
import { idsOfLog, type LoggedChange } from './logged-change.ts'
import { requireInstance, type Session, type Strategy, tokenOf, treeOf } from './strategy.ts'

/**
 * The change log of 389 Directory Server, OpenDJ and their relatives (`cn=changelog`): one entry a write, numbered.
 *
 * A number is given before its write is committed, so one can be missing and come later: such numbers are asked for again. The log
 * does not reach back if its first number is greater than the one that comes next; and it is another log if the last entry that was read
 * is not what it was.
 */
interface Position {
  readonly number: number
  /** Numbers below it that were not there, the newest ones. */
  readonly missing: readonly number[]
  /** A digest of the entry with this number; empty: there was none. */
  readonly mark: string
}

/** Of so many numbers behind the last one those that are missing may still come. */
const longestWait = 1_000

export const changeLog: Strategy = {
  async latest(session) {
    const log = await requireLog(session)
    const [last] = await entriesOf(session, log, equals(numberAttribute(session), String(log.last)))
    return tokenAt(session, { number: log.last, missing: [], mark: markOf(last) })
  },
  async since(session, token) {
    const log = await requireLog(session)
    const { facts, settings } = session
    const tree = await treeOf(session)
    requireInstance(token, 'changeLog', tree, `The tree of ${facts.server}`)
    const before = await positionIn(session, log, positionOf(token.position))
    const wanted = [...before.missing]
    for (let number = before.number + 1; number <= log.last; number++) wanted.push(number)
    const changes: LoggedChange[] = []
    const found = new Set<number>()
    let { mark } = before
    for (const block of chunks(wanted, settings.changes.log.blockSize))
      for (const entry of await entriesOf(session, log, blockFilter(block, session))) {
        const change = changeOf(entry, session)
        found.add(change.number)
        changes.push(change)
        if (change.number === log.last) mark = markOf(entry)
      }
    const missing = wanted.filter((number) => !found.has(number) && number > log.last - longestWait)
    if (!found.has(log.last) && log.last > before.number) mark = ''
    const next = await tokenAt(session, { number: log.last, missing: missing.slice(-100), mark })
    return { ...(await idsOfLog(session, changes)), token: next }
  },
}

export interface ChangeLog {
  readonly name: string
  readonly first: number
  /** 0: the log is empty. */
  readonly last: number
}

/** What the root DSE says of the log; undefined: there is none. */
export async function findChangeLog({
  connection,
  signal,
}: Pick<Session, 'connection' | 'signal'>): Promise<ChangeLog | undefined> {
  const attributes = ['changelog', 'firstChangeNumber', 'lastChangeNumber']
  const root = await connection.entry('', { attributes }, signal)
  const text = (name: string) => textOf(root, name)
  const name = text('changelog')
  if (name === '') return undefined
  return { name, first: Number(text('firstChangeNumber')) || 0, last: Number(text('lastChangeNumber')) || 0 }
}

async function requireLog(session: Session): Promise<ChangeLog> {
  const log = await findChangeLog(session)
  if (log) return log
  throw new ConnectorError('unsupported', `${session.facts.server} has no change log`, {
    hint: 'Switch it on at the server (389 Directory Server: the Retro Changelog Plugin), or let the account of this system read it.',
  })
}

async function tokenAt(session: Session, { number, missing, mark }: Position): Promise<SyncToken> {
  return tokenOf('changeLog', await treeOf(session), { number, missing: [...missing], mark })
}

/** The position itself, if the log still goes on from it; `staleToken` or what `resetSyncToken` says if not. */
async function positionIn(session: Session, log: ChangeLog, position: Position): Promise<Position> {
  const { server } = session.facts
  const { beyond } = session.settings.changes.log
  const { number, mark } = position
  if (number > log.last) {
    if (beyond === 'first') return { number: Math.max(0, log.first - 1), missing: [], mark: '' }
    if (beyond === 'last') return { number: log.last, missing: [], mark: '' }
    throw stale(
      `The change log of ${server} ends at ${log.last}, and was read up to ${number}: it was begun anew`,
    )
  }
  if (log.first > number + 1)
    throw stale(
      `The change log of ${server} begins at ${log.first}, and was read up to ${number}: it was purged`,
    )
  const [entry] = await entriesOf(session, log, equals(numberAttribute(session), String(number)))
  if (entry && mark !== '' && markOf(entry) !== mark)
    throw stale(
      `The change log of ${server} has another entry ${number} than it had: it was begun anew, or restored`,
    )
  return position
}

function stale(message: string): ConnectorError {
  return new ConnectorError('staleToken', message)
}

function positionOf(position: Json): Position {
  const { number, missing, mark } = isJsonObject(position) ? position : {}
  if (typeof number === 'number' && Array.isArray(missing) && typeof mark === 'string')
    return { number, missing: missing.map(Number), mark }
  throw stale('The token is none of a change log')
}

async function entriesOf(
  { connection, settings, signal }: Session,
  { name }: ChangeLog,
  filter: Filter,
): Promise<readonly Entry[]> {
  const ofClass = settings.changes.log.asksForClass ? [equals('objectClass', 'changeLogEntry')] : []
  const question = {
    filter: and([...ofClass, filter]),
    attributes: ['*', '+'],
    binary: [],
    pageSize: undefined,
  }
  const found: Entry[] = []
  for await (const { entries } of connection.search(name, question, signal)) found.push(...entries)
  return found
}

function blockFilter(numbers: readonly number[], session: Session): Filter {
  const attribute = numberAttribute(session)
  const [first = 0] = numbers
  const last = numbers.at(-1) ?? 0
  if (session.settings.changes.log.asksForEach || last - first >= 10 * numbers.length)
    return or(numbers.map((number) => equals(attribute, String(number))))
  return and([
    new GreaterThanEqualsFilter({ attribute, value: String(first) }),
    new LessThanEqualsFilter({ attribute, value: String(last) }),
  ])
}

function numberAttribute({ settings }: Session): string {
  return settings.changes.log.numberAttribute
}

function changeOf(entry: Entry, session: Session): LoggedChange {
  const text = (name: string) => textOf(entry, name)
  const written = text('changes').replaceAll(/\r?\n /g, '')
  const [, author = ''] = /^(?:modifiersName): (.*)$/im.exec(written) ?? []
  const { uidAttribute } = session.facts
  const id =
    uidAttribute.toLowerCase() === 'nsuniqueid' ? text('targetUniqueId') : text(`target${uidAttribute}`)
  return {
    number: Number(text(numberAttribute(session))),
    type: text('changeType').toLowerCase(),
    name: text('targetDN'),
    id: id === '' ? undefined : id,
    author: text('changeInitiatorsName') || author,
    attributes: Array.from(written.matchAll(/^(?:add|replace|delete): (\S+)/gim), ([, name = '']) => name),
    newRdn: text('newRDN'),
    newSuperior: text('newSuperior'),
  }
}

/** Whatever the case of the name in which the server gives it. */
function textOf(entry: Entry | undefined, name: string): string {
  const found = Object.entries(entry ?? {}).find(([one]) => one.toLowerCase() === name.toLowerCase())
  const [value = ''] = found?.[0] === 'dn' ? [] : valuesIn(found?.[1])
  return typeof value === 'string' ? value : value.toString()
}

function markOf(entry: Entry | undefined): string {
  if (!entry) return ''
  const facts = ['changeTime', 'changeType', 'targetDN'].map((name) => textOf(entry, name))
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 11)
}
