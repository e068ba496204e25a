import { type Json, type JsonObject, member } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { holdsSealed } from '../../model/secrecy.ts'
import { isUnreadable, requireReadable } from '../../model/unreadable.ts'
import type { Entry, ObjectWriteRequest, ObjectWriteResult, Resource } from '../../router/resources.ts'
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
import type { ObjectType } from './object-type.ts'
import { failureOf } from './operation.ts'
import { readMany } from './read-objects.ts'
import { sendWrites } from './send-writes.ts'
import type { TypeAccess } from './type-access.ts'

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

/** Writes objects of one type; outcomes have the indexes of their writes. `idsSuffice`: what was written is not read again. */
export async function writeObjects(
  access: TypeAccess,
  writes: readonly SystemWriteRequest[],
  signal?: AbortSignal,
  idsSuffice = false,
): Promise<readonly ObjectWriteResult[]> {
  const { connector } = access
  if (!offers(connector, 'writeMany')) throw access.notOffered(names[writes[0]?.operation ?? 'update'])
  const prepared: Prepared[] = []
  for (const write of writes) prepared.push(await prepare(access, write, signal))
  const sent = prepared.flatMap((one) => (one.kind === 'send' ? [one.write] : []))
  const outcomes = sent.length === 0 ? [] : await sendWrites(access, connector, sent, signal)
  const skipped = prepared.flatMap((one) => (one.kind === 'skipped' && one.id !== undefined ? [one.id] : []))
  const objects = await readBack(access, sent, idsSuffice ? [] : outcomes, skipped, signal)
  const next = outcomes.values()
  return prepared.map((one): ObjectWriteResult => {
    if (one.kind === 'failed') return { ok: false, error: one.error }
    if (one.kind === 'skipped') return skippedResult(access, one.id, objects)
    const outcome = next.next().value ?? noOutcome()
    if (outcome.ok) return { ok: true, object: objects.get(outcome.id) ?? { _id: outcome.id } }
    return { ok: false, error: writeFailure(access, one.write, outcome.error) }
  })
}

function noOutcome(): ConnectorWriteOutcome {
  const fact = 'The connector gave no outcome for a write; whether it was done is unknown'
  return { ok: false, error: new ConnectorError('failed', fact) }
}

export function writeFailure(
  access: TypeAccess,
  write: Pick<ConnectorWrite, 'operation' | 'id'>,
  error: unknown,
): Problem {
  const uid = write.operation === 'create' ? undefined : write.id
  return failureOf(error, access.operation(names[write.operation], { uid }))
}

/** A write as its connector takes it; nothing is sent. */
export async function prepare(
  access: TypeAccess,
  write: SystemWriteRequest,
  signal: AbortSignal | undefined,
): Promise<Prepared> {
  const name = names[write.operation]
  const { system, log } = access.facts
  try {
    if (access.permission(name) === 'skipped') {
      const id = requestedId(write)
      log(`${name} on ${access.path}${id ? `/${id}` : ''} is denied and was skipped`)
      return { kind: 'skipped', id }
    }
    if (write.operation !== 'create' && write.rev !== undefined) {
      const message = `Objects of system ${system} have no revisions; repeat the request without one`
      throw new Problem('PRECONDITION_FAILED', message)
    }
    return { kind: 'send', write: await nativeWrite(access, write, signal) }
  } catch (error) {
    return { kind: 'failed', error: writeFailure(access, write, asProblem(error)) }
  }
}

async function nativeWrite(
  access: TypeAccess,
  write: SystemWriteRequest,
  signal: AbortSignal | undefined,
): Promise<ConnectorWrite> {
  if (write.operation === 'delete') return { operation: 'delete', id: write.id }
  const { facts, type } = access
  // Secrets become plaintext here and nowhere earlier. Only decryption needs to wait; it keeps an object an object.
  const content = holdsSealed(write.content)
    ? ((await facts.decrypt(write.content)) as JsonObject)
    : write.content
  if (write.operation === 'update') {
    const { id } = write
    const deltas = 'deltas' in write ? nativeDeltas(type, write.deltas) : []
    const changes = [...update(type, content), ...(await sendable(access, id, deltas, signal))]
    return { operation: 'update', id, changes }
  }
  const id = requestedId(write)
  return { operation: 'create', id, attributes: creation(type, content, id) }
}

type DeltaChange = Extract<AttributeChange, { kind: 'delta' }>

function nativeDeltas(type: ObjectType, deltas: readonly PropertyDelta[]): readonly DeltaChange[] {
  return deltas.flatMap(({ property: name, add, remove }): DeltaChange[] => {
    const property = type.properties.get(name)
    if (!property?.updateable) return []
    const [added, removed] = [toNativeList(add, property), toNativeList(remove, property)]
    return [{ attribute: property.attribute, kind: 'delta', add: added, remove: removed }]
  })
}

/** Where the connector takes no deltas: all values, from a read directly before. */
async function sendable(
  access: TypeAccess,
  id: string,
  deltas: readonly DeltaChange[],
  signal: AbortSignal | undefined,
): Promise<readonly AttributeChange[]> {
  const { connector } = access
  const { objectClass } = access.type
  const takes = (name: string) => offers(connector, 'deltas') && connector.deltas(objectClass, name)
  const fields = deltas.map((delta) => delta.attribute).filter((name) => !takes(name))
  if (fields.length === 0) return deltas
  if (!offers(connector, 'readMany')) throw access.notOffered('GET')
  const read = (both?: AbortSignal) => connector.readMany(objectClass, [id], fields, both)
  const object = (await access.call('GET', signal, read, { uid: id })).get(id)
  if (!object) throw new ConnectorError('unknownId', `There is no object "${id}"`)
  const present = requireReadable(object)
  return deltas.map((delta): AttributeChange => {
    const { attribute: name } = delta
    if (takes(name)) return delta
    const value = valueAfter(attribute(present, name), delta)
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

/** The objects after the writes, by id: as the connector returned them, else read back with one call. */
async function readBack(
  access: TypeAccess,
  sent: readonly ConnectorWrite[],
  outcomes: readonly ConnectorWriteOutcome[],
  skipped: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Resource>> {
  const toResource = reader(access.type, undefined)
  const objects = new Map<string, Resource>()
  const unknown = [...skipped]
  const keep = (id: string, entry: Entry) => {
    if (!isUnreadable(entry)) objects.set(id, entry)
  }
  outcomes.forEach((outcome, position) => {
    if (!outcome.ok) return
    const object = outcome.object && toResource(outcome.object)
    if (object) keep(outcome.id, object)
    else if (sent[position]?.operation !== 'delete') unknown.push(outcome.id)
  })
  if (unknown.length > 0 && offers(access.connector, 'readMany')) {
    // The writes are done; a failed read must not make them look failed.
    const read = await readMany(access, unknown, undefined, signal).catch(() => [])
    for (const [id, entry] of read) keep(id, entry)
  }
  return objects
}

/** "Succeeds with the object's present state": there must be one. */
function skippedResult(
  access: TypeAccess,
  id: string | undefined,
  objects: ReadonlyMap<string, Resource>,
): ObjectWriteResult {
  const object = id === undefined ? undefined : objects.get(id)
  if (object) return { ok: true, object }
  return { ok: false, error: denied(access) }
}

export function denied({ path }: TypeAccess): Problem {
  const message = `The operation is denied by operationOptions, and ${path} has no such object`
  return new Problem('FORBIDDEN', message)
}
