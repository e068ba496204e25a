import { compileFilter } from '../../model/filter/evaluate.ts'
import { everything, type Filter } from '../../model/filter/filter.ts'
import { isJsonObject, type JsonObject, member } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { project } from '../../router/fields.ts'
import type {
  ObjectSet,
  ObjectWriteRequest,
  ObjectWriteResult,
  Resource,
  ResourcePage,
  ResourceQuery,
  SetChanges,
} from '../../router/resources.ts'
import {
  type Changes,
  type Connector,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  type Count,
  offers,
  type Schema,
} from '../kit/connector.ts'
import { creation, readableProperties, reader, update } from './convert.ts'
import type { Operation, OperationName } from './failure.ts'
import { failureOf } from './failure.ts'
import { checkedFilter, idsNamed, nativeFilter, propertiesIn, requireOneLevel } from './filter.ts'
import type { ObjectType, Property } from './object-type.ts'
import { call, permission, stream, timeoutOf } from './operation.ts'
import { pageOf } from './order.ts'
import { type Decrypt, decrypted } from './secrets.ts'

/**
 * The objects of one type of a system: what a connector offers, in the vocabulary of the configuration and with
 * everything supplied that the connector lacks (platform §4). Single objects go the same way as pages
 * of one, so there is no second copy of the rules.
 */
export interface SystemObjects extends ObjectSet {
  query(query: ResourceQuery): Promise<ResourcePage>
  authenticate(username: string, password: string): Promise<string>
}

export interface SystemFacts {
  readonly system: string
  readonly connector: Connector
  readonly configuration: JsonObject
  readonly decrypt: Decrypt
  /** Told what was skipped because of `onDeny: DO_NOTHING`. */
  readonly log: (message: string) => void
}

const defaultPageSize = 500

export function systemObjects(facts: SystemFacts, type: ObjectType): SystemObjects {
  const ignoreCase = ignoresCase(facts.configuration)
  const found = (query: Parameters<ObjectSet['pages']>[0], signal?: AbortSignal) =>
    foundPages(facts, type, { ...query, ignoreCase }, signal)
  return {
    path: `system/${facts.system}/${type.name}`,
    pages: found,
    async query(query) {
      for (const { pointer } of query.sortKeys ?? []) requireOneLevel(pointer)
      const wanted = (fieldNames(query.fields) ?? defaultNames(type)).map((name) => [name])
      const sorted = (query.sortKeys ?? []).map(({ pointer }) => pointer)
      const pages = found({
        filter: query.filter,
        pageSize: defaultPageSize,
        fields: [...wanted, ...sorted, ['_id']],
      })
      const page = await pageOf(pages, query)
      return { ...page, result: page.result.map((object) => project(object, [...wanted, ['_id']])) }
    },
    async readMany(ids, signal) {
      permission(facts.configuration, 'GET', type)
      return readMany(facts, type, ids, undefined, signal)
    },
    writeMany: (writes, request, signal) => {
      if (request.readOnly) {
        throw new Problem('FORBIDDEN', `This is a dry run: nothing is written to system/${facts.system}`)
      }
      return writeMany(facts, type, writes, signal)
    },
    ...(offers(facts.connector, 'count') ? { count: counting(facts, type, facts.connector) } : {}),
    isSecret: ([name = '']) => isPassword(facts.connector, type.properties.get(name)),
    idOf: ({ operation, content }, proposed) => idOf(facts, type, operation, content, proposed),
    ...(offers(facts.connector, 'schema') ? { properties: comparing(facts, type, facts.connector) } : {}),
    comparison: (pointer) => comparison(facts.connector, type, pointer, ignoreCase),
    updatesInPart: true,
    ...(offersChanges(facts.connector) ? { changes: changes(facts, type, facts.connector) } : {}),
    async authenticate(username, password) {
      const { connector } = facts
      if (!offers(connector, 'authenticate')) throw notOffered(facts, 'AUTHENTICATE')
      permission(facts.configuration, 'AUTHENTICATE', type)
      return call(operation(facts, 'AUTHENTICATE', type), undefined, () =>
        connector.authenticate(type.objectClass, username, password),
      )
    },
  }
}

/** Under whichever name, and as whatever it is declared. */
function isPassword({ agreedNames }: Connector, property: Property | undefined): boolean {
  return property !== undefined && (property.isSecret || property.attribute === agreedNames?.__PASSWORD__)
}

/** `resultsHandlerConfig.enableCaseInsensitiveFilter` (platform §4.1). */
function ignoresCase({ resultsHandlerConfig }: JsonObject): boolean {
  return isJsonObject(resultsHandlerConfig) && resultsHandlerConfig.enableCaseInsensitiveFilter === true
}

function operation(
  { system, configuration }: SystemFacts,
  name: OperationName,
  type: ObjectType,
  uid?: string,
): Operation {
  return { system, name, objectType: type.name, uid, timeout: timeoutOf(configuration, name) }
}

/** A page of operations may take as long as they may one after the other. */
function ofMany(one: Operation, count: number): Operation {
  return one.timeout === undefined ? one : { ...one, timeout: one.timeout * count }
}

function notOffered({ system }: SystemFacts, name: OperationName): Problem {
  return new Problem('NOT_IMPLEMENTED', `The connector of system ${system} does not offer ${name}`)
}

function comparison(
  connector: Connector,
  type: ObjectType,
  pointer: Pointer,
  ignoreCase: boolean,
): 'exact' | undefined {
  const [name, ...deeper] = pointer
  if (name === undefined || deeper.length > 0 || ignoreCase || !offers(connector, 'search')) return undefined
  if (name !== '_id' && !type.properties.get(name)?.readable) return undefined
  // Where we filter ourselves, we compare exactly.
  return connector.filters ? connector.comparison : 'exact'
}

function counting(
  facts: SystemFacts,
  type: ObjectType,
  connector: Pick<Count, 'count'>,
): () => Promise<number> {
  return () =>
    call(operation(facts, 'SEARCH', type), undefined, (signal) => connector.count(type.objectClass, signal))
}

/** Content that cannot be sent has no id; that it cannot is said when it is written. */
function idOf(
  { connector }: SystemFacts,
  type: ObjectType,
  operation: 'create' | 'update',
  content: JsonObject,
  proposed: string | undefined,
): string | undefined {
  if (!offers(connector, 'idOf')) return undefined
  const stated = member(content, '_id')
  const id = operation === 'create' && typeof stated === 'string' && stated !== '' ? stated : proposed
  try {
    const attributes = operation === 'create' ? creation(type, content, id) : update(type, content)
    return connector.idOf(type.objectClass, attributes, id)
  } catch {
    return undefined
  }
}

function offersChanges(connector: Connector): connector is Connector & Changes {
  return offers(connector, 'latestToken') && offers(connector, 'changesSince')
}

/** liveSync's view (engine §9): the same conversion and the same limits as for everything else. */
function changes(facts: SystemFacts, type: ObjectType, connector: Changes): SetChanges {
  const toResource = reader(type, undefined)
  return {
    async latestToken(signal) {
      permission(facts.configuration, 'SYNC', type)
      return call(operation(facts, 'SYNC', type), signal, (both) =>
        connector.latestToken(type.objectClass, both),
      )
    },
    async *since(token, signal) {
      permission(facts.configuration, 'SYNC', type)
      const found = stream(operation(facts, 'SYNC', type), signal, (both) =>
        connector.changesSince(type.objectClass, token, both),
      )
      for await (const change of found)
        yield change.kind === 'END' || change.kind === 'DELETE'
          ? change
          : { ...change, object: toResource(change.object) }
    },
  }
}

function comparing(
  facts: SystemFacts,
  type: ObjectType,
  connector: Pick<Schema, 'schema'>,
): NonNullable<ObjectSet['properties']> {
  return async (signal) => {
    const classes = await call(operation(facts, 'SCHEMA', type), signal, () => connector.schema())
    const attributes = new Set(classes[type.objectClass]?.attributes.map(({ name }) => name))
    const readable = [...type.properties.values()].filter((property) => property.readable)
    const { present = [], absent = [] } = Object.groupBy(readable, ({ attribute }) =>
      attribute === '_id' || attributes.has(attribute) ? 'present' : 'absent',
    )
    return { present, absent }
  }
}

/** Leaf names of pointers; undefined stands for what is returned by default. */
function fieldNames(fields: readonly Pointer[] | undefined): readonly string[] | undefined {
  if (!fields || fields.length === 0) return undefined
  const names = fields.map((pointer) => pointer.at(-1) ?? '*')
  return names.includes('*') ? undefined : names
}

function defaultNames(type: ObjectType): readonly string[] {
  return readableProperties(type, undefined).map(({ name }) => name)
}

interface Selection {
  readonly filter: Filter
  readonly fields?: readonly Pointer[]
  readonly pageSize: number
  readonly ignoreCase: boolean
}

async function* foundPages(
  facts: SystemFacts,
  type: ObjectType,
  { filter, fields, pageSize, ignoreCase }: Selection,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Resource[]> {
  const { connector } = facts
  if (!offers(connector, 'search')) throw notOffered(facts, 'SEARCH')
  permission(facts.configuration, 'SEARCH', type)
  const checked = checkedFilter(filter, type)
  const names = fieldNames(fields)
  const ids = idsNamed(checked)
  if (ids && offers(connector, 'readMany')) {
    const objects = await readMany(facts, type, ids, names, signal)
    if (objects.size > 0) yield [...objects.values()]
    return
  }
  const matches = connector.filters ? undefined : compileFilter(checked, { ignoreCase })
  // What the filter looks at must be read, but is returned only if it was wanted.
  const needed = matches ? [...(names ?? defaultNames(type)), ...propertiesIn(checked)] : names
  const toResource = reader(type, names)
  const toCandidate = reader(type, needed)
  const query = {
    objectClass: type.objectClass,
    filter: matches ? everything : nativeFilter(checked, type),
    fields: readableProperties(type, needed).map(({ attribute }) => attribute),
    pageSize,
  }
  const found = stream(operation(facts, 'SEARCH', type), signal, (both) => connector.search(query, both))
  const isAll = checked.kind === 'literal' && checked.value
  yield* repaged(found, pageSize, (object) => {
    return isAll || !matches || matches(toCandidate(object)) ? toResource(object) : undefined
  })
}

/** Full pages again, whatever a filter left of the connector's. */
async function* repaged<T>(
  pages: AsyncIterable<readonly T[]>,
  size: number,
  keep: (object: T) => Resource | undefined,
): AsyncGenerator<readonly Resource[]> {
  let page: Resource[] = []
  for await (const objects of pages) {
    for (const object of objects) {
      const resource = keep(object)
      if (resource) page.push(resource)
      if (page.length < size) continue
      yield page
      page = []
    }
  }
  if (page.length > 0) yield page
}

async function readMany(
  facts: SystemFacts,
  type: ObjectType,
  ids: readonly string[],
  fields: readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Resource>> {
  const { connector } = facts
  if (!offers(connector, 'readMany')) throw notOffered(facts, 'GET')
  const lone = ids.length === 1 ? ids[0] : undefined
  const objects = await call(ofMany(operation(facts, 'GET', type, lone), ids.length), signal, (both) =>
    connector.readMany(type.objectClass, ids, both),
  )
  const toResource = reader(type, fields)
  return new Map(Array.from(objects, ([id, object]) => [id, toResource(object)]))
}

/** A write on its way: sent to the connector, or settled without it. */
type Prepared =
  | { readonly kind: 'send'; readonly write: ConnectorWrite }
  | { readonly kind: 'failed'; readonly error: Problem }
  | { readonly kind: 'skipped'; readonly id: string | undefined }

async function writeMany(
  facts: SystemFacts,
  type: ObjectType,
  writes: readonly ObjectWriteRequest[],
  signal: AbortSignal | undefined,
): Promise<readonly ObjectWriteResult[]> {
  const { connector } = facts
  if (!offers(connector, 'writeMany')) throw notOffered(facts, names[writes[0]?.operation ?? 'update'])
  const prepared: Prepared[] = []
  for (const write of writes) prepared.push(await prepare(facts, type, write))
  const sent = prepared.flatMap((one) => (one.kind === 'send' ? [one.write] : []))
  const outcomes = sent.length > 0 ? await send(facts, type, sent, signal) : []
  const objects = await readBack(facts, type, prepared, outcomes, signal)
  const next = outcomes.values()
  return prepared.map((one, position): ObjectWriteResult => {
    if (one.kind === 'failed') return { ok: false, error: one.error }
    if (one.kind === 'skipped') return skippedResult(facts, type, one.id, objects)
    const outcome = next.next().value as ConnectorWriteOutcome
    const uid = writes[position]?.operation === 'create' ? undefined : one.write.id
    return outcome.ok
      ? { ok: true, object: objects.get(outcome.id) ?? { _id: outcome.id } }
      : {
          ok: false,
          error: failureOf(outcome.error, operation(facts, names[one.write.operation], type, uid)),
        }
  })
}

const names = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE' } as const

async function prepare(facts: SystemFacts, type: ObjectType, write: ObjectWriteRequest): Promise<Prepared> {
  const name = names[write.operation]
  try {
    const permitted = permission(facts.configuration, name, type)
    if (permitted === 'skipped') {
      const id = requestedId(write)
      facts.log(
        `${name} on system/${facts.system}/${type.name}${id ? `/${id}` : ''} is denied and was skipped`,
      )
      return { kind: 'skipped', id }
    }
    if (write.operation !== 'create' && write.rev !== undefined) {
      const message = `Objects of system ${facts.system} have no revisions; repeat the request without one`
      throw new Problem('PRECONDITION_FAILED', message)
    }
    return { kind: 'send', write: await nativeWrite(facts, type, write) }
  } catch (error) {
    const uid = write.operation === 'create' ? undefined : write.id
    return { kind: 'failed', error: failureOf(asProblem(error), operation(facts, name, type, uid)) }
  }
}

async function nativeWrite(
  facts: SystemFacts,
  type: ObjectType,
  write: ObjectWriteRequest,
): Promise<ConnectorWrite> {
  if (write.operation === 'delete') return { operation: 'delete', id: write.id }
  // Only where there is something to decrypt is there anything to wait for.
  const content = await decrypted(write.content, facts.decrypt)
  if (write.operation === 'update')
    return { operation: 'update', id: write.id, attributes: update(type, content) }
  const id = requestedId(write)
  return { operation: 'create', id, attributes: creation(type, content, id) }
}

/** `_id` in a body wins over the one beside it (platform §1.2). */
function requestedId(write: ObjectWriteRequest): string | undefined {
  if (write.operation !== 'create') return write.id
  const id = member(write.content, '_id')
  return typeof id === 'string' && id !== '' ? id : write.id
}

async function send(
  facts: SystemFacts,
  type: ObjectType,
  writes: readonly ConnectorWrite[],
  signal: AbortSignal | undefined,
): Promise<readonly ConnectorWriteOutcome[]> {
  const { connector } = facts
  if (!offers(connector, 'writeMany')) throw notOffered(facts, 'UPDATE')
  const [first] = writes
  const kind = writes.every(({ operation }) => operation === first?.operation) ? first?.operation : undefined
  const named = ofMany(operation(facts, names[kind ?? 'update'], type), writes.length)
  return call(named, signal, (both) => connector.writeMany(type.objectClass, writes, both))
}

/** The objects after the writes, by id: as the connector gave them, else read back with one call. */
async function readBack(
  facts: SystemFacts,
  type: ObjectType,
  prepared: readonly Prepared[],
  outcomes: readonly ConnectorWriteOutcome[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Resource>> {
  const toResource = reader(type, undefined)
  const objects = new Map<string, Resource>()
  const unknown = prepared.flatMap((one) => (one.kind === 'skipped' && one.id !== undefined ? [one.id] : []))
  const sent = prepared.flatMap((one) => (one.kind === 'send' ? [one.write.operation] : []))
  outcomes.forEach((outcome, position) => {
    if (!outcome.ok) return
    if (outcome.object) objects.set(outcome.id, toResource(outcome.object))
    else if (sent[position] !== 'delete') unknown.push(outcome.id)
  })
  if (unknown.length > 0 && offers(facts.connector, 'readMany')) {
    // The writes are done; that they cannot be read back must not make them look failed.
    const read = await readMany(facts, type, unknown, undefined, signal).catch(
      () => new Map<string, Resource>(),
    )
    for (const [id, object] of read) objects.set(id, object)
  }
  return objects
}

/** "Succeeds with the object's present state": there must be one. */
function skippedResult(
  facts: SystemFacts,
  type: ObjectType,
  id: string | undefined,
  objects: ReadonlyMap<string, Resource>,
): ObjectWriteResult {
  const object = id === undefined ? undefined : objects.get(id)
  if (object) return { ok: true, object }
  const message = `The operation is denied by operationOptions, and system/${facts.system}/${type.name} has no such object`
  return { ok: false, error: new Problem('FORBIDDEN', message) }
}
