import { asObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { isUnreadable, Unreadable } from '../../model/unreadable.ts'
import type { Entry } from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import type { Place } from '../kit/query.ts'
import { failureOf } from './operation.ts'
import type { TypeAccess } from './type-access.ts'

/** The same entries; errors of unreadable ones say where a person finds the object, if the connector knows it. */
export async function withPlaces(
  access: TypeAccess,
  entries: readonly Entry[],
  signal?: AbortSignal,
): Promise<readonly Entry[]> {
  const unreadable = entries.filter(isUnreadable)
  if (unreadable.length === 0) return entries
  const places = await placesOf(access, unreadable, signal)
  return entries.map((entry) => (isUnreadable(entry) ? placed(access, entry, places.get(entry._id)) : entry))
}

export async function withPlace(access: TypeAccess, entry: Entry): Promise<Entry> {
  return (await withPlaces(access, [entry]))[0] ?? entry
}

async function placesOf(
  access: TypeAccess,
  unreadable: readonly Unreadable[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, Place>> {
  const { connector, type } = access
  // What the connector itself could not read, it has placed.
  const asked = unreadable.flatMap(({ _id, problem }) => {
    const { nativeAttribute } = asObject(problem.detail)
    return typeof nativeAttribute === 'string' ? [{ id: _id, attribute: nativeAttribute }] : []
  })
  if (asked.length === 0 || !offers(connector, 'locate')) return new Map()
  try {
    return await access.call('GET', signal, (both) => connector.locate(type.objectClass, asked, both))
  } catch {
    signal?.throwIfAborted()
    return new Map()
  }
}

function placed(access: TypeAccess, { _id, problem }: Unreadable, place: Place | undefined): Unreadable {
  const { code, message, detail, hint, cause } = failureOf(problem, access.operation('GET', { uid: _id }))
  if (!place) return new Unreadable(_id, new Problem(code, message, { cause, detail, hint }))
  const known = { ...asObject(detail), ...place.detail }
  return new Unreadable(_id, new Problem(code, `${place.text}: ${message}`, { cause, detail: known, hint }))
}
