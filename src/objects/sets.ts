import { Problem } from '../model/problem.ts'
import { splitPath } from '../model/resource-path.ts'
import type { StoredObject } from '../repository/repository.ts'
import type { ManagedSet } from './managed-set.ts'

/** The managed types of a project, by name. */
export type Sets = ReadonlyMap<string, ManagedSet>

/** The set of a collection such as `managed/user`; undefined for others. */
export function setOfCollection(sets: Sets, collection: string): ManagedSet | undefined {
  return collection.startsWith('managed/') ? sets.get(collection.slice('managed/'.length)) : undefined
}

/** The set that a path below `managed/` names. */
export function setAt(sets: Sets, path: string): ManagedSet {
  const [type, ...others] = splitPath(path)
  const set = type === undefined ? undefined : sets.get(type)
  if (!set) throw new Problem('NOT_FOUND', `There is no object type managed/${path}`)
  if (others.length > 0) throw new Problem('NOT_IMPLEMENTED', `managed/${path} is an object, not a set`)
  return set
}

/** The object that a path below `managed/` names; it need not be there. */
export function objectAt(sets: Sets, path: string): { readonly set: ManagedSet; readonly id: string } {
  const [type, id, ...others] = splitPath(path)
  const set = type === undefined ? undefined : sets.get(type)
  if (!set) throw new Problem('NOT_FOUND', `There is no object type managed/${path}`)
  if (id === undefined)
    throw new Problem('BAD_REQUEST', `${set.path} is a set: query it with _queryFilter, or name an object`)
  if (others.length > 0) throw new Problem('NOT_FOUND', `There is no resource managed/${path}`)
  return { set, id }
}

export async function storedObject(set: ManagedSet, id: string): Promise<StoredObject> {
  const object = await set.stored(id)
  if (!object) throw new Problem('NOT_FOUND', `${set.path}/${id} does not exist`)
  return object
}
