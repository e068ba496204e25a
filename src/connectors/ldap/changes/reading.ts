import type { Filter } from 'ldapts'
import { chunks } from '../../../kit/chunks.ts'
import { everything } from '../../../model/filter/filter.ts'
import { completeListing } from '../../../model/listing.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../../kit/changes.ts'
import type { Clock } from '../../kit/kind.ts'
import type { ConnectorEntry, SearchEnd } from '../../kit/query.ts'
import { searchBases } from '../base-search.ts'
import type { Directory } from '../directory.ts'
import { parseDn } from '../dn.ts'
import { idOf } from '../entries.ts'
import { idFilter } from '../filter.ts'
import { readObjects, searchObjects } from '../read.ts'
import { idsInScope, isNarrowed, otherKinds } from './scope.ts'
import { latestOf, writesSince } from './strategies.ts'
import type { Session, Writes } from './strategy.ts'

/**
 * What has changed. A strategy says where to look; each object is then read as it is now, so that any number of writes is one
 * change, and a write that was undone is none that matters. Whatever was written and is not found any more is reported as deleted.
 */
const pageSize = 100

interface Asked {
  readonly directory: Directory
  readonly objectClass: string
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Of the objects; absent: those returned by default. */
  readonly fields?: readonly string[] | undefined
}

export async function latestToken(asked: Asked): Promise<SyncToken> {
  return inSession(asked, latestOf)
}

export async function* changesSince(asked: Asked, token: SyncToken): AsyncGenerator<ChangesPage, SearchEnd> {
  const {
    ids,
    hasUnknownDeletions,
    token: end,
  } = await inSession(asked, async (session) => withMoved(session, await writesSince(session, token)))
  for (const some of chunks([...ids.keys()], pageSize)) {
    const changes = await changesOf(asked, some, ids)
    if (changes.length > 0) yield { changes, token }
  }
  const listing = hasUnknownDeletions ? yield* present(asked, token) : completeListing
  if (listing?.state === 'complete') yield { changes: [], token: end }
  return listing
}

/** Everything there is, and the token of before: what changes meanwhile is reported again. */
export async function* everyObject(asked: Asked): AsyncGenerator<ChangesPage, SearchEnd> {
  const token = await latestToken(asked)
  const { directory, objectClass, signal, fields } = asked
  const narrowed = isNarrowed(directory.settings, objectClass)
  const pages = searchObjects(
    directory,
    { objectClass, filter: everything, pageSize, ...(fields && { fields }) },
    signal,
  )
  for (let next = await pages.next(); ; next = await pages.next()) {
    if (next.done) {
      if (next.value.state === 'complete') yield { changes: [], token }
      return next.value
    }
    const ids = next.value.map(({ _id }) => _id)
    const inScope = narrowed ? await idsInScope(asked, ids) : undefined
    const objects = next.value.filter(({ _id }) => inScope?.has(_id) ?? true)
    const changes = objects.map(
      (object): ConnectorChange => ({ kind: 'CREATE_OR_UPDATE', id: object._id, object }),
    )
    yield { changes, token: null, ...(narrowed && { present: ids }) }
  }
}

/** The ids of all that is there, in pages. */
async function* present(
  { directory, objectClass, signal }: Asked,
  token: SyncToken,
): AsyncGenerator<ChangesPage, SearchEnd> {
  const pages = searchObjects(directory, { objectClass, filter: everything, fields: [] }, signal)
  // Also where nothing is left.
  yield { changes: [], token, present: [] }
  for (let next = await pages.next(); ; next = await pages.next()) {
    if (next.done) return next.value
    yield { changes: [], token, present: next.value.map(({ _id }) => _id) }
  }
}

/** An entry that got another name or place has taken along all that is below it. */
async function withMoved(session: Session, writes: Writes): Promise<Writes> {
  if (!writes.renamed?.size) return writes
  const { connection, facts, settings, kind, signal } = session
  const ids = new Map(writes.ids)
  const question = {
    attributes: [facts.uidAttribute],
    binary: kind.attributes.binary,
    pageSize: settings.pageSize,
  }
  const search = (filter: Filter, bases = settings.bases) =>
    searchBases(connection, facts, { ...settings, bases }, { ...question, filter }, signal)
  for (const some of chunks([...writes.renamed], pageSize))
    for await (const tops of search(idFilter(some, kind.names)))
      for (const { dn: text } of tops)
        for await (const entries of search(kind.filter, [{ text, dn: parseDn(text) ?? [] }]))
          for (const entry of entries) {
            const id = idOf(entry, facts.uidAttribute)
            if (id !== undefined && !ids.has(id)) ids.set(id, false)
          }
  return { ...writes, ids }
}

async function changesOf(
  asked: Asked,
  ids: readonly string[],
  isNew: Writes['ids'],
): Promise<readonly ConnectorChange[]> {
  const { directory, objectClass, signal, fields } = asked
  const objects = await readObjects(directory, objectClass, ids, fields, signal)
  const inScope = isNarrowed(directory.settings, objectClass) ? await idsInScope(asked, ids) : undefined
  const missing = ids.filter((id) => !objects.has(id))
  const others = missing.length > 0 ? await otherKinds(asked, missing) : new Set()
  return ids.flatMap((id) => {
    const object = objects.get(id)
    if (object) return (inScope?.has(id) ?? true) ? [found(object, isNew.get(id) === true)] : []
    // Also of what came and went: whoever was stopped in the middle may have been told that it came.
    return others.has(id) ? [] : [{ kind: 'DELETE', id }]
  })
}

function found(object: ConnectorEntry, isNew: boolean): ConnectorChange {
  return { kind: isNew ? 'CREATE' : 'CREATE_OR_UPDATE', id: object._id, object }
}

async function inSession<T>(
  { directory, objectClass, clock, signal }: Asked,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { settings } = directory
  return directory.use(
    (connection, facts) =>
      work({ connection, facts, settings, kind: facts.class(objectClass), now: clock.now(), signal }),
    signal,
  )
}
