import type { Judgement, ObjectWriteRequest } from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { NativeAttribute } from '../kit/schema.ts'
import { attribute } from '../kit/values.ts'
import type { ConnectorWrite } from '../kit/write.ts'
import type { TypeAccess } from './type-access.ts'
import { denied, prepare, writeFailure } from './write-objects.ts'

/**
 * What would become of writes: permissions, declared attributes, values that do not convert; then what the connector says, or, where it
 * says nothing, the schema of its system. Nothing is written.
 */
export async function judgeWrites(
  access: TypeAccess,
  writes: readonly ObjectWriteRequest[],
): Promise<readonly Judgement[]> {
  if (!offers(access.connector, 'writeMany')) return writes.map(() => undefined)
  const prepared = await Promise.all(writes.map((write) => prepare(access, write, undefined)))
  const sent = prepared.flatMap((one) => (one.kind === 'send' ? [one.write] : []))
  const refusals = (await refusalsOf(access, sent)).values()
  return prepared.map((one, place): Judgement => {
    if (one.kind === 'failed') return { kind: 'refused', problem: one.error }
    if (one.kind === 'skipped') {
      const isNew = writes[place]?.operation === 'create'
      return isNew ? { kind: 'refused', problem: denied(access) } : undefined
    }
    const error = refusals.next().value
    return error && { kind: 'refused', problem: writeFailure(access, one.write, error) }
  })
}

async function refusalsOf(
  access: TypeAccess,
  writes: readonly ConnectorWrite[],
): Promise<readonly (Error | undefined)[]> {
  const { connector, type } = access
  if (writes.length === 0) return []
  if (!offers(connector, 'refusals')) {
    const attributes = await access.knownAttributes()
    const names = [...type.properties.values()].flatMap((one) => (one.isName ? [one.attribute] : []))
    return writes.map((write) => attributes && unfit(write, attributes, { path: access.path, names }))
  }
  const ask = (signal?: AbortSignal) => connector.refusals(type.objectClass, writes, signal)
  return access.call('SCHEMA', undefined, ask)
}

/** Why a write does not fit the schema of its system. `names`: the attributes that the id of a new object is given to. */
export function unfit(
  write: ConnectorWrite,
  known: ReadonlyMap<string, NativeAttribute>,
  { path, names }: { readonly path: string; readonly names: readonly string[] },
): ConnectorError | undefined {
  if (write.operation === 'delete') return undefined
  const changes = write.operation === 'create' ? Object.keys(write.attributes) : write.changes.map(nameOf)
  const unknown = changes.find((name) => !known.has(name) && !name.startsWith('__'))
  if (unknown !== undefined)
    return new ConnectorError('schemaViolation', `${path} has no attribute ${unknown}`, {
      attribute: unknown,
    })
  if (write.operation !== 'create') return undefined
  const missing = [...known.values()].find(
    ({ name, required }) =>
      required &&
      (attribute(write.attributes, name) ?? null) === null &&
      !(names.includes(name) && write.id !== undefined),
  )
  if (!missing) return undefined
  const fact = `${missing.name} is required by ${path} and has no value`
  return new ConnectorError('schemaViolation', fact, { attribute: missing.name })
}

function nameOf({ attribute: name }: { readonly attribute: string }): string {
  return name
}
