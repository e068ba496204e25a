import { chunks } from '../../kit/chunks.ts'
import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import { matchesEverything } from '../../model/filter/filter.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import type { Json } from '../../model/json.ts'
import { type Capabilities, type Connector, offers } from '../kit/connector.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import type { ConnectorEntry, ConnectorObject, ConnectorQuery, SearchEnd } from '../kit/query.ts'
import { isValueList, Secret, setAttribute, type Value } from '../kit/values.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { unfit } from './judge.ts'
import { rehearsePage } from './rehearsed-page.ts'

/** Systems of this kind that are read as they are, and keep what is written to themselves. */
export function rehearsed(kind: ConnectorKind): ConnectorKind {
  return { ...kind, create: (settings, host) => rehearsal(kind.create(settings, host)) }
}

/** By id; null: deleted. */
type Overlay = Map<string, ConnectorObject | null>

/**
 * A connector over another one. What is read is what the system would hold after the writes; the system itself is only read. It
 * refuses what the system would refuse, as far as that is known without writing.
 */
export function rehearsal(inner: Connector): Connector {
  const overlays = new Map<string, Overlay>()
  function overlayOf(objectClass: string): Overlay {
    const overlay = overlays.get(objectClass) ?? new Map()
    overlays.set(objectClass, overlay)
    return overlay
  }
  return {
    displayName: inner.displayName,
    ...passedOn(inner),
    ...(offers(inner, 'search') && {
      search: (query, signal) => search(inner, overlayOf(query.objectClass), query, signal),
    }),
    ...(offers(inner, 'readMany') && {
      readMany: async (objectClass, ids, fields, signal) => {
        const overlay = overlayOf(objectClass)
        const read = await inner.readMany(
          objectClass,
          ids.filter((id) => !overlay.has(id)),
          fields,
          signal,
        )
        const own = ids.flatMap((id): [string, ConnectorEntry][] => {
          const object = overlay.get(id)
          return object ? [[id, withFields(object, fields)]] : []
        })
        return new Map([...read, ...own])
      },
    }),
    ...(offers(inner, 'writeMany') && {
      writeMany: (objectClass, writes, signal) =>
        writePage(inner, overlayOf(objectClass), objectClass, writes, signal),
    }),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

/**
 * `passed on`: says nothing about single objects, or only about those that the system has. `own`: looks at the writes. Pages and counts are
 * not offered: they are those of a search then. Nor are changes: who asks for them moves what the system, or its connector, remembers of
 * them; nor scripts, which may do anything.
 */
const parts: Readonly<Record<keyof Capabilities, 'own' | 'passed on' | 'not offered'>> = {
  ...{ search: 'own', readMany: 'own', writeMany: 'own' },
  ...{
    test: 'passed on',
    schema: 'passed on',
    split: 'passed on',
    locate: 'passed on',
    ordered: 'passed on',
  },
  ...{ deltas: 'passed on', held: 'passed on', refusals: 'passed on' },
  ...{ idOf: 'passed on', exchangesIds: 'passed on' },
  ...{ authenticate: 'passed on', resolveUsername: 'passed on' },
  ...{ page: 'not offered', sorts: 'not offered', count: 'not offered' },
  ...{ latestToken: 'not offered', changesSince: 'not offered' },
  ...{ runScript: 'not offered', discover: 'not offered', recommend: 'not offered' },
}

/** What every connector may say of itself. */
const facts = { agreedNames: 'passed on', givesEmptyLists: 'passed on' }

function passedOn(inner: Connector): Partial<Connector> {
  const passed: Record<string, unknown> = {}
  for (const [name, part] of Object.entries({ ...facts, ...parts })) {
    const call: unknown = part === 'passed on' ? Reflect.get(inner, name) : undefined
    if (typeof call === 'function') passed[name] = call.bind(inner)
  }
  return passed
}

/** What the system has and nobody has written over, then what was written. */
async function* search(
  inner: Connector,
  overlay: Overlay,
  query: ConnectorQuery,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ConnectorEntry[], SearchEnd> {
  if (!offers(inner, 'search')) return
  const before = new Map(overlay)
  const pages = inner.search(query, signal)[Symbol.asyncIterator]()
  let next = await pages.next()
  try {
    for (; !next.done; next = await pages.next()) {
      const untouched = next.value.filter(({ _id }) => !before.has(_id))
      if (untouched.length > 0) yield untouched
    }
  } finally {
    await pages.return?.()
  }
  const matches = await matching(inner, query)
  const own = [...before.values()].filter((object) => object !== null).filter(matches)
  yield* chunks(
    own.map((object) => withFields(object, query.fields)),
    query.pageSize ?? 500,
  )
  return next.value
}

/** The native part of a filter as the system compares: exactly only where it says that it does. */
async function matching(
  inner: Connector,
  { objectClass, filter }: ConnectorQuery,
): Promise<(object: ConnectorObject) => boolean> {
  if (matchesEverything(filter)) return () => true
  const attributes = offers(inner, 'schema') ? (await inner.schema())[objectClass]?.attributes : undefined
  const exact = new Set(
    attributes?.filter(({ comparison }) => comparison === 'exact').map(({ name }) => name),
  )
  const names = pointersOf(filter).map(([name = '']) => name)
  const matches = compileFilter(filter, { ignoreCase: !names.every((name) => exact.has(name)) })
  return (object) => matches(jsonOf(object))
}

/** What a filter may look at: bytes as Base64, of secrets nothing. */
function jsonOf(value: Value | undefined): Json {
  if (value === undefined || value instanceof Secret) return null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (isValueList(value)) return value.map(jsonOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, jsonOf(one)]))
}

function withFields(object: ConnectorObject, fields: readonly string[] | undefined): ConnectorObject {
  if (!fields) return object
  const wanted: ConnectorObject = { _id: object._id }
  for (const name of fields) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined
    if (value !== undefined) setAttribute(wanted, name, value)
  }
  return wanted
}

/** A page onto the overlay; refused is what the system would refuse. */
async function writePage(
  inner: Connector,
  overlay: Overlay,
  objectClass: string,
  writes: readonly ConnectorWrite[],
  signal: AbortSignal | undefined,
): Promise<readonly ConnectorWriteOutcome[]> {
  const refusals = await refusalsOf(inner, objectClass, writes, signal)
  const read = (ids: readonly string[]) => present(inner, overlay, objectClass, ids, signal)
  const perform = (there: ReadonlyMap<string, ConnectorEntry>) =>
    rehearsePage(writes, refusals, there, {
      idOf: (attributes, id) =>
        (offers(inner, 'idOf') ? inner.idOf(objectClass, attributes, id) : id) ?? id ?? timeOrderedId(),
      held: (name, value, present) =>
        offers(inner, 'held') ? inner.held(objectClass, name, value, present) : value,
    })
  const asked = new Set(writes.flatMap((write) => (write.operation === 'create' ? [] : [write.id])))
  let there = await read([...asked])
  let page = perform(there)
  // Others may have the ids that these writes give; what is refused then may lead to further ones.
  for (let more = page.given.filter((id) => !asked.has(id)); more.length > 0; ) {
    for (const id of more) asked.add(id)
    there = new Map([...there, ...(await read(more))])
    page = perform(there)
    more = page.given.filter((id) => !asked.has(id))
  }
  const { outcomes, after } = page
  for (const [id, object] of after) overlay.set(id, object)
  return outcomes
}

/** By the connector, or where it says nothing by the schema of its system. */
async function refusalsOf(
  inner: Connector,
  objectClass: string,
  writes: readonly ConnectorWrite[],
  signal: AbortSignal | undefined,
): Promise<readonly (Error | undefined)[]> {
  if (offers(inner, 'refusals')) return inner.refusals(objectClass, writes, signal)
  if (!offers(inner, 'schema')) return []
  const attributes = (await inner.schema(signal))[objectClass]?.attributes ?? []
  if (attributes.length === 0) return []
  const known = new Map(attributes.map((one) => [one.name, one]))
  const name = inner.agreedNames?.(objectClass).__NAME__
  const about = { path: objectClass, names: name === undefined ? [] : [name] }
  return writes.map((write) => unfit(write, known, about))
}

/** Those of these objects that are there, whole. */
async function present(
  inner: Connector,
  overlay: Overlay,
  objectClass: string,
  ids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ConnectorEntry>> {
  const unknown = [...new Set(ids)].filter((id) => !overlay.has(id))
  const read =
    unknown.length > 0 && offers(inner, 'readMany')
      ? await inner.readMany(objectClass, unknown, undefined, signal)
      : new Map<string, ConnectorEntry>()
  const found = new Map(read)
  for (const id of ids) {
    const object = overlay.get(id)
    if (object) found.set(id, object)
  }
  return found
}
