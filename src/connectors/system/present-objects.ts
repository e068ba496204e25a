import type { Filter } from '../../model/filter/filter.ts'
import { offers } from '../kit/connector.ts'
import type { ConnectorEntry, ConnectorObject } from '../kit/query.ts'
import { attribute, isValueList, Secret, sameValue, type Value, valuesOf } from '../kit/values.ts'
import { type ConnectorWrite, settingOf, valueAfter } from '../kit/write.ts'
import type { TypeAccess } from './type-access.ts'

/**
 * The objects that writes are about, as they are now, at the places of their writes: by their ids, and a create whose id the system
 * gives by its name, where the system says that names are unique. `unknown`: there is no way to tell.
 */
export async function presentObjects(
  access: TypeAccess,
  writes: readonly ConnectorWrite[],
  signal: AbortSignal | undefined,
): Promise<readonly (ConnectorEntry | 'absent' | 'unknown')[]> {
  const { connector, type } = access
  const ids = writes.map((write) => idKnown(access, write))
  const known = ids.filter((id) => id !== undefined)
  const fields = [...new Set(writes.flatMap(namesIn))]
  const found: ReadonlyMap<string, ConnectorEntry> =
    known.length > 0 && offers(connector, 'readMany')
      ? await access.call(
          'GET',
          signal,
          (both) => connector.readMany(type.objectClass, known, fields, both),
          { count: known.length },
        )
      : new Map()
  return Promise.all(
    writes.map(async (write, at) => {
      const id = ids[at]
      if (id === undefined) return byName(access, write, fields, signal)
      return offers(connector, 'readMany') ? (found.get(id) ?? 'absent') : 'unknown'
    }),
  )
}

/** The id of the object, as far as it is known before the write. */
export function idKnown({ connector, type }: TypeAccess, write: ConnectorWrite): string | undefined {
  if (write.operation !== 'create') return write.id
  if (!offers(connector, 'idOf')) return write.id
  return connector.idOf(type.objectClass, write.attributes, write.id)
}

async function byName(
  access: TypeAccess,
  write: ConnectorWrite,
  fields: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ConnectorEntry | 'absent' | 'unknown'> {
  const { connector, type } = access
  const name = [...type.properties.values()].find(({ isName }) => isName)?.attribute
  if (write.operation !== 'create' || name === undefined || !offers(connector, 'search')) return 'unknown'
  const value = attribute(write.attributes, name)
  const described = (await access.knownAttributes())?.get(name)
  if (typeof value !== 'string' || described?.unique !== true) return 'unknown'
  const filter: Filter = { kind: 'compare', operator: 'eq', pointer: [name], value }
  // Without `split` the connector gives all there is.
  if (!offers(connector, 'split') || connector.split(type.objectClass, filter).native !== filter)
    return 'unknown'
  const query = { objectClass: type.objectClass, filter, fields }
  for await (const [object] of access.stream('SEARCH', signal, (both) => connector.search(query, both)))
    if (object) return object
  return 'absent'
}

function namesIn(write: ConnectorWrite): readonly string[] {
  if (write.operation === 'delete') return []
  return write.operation === 'create'
    ? Object.keys(write.attributes)
    : write.changes.map((change) => change.attribute)
}

/** Is the object as this write would leave it? A secret of an update cannot be compared: it is taken for missing. */
export function holdsAfter(access: TypeAccess, present: ConnectorObject, write: ConnectorWrite): boolean {
  if (write.operation === 'delete') return false
  const isCreate = write.operation === 'create'
  const changes = isCreate ? settingOf(write.attributes) : write.changes
  return changes.every((change) => {
    const before = attribute(present, change.attribute)
    const after = valueAfter(before, change)
    if (after instanceof Secret) return isCreate
    return !isReadable(access, change.attribute) ? isCreate : isSame(access, change.attribute, before, after)
  })
}

function isReadable({ type }: TypeAccess, name: string): boolean {
  const property = [...type.properties.values()].find((one) => one.attribute === name)
  return property?.readable !== false
}

/** The values of a list have no order here: who compares too strictly would only write once more. */
function isSame(
  access: TypeAccess,
  name: string,
  present: Value | undefined,
  wanted: Value | undefined,
): boolean {
  const { connector, type } = access
  const held =
    wanted !== undefined && offers(connector, 'held')
      ? connector.held(type.objectClass, name, wanted, present)
      : wanted
  const [before, after] = [valuesOf(present), valuesOf(held)]
  if (!isValueList(present) && !isValueList(held)) return sameValue(present, held)
  const contains = (values: readonly Value[], value: Value) => values.some((one) => sameValue(one, value))
  return before.length === after.length && after.every((value) => contains(before, value))
}
