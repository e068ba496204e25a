import type { Pointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import type { Target } from '../model/reference.ts'
import { splitPath } from '../model/resource-path.ts'
import type { StoredObject } from '../repository/objects.ts'
import type { Repository } from '../repository/repository.ts'
import type { RequestContext, Resource } from '../router/resources.ts'
import type { ManagedSet } from './managed-set.ts'

/** The managed types of a project, by name. */
export type Sets = ReadonlyMap<string, ManagedSet>

/** What resources of managed objects work with. */
export interface SetServices {
  readonly repository: Repository
  readonly sets: Sets
  /** Recomputes values that are collected along relationships, and synchronizes differences. */
  readonly refresh: (collection: string, ids: readonly string[], request: RequestContext) => Promise<void>
  /** An object that is not in the repository; undefined if there is none. */
  readonly outside: (target: Target) => Promise<Resource | undefined>
}

/** Asked by a client, or by a script: with the fields that it names. */
export type Asked = RequestContext & { readonly fields?: readonly Pointer[] | undefined }

/** The set of a collection such as `managed/user`; undefined for others. */
export function setOfCollection(sets: Sets, collection: string): ManagedSet | undefined {
  return collection.startsWith('managed/') ? sets.get(collection.slice('managed/'.length)) : undefined
}

function setNamed(
  sets: Sets,
  path: string,
): { readonly set: ManagedSet; readonly others: readonly string[] } {
  const [type = '', ...others] = splitPath(path)
  const set = sets.get(type)
  if (!set) throw new Problem('NOT_FOUND', `There is no object type managed/${path}`)
  return { set, others }
}

/** The set that a path below `managed/` names. */
export function setAt(sets: Sets, path: string): ManagedSet {
  const { set, others } = setNamed(sets, path)
  if (others.length > 0) throw new Problem('NOT_IMPLEMENTED', `managed/${path} is an object, not a set`)
  return set
}

/** The object that a path below `managed/` names; it need not be there. */
export function objectAt(sets: Sets, path: string): { readonly set: ManagedSet; readonly id: string } {
  const { set, others } = setNamed(sets, path)
  const [id, ...more] = others
  if (id === undefined)
    throw new Problem('BAD_REQUEST', `${set.path} is a set: query it with _queryFilter, or name an object`)
  if (more.length > 0) throw new Problem('NOT_FOUND', `There is no resource managed/${path}`)
  return { set, id }
}

export async function storedObject(set: ManagedSet, id: string): Promise<StoredObject> {
  const object = await set.stored(id)
  if (!object) throw new Problem('NOT_FOUND', `${set.path}/${id} does not exist`)
  return object
}
