import type { ObjectWrite, StoredObject } from '../../repository/repository.ts'
import type { ObjectChange } from './changes.ts'

/** The write that makes a change undone, unless somebody else has written since. */
export function takenBack({ operation, id, before, after }: ObjectChange): ObjectWrite {
  if (operation === 'create') return { operation: 'delete', id, rev: after?._rev }
  const { _id, _rev, ...content } = before as StoredObject
  if (operation === 'delete') return { operation: 'create', id, content }
  return { operation: 'update', id, rev: after?._rev, content }
}
