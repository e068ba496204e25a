import { chunks } from '../../kit/chunks.ts'
import { everything } from '../../model/filter/filter.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../kit/changes.ts'
import { requireEpoch } from '../kit/changes.ts'
import type { Clock } from '../kit/kind.ts'
import type { ConnectorEntry, SearchEnd } from '../kit/query.ts'
import {
  endOfLog,
  findLog,
  jsonOf,
  type LoggedWrite,
  positionAfter,
  positionOf,
  writesAfter,
} from './access-log.ts'
import type { Directory } from './directory.ts'
import { keyOf, parseDn } from './dn.ts'
import { readObjects, searchObjects } from './read.ts'

/**
 * What has changed. The log says where to look; each object is then read as it is now, so that any number of writes is one
 * change, and a write that was undone is none that matters. Whatever was written and is not found any more is reported as deleted.
 */
const pageSize = 100

export async function latestToken(
  directory: Directory,
  clock: Clock,
  signal?: AbortSignal,
): Promise<SyncToken> {
  return directory.use(async (connection, facts) => {
    const log = await findLog(connection, facts, directory.settings, signal)
    const position = await endOfLog(connection, facts, log, clock.now(), signal)
    return { epoch: log.epoch, position: jsonOf(position) }
  }, signal)
}

export async function* changesSince(
  directory: Directory,
  objectClass: string,
  token: SyncToken,
  signal?: AbortSignal,
): AsyncGenerator<ChangesPage, SearchEnd> {
  const { writes, end } = await directory.use(async (connection, facts) => {
    const log = await findLog(connection, facts, directory.settings, signal)
    requireEpoch(token, log.epoch, `The database of ${facts.server}`)
    const position = positionOf(token.position)
    const found = await writesAfter(connection, facts, log, position, signal)
    const next = positionAfter(
      position,
      found.map(({ csn }) => csn),
    )
    return { writes: found, end: { epoch: log.epoch, position: jsonOf(next) } }
  }, signal)
  const byId = writesById(writes, directory.settings.ignoredAuthors)
  const pages: (readonly ConnectorChange[])[] = []
  // One page behind, so that the last one is known as such.
  for (const ids of chunks([...byId.keys()], pageSize)) {
    const objects = await readObjects(directory, objectClass, ids, undefined, signal)
    const changes = ids.flatMap((id) => changeOf(id, objects.get(id), byId.get(id)))
    if (changes.length > 0) pages.push(changes)
    const before = pages.length > 1 ? pages.shift() : undefined
    if (before) yield { changes: before, token }
  }
  const [last] = pages
  if (last) yield { changes: last, token: end }
}

/** Everything there is, and the token of before: what changes meanwhile is reported again. */
export async function* everyObject(
  directory: Directory,
  objectClass: string,
  clock: Clock,
  signal?: AbortSignal,
): AsyncGenerator<ChangesPage, SearchEnd> {
  const token = await latestToken(directory, clock, signal)
  const pages = searchObjects(directory, { objectClass, filter: everything, pageSize }, signal)
  let last: readonly ConnectorEntry[] | undefined
  for (let next = await pages.next(); ; next = await pages.next()) {
    if (last) {
      const isEnd = next.done && next.value.state === 'complete'
      yield {
        changes: last.map((object) => ({ kind: 'CREATE_OR_UPDATE', id: object._id, object })),
        token: isEnd ? token : null,
      }
    }
    if (next.done) return next.value
    last = next.value
  }
}

function writesById(
  writes: readonly LoggedWrite[],
  ignoredAuthors: readonly string[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const ignored = new Set(ignoredAuthors.map((name) => keyOf(parseDn(name) ?? [])))
  const types = new Map<string, Set<string>>()
  for (const { id, type, author } of writes) {
    if (id === '' || ignored.has(author)) continue
    const known = types.get(id) ?? new Set()
    // An entry stands at the place of its last write.
    types.delete(id)
    types.set(id, known.add(type))
  }
  return types
}

function changeOf(
  id: string,
  object: ConnectorEntry | undefined,
  types: ReadonlySet<string> = new Set(),
): readonly ConnectorChange[] {
  if (object) return [{ kind: types.has('add') ? 'CREATE' : 'CREATE_OR_UPDATE', id, object }]
  // What came and went since the last time was never reported.
  return types.has('add') ? [] : [{ kind: 'DELETE', id }]
}
