import type { Pointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { splitPath } from '../model/resource-path.ts'
import type { RequestContext } from '../router/resources.ts'
import type { ManagedSet } from './managed-set.ts'
import type { RelationServices } from './type/compile.ts'

/** The managed types of a project, by collection, e.g. `managed/user`. */
export type Sets = ReadonlyMap<string, ManagedSet>

/** What resources of managed objects work with. */
export interface SetServices extends Pick<RelationServices, 'outside' | 'recomputation'> {
  readonly sets: Sets
}

/** Asked by a client, or by a script: with the fields that it names. */
export type Asked = RequestContext & { readonly fields?: readonly Pointer[] | undefined }

/** An object that a path names; it need not be there. */
export interface ObjectAt {
  readonly set: ManagedSet
  readonly id: string
}

function placeAt(sets: Sets, path: string): { readonly set: ManagedSet; readonly others: readonly string[] } {
  const [type, ...others] = splitPath(path)
  const set = sets.get(`managed/${type}`)
  if (!set) throw new Problem('NOT_FOUND', `There is no object type managed/${path}`)
  return { set, others }
}

/** The set that a path below `managed/` names. */
export function setAt(sets: Sets, path: string): ManagedSet {
  const { set, others } = placeAt(sets, path)
  if (others.length > 0) throw new Problem('NOT_IMPLEMENTED', `managed/${path} is an object, not a set`)
  return set
}

/** The object that a path below `managed/` names. */
export function objectAt(sets: Sets, path: string): ObjectAt {
  const { set, others } = placeAt(sets, path)
  const [id, ...more] = others
  if (id === undefined)
    throw new Problem('BAD_REQUEST', `${set.path} is a set: query it with _queryFilter, or name an object`)
  if (more.length > 0) throw new Problem('NOT_FOUND', `There is no resource managed/${path}`)
  return { set, id }
}
