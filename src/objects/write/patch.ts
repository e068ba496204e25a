import type { Json } from '../../model/json.ts'
import { applyPatch, type PatchOperation } from '../../model/patch.ts'
import { type Pointer, printPointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext } from '../../router/resources.ts'
import type { ManagedSet } from '../managed-set.ts'
import { notNamed, withHiddenValues } from '../read/hidden-values.ts'
import { editsByPatch, isAbout, relationshipValue } from '../relationships/wanted.ts'
import { touches } from '../type/places.ts'

/** How often a patch without a revision starts again on the fresh object (platform §1.4, [D]). */
const patchRetries = 5

/** Reads the object, and writes what the operations make of it: the write is refused if it has changed in between. */
export async function patchObject(
  set: ManagedSet,
  id: string,
  rev: string | undefined,
  operations: readonly PatchOperation[],
  request: RequestContext,
): Promise<StoredObject> {
  if (request.external) refusePrivateSources(set, operations)
  for (let attempt = 0; ; attempt++) {
    const known = await set.required(id)
    const content = await patched(set, known, operations, request)
    try {
      return await set.applyOne({ ...content, operation: 'update', id, rev, known }, request)
    } catch (error) {
      const outrun = error instanceof Problem && error.code === 'PRECONDITION_FAILED'
      if (rev !== undefined || !outrun || attempt === patchRetries) throw error
    }
  }
}

async function patched(
  { compiled, store }: ManagedSet,
  known: StoredObject,
  operations: readonly PatchOperation[],
  { external }: RequestContext,
) {
  const { relations, encryption, collection } = compiled
  const named = operations.flatMap(fieldsOf)
  const own = relations ? operations.filter((operation) => !isAbout(relations.type, operation)) : operations
  const result = applyPatch(known, own)
  const content = external ? withHiddenValues(result, known, notNamed(encryption.private, named)) : result
  const current = async (name: string): Promise<Json> => {
    const property = relations?.type.properties.get(name)
    const found = await store.relationships.of(collection, [known._id], { properties: [name] })
    return property ? relationshipValue(property, found.get(known._id) ?? []) : null
  }
  const edits = relations && (await editsByPatch(relations.type, operations, current))
  // Policies are attached to top-level names.
  return { content, edits, patched: new Set(named.flatMap(([name]) => name ?? [])) }
}

function fieldsOf(one: PatchOperation): readonly Pointer[] {
  return one.operation === 'move' ? [one.field, one.from] : [one.field]
}

/** A value that a caller does not see may not be copied to where it is seen. */
function refusePrivateSources({ path, compiled }: ManagedSet, operations: readonly PatchOperation[]): void {
  for (const operation of operations) {
    if (operation.operation !== 'copy' && operation.operation !== 'move') continue
    if (compiled.encryption.private.some((place) => touches(place, operation.from)))
      throw new Problem('FORBIDDEN', `${path}: ${printPointer(operation.from)} may not be read from outside`)
  }
}
