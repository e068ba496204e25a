import { pages } from '../../kit/cookies.ts'
import { equal } from '../../model/equality.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { Json } from '../../model/json.ts'
import { joinPath, splitPath } from '../../model/resource-path.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext, ResourceAction } from '../../router/resources.ts'
import type { ManagedSet } from '../managed-set.ts'
import { type SetServices, setAt, storedObject } from '../sets.ts'
import { isVirtual } from '../type/scripts.ts'
import { propertiesOf } from '../type/type.ts'
import { applyOne } from './patch.ts'

/**
 * The action `triggerSyncCheck` (engine §8.1, platform §2): computes the virtual properties of one
 * object, or of all that match, anew; what differs from what is stored is an update, and is carried on as one.
 */
export async function triggerSyncCheck(
  { repository, sets, refresh }: SetServices,
  path: string,
  { parameters }: ResourceAction,
  request: RequestContext,
): Promise<Json> {
  const [type = '', id] = splitPath(path)
  if (id !== undefined) {
    const set = setAt(sets, joinPath(type))
    await check(set, await storedObject(set, id), request)
    if (set.compiled.relations) await refresh(set.path, [id], request)
    return { status: 'OK', countTriggered: 1 }
  }
  const set = setAt(sets, path)
  const filter = await set.reader.filter(parseFilter(parameters._queryFilter ?? 'true'))
  let countTriggered = 0
  for await (const { result } of pages((from) =>
    repository.objects.query(set.path, { filter, pageSize: 500, ...from }),
  )) {
    for (const object of result) await check(set, object, request)
    const ids = result.map(({ _id }) => _id)
    if (set.compiled.relations) await refresh(set.path, ids, request)
    countTriggered += result.length
  }
  return { status: 'OK', countTriggered }
}

/** Of what scripts compute. */
async function check(set: ManagedSet, stored: StoredObject, request: RequestContext): Promise<void> {
  const computed = (await set.readMany([stored._id])).get(stored._id)
  const { relations, type } = set.compiled
  const collected = new Set(relations?.type.collected.map(({ name }) => name))
  const virtual = propertiesOf(type.schema).filter(
    ([name, property]) => isVirtual(property) && !collected.has(name),
  )
  const changed = virtual.filter(([name]) => !equal(computed?.[name] ?? null, stored[name] ?? null))
  if (changed.length === 0) return
  const content = {
    ...stored,
    ...Object.fromEntries(changed.map(([name]) => [name, computed?.[name] ?? null])),
  }
  const write = { operation: 'update', id: stored._id, known: stored, content } as const
  await applyOne(set, write, request)
}
