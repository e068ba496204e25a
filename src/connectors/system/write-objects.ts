import { type Json, type JsonObject, member } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { ObjectWriteRequest, ObjectWriteResult, Resource } from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import { attribute } from '../kit/values.ts'
import {
  type AttributeChange,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  valueAfter,
} from '../kit/write.ts'
import { creation, reader, toNativeList, update } from './convert.ts'
import { notOffered, ofMany, operation, type SystemFacts } from './facts.ts'
import { failureOf } from './failure.ts'
import type { ObjectType } from './object-type.ts'
import { permission } from './operation.ts'
import { readMany } from './read-objects.ts'
import { decrypted } from './secrets.ts'

/** Values to add to a multi-valued property, and to remove; others stay. */
export interface PropertyDelta {
  readonly property: string
  readonly add: readonly Json[]
  readonly remove: readonly Json[]
}

/** Writes as every object set takes them; an update may also name single values. */
export type SystemWriteRequest =
  | ObjectWriteRequest
  | (Extract<ObjectWriteRequest, { operation: 'update' }> & { readonly deltas: readonly PropertyDelta[] })

/** A prepared write: for the connector, or already decided. */
type Prepared =
  | { readonly kind: 'send'; readonly write: ConnectorWrite }
  | { readonly kind: 'failed'; readonly error: Problem }
  | { readonly kind: 'skipped'; readonly id: string | undefined }

const names = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE' } as const

/** Writes objects of one type; outcomes have the indexes of their writes. */
export async function writeObjects(
  facts: SystemFacts,
  type: ObjectType,
  writes: readonly SystemWriteRequest[],
  signal: AbortSignal | undefined,
): Promise<readonly ObjectWriteResult[]> {
  const { connector } = facts
  if (!offers(connector, 'writeMany')) throw notOffered(facts, names[writes[0]?.operation ?? 'update'])
  const prepared: Prepared[] = []
  for (const write of writes) prepared.push(await prepare(facts, type, write, signal))
  const sent = prepared.flatMap((one) => (one.kind === 'send' ? [one.write] : []))
  const outcomes = sent.length > 0 ? await send(facts, type, sent, signal) : []
  const objects = await readBack(facts, type, prepared, outcomes, signal)
  const next = outcomes.values()
  return prepared.map((one, position): ObjectWriteResult => {
    if (one.kind === 'failed') return { ok: false, error: one.error }
    if (one.kind === 'skipped') return skippedResult(facts, type, one.id, objects)
    const outcome = next.next().value ?? noOutcome()
    if (outcome.ok) return { ok: true, object: objects.get(outcome.id) ?? { _id: outcome.id } }
    const uid = writes[position]?.operation === 'create' ? undefined : one.write.id
    const failed = operation(facts, names[one.write.operation], type, uid)
    return { ok: false, error: failureOf(outcome.error, failed) }
  })
}

function noOutcome(): ConnectorWriteOutcome {
  const error = new ConnectorError(
    'failed',
    'The connector gave no outcome for a write; whether it was done is unknown',
  )
  return { ok: false, error }
}

async function prepare(
  facts: SystemFacts,
  type: ObjectType,
  write: SystemWriteRequest,
  signal: AbortSignal | undefined,
): Promise<Prepared> {
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
    return { kind: 'send', write: await nativeWrite(facts, type, write, signal) }
  } catch (error) {
    const uid = write.operation === 'create' ? undefined : write.id
    return { kind: 'failed', error: failureOf(asProblem(error), operation(facts, name, type, uid)) }
  }
}

async function nativeWrite(
  facts: SystemFacts,
  type: ObjectType,
  write: SystemWriteRequest,
  signal: AbortSignal | undefined,
): Promise<ConnectorWrite> {
  if (write.operation === 'delete') return { operation: 'delete', id: write.id }
  // Only decryption needs to wait.
  const content = await decrypted(write.content, facts.decrypt)
  if (write.operation === 'update') {
    const { id } = write
    const deltas = 'deltas' in write ? nativeDeltas(type, write.deltas) : []
    const changes = [...update(type, content), ...(await sendable(facts, type, id, deltas, signal))]
    return { operation: 'update', id, changes }
  }
  const id = requestedId(write)
  return { operation: 'create', id, attributes: creation(type, content, id) }
}

type DeltaChange = Extract<AttributeChange, { kind: 'delta' }>

function nativeDeltas(type: ObjectType, deltas: readonly PropertyDelta[]): readonly DeltaChange[] {
  return deltas.flatMap(({ property: name, add, remove }) => {
    const property = type.properties.get(name)
    if (!property?.updateable) return []
    return [
      {
        attribute: property.attribute,
        kind: 'delta' as const,
        add: toNativeList(add, property),
        remove: toNativeList(remove, property),
      },
    ]
  })
}

/** Where the connector takes no deltas: all values, from a read directly before. */
async function sendable(
  facts: SystemFacts,
  type: ObjectType,
  id: string,
  deltas: readonly DeltaChange[],
  signal: AbortSignal | undefined,
): Promise<readonly AttributeChange[]> {
  const { connector } = facts
  const { objectClass } = type
  const takes = (name: string) => offers(connector, 'deltas') && connector.deltas(objectClass, name)
  const others = deltas.filter(({ attribute: name }) => !takes(name))
  if (others.length === 0) return deltas
  if (!offers(connector, 'readMany')) throw notOffered(facts, 'GET')
  const fields = others.map(({ attribute: name }) => name)
  const read = await facts.calls.call(operation(facts, 'GET', type, id), signal, (both) =>
    connector.readMany(objectClass, [id], fields, both),
  )
  const object = read.get(id)
  if (!object) throw new ConnectorError('unknownId', `There is no object "${id}"`)
  return deltas.map((delta): AttributeChange => {
    const { attribute: name } = delta
    if (takes(name)) return delta
    const value = valueAfter(attribute(object, name), delta)
    return value === undefined ? { attribute: name, kind: 'clear' } : { attribute: name, kind: 'set', value }
  })
}

/** `_id` in the body wins over the id of the request (platform §1.2). */
function requestedId(write: ObjectWriteRequest): string | undefined {
  if (write.operation !== 'create') return write.id
  return idInContent(write.content) ?? write.id
}

export function idInContent(content: JsonObject): string | undefined {
  const id = member(content, '_id')
  return typeof id === 'string' && id !== '' ? id : undefined
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
  return facts.calls.call(named, signal, (both) => connector.writeMany(type.objectClass, writes, both))
}

/** The objects after the writes, by id: as the connector returned them, else read back with one call. */
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
    // The writes are done; a failed read must not make them look failed.
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
