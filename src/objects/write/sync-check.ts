import { equal } from '../../model/equality.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import type { Repository, StoredObject } from '../../repository/repository.ts'
import type { RequestContext, ResourceAction } from '../../router/resources.ts'
import type { ManagedSet } from '../managed-set.ts'
import { storeFilter } from '../relationships/view.ts'
import { isVirtual } from '../type/scripts.ts'
import { propertiesOf } from '../type/type.ts'

export interface SyncCheckOptions {
  readonly repository: Repository
  readonly sets: ReadonlyMap<string, ManagedSet>
  /** Computes anew what is collected along relationships, and carries on what differs. */
  readonly refresh: (collection: string, ids: readonly string[], request: RequestContext) => Promise<void>
}

/**
 * The action `triggerSyncCheck` (engine §8.1, platform §2): computes the virtual properties of one
 * object, or of all that match, anew; what differs from what is stored is an update, and is carried on as one.
 */
export async function triggerSyncCheck(
  { repository, sets, refresh }: SyncCheckOptions,
  path: string,
  { parameters }: ResourceAction,
  request: RequestContext,
): Promise<Json> {
  const [type = '', id] = splitPath(path)
  const set = sets.get(type)
  if (!set) throw new Problem('NOT_FOUND', `There is no object type managed/${type}`)
  if (id !== undefined) {
    const stored = await set.stored(id)
    if (!stored) throw new Problem('NOT_FOUND', `${set.path}/${id} does not exist`)
    await check(set, stored, request)
    if (set.compiled.relations) await refresh(set.path, [id], request)
    return { status: 'OK', countTriggered: 1 }
  }
  const { relations } = set.compiled
  const stated = parseFilter(parameters._queryFilter ?? 'true')
  const filter = relations ? await storeFilter(repository, relations, stated) : stated
  let countTriggered = 0
  let cookie: string | null | undefined
  while (cookie !== null) {
    const page = await repository.objects.query(set.path, {
      filter,
      pageSize: 500,
      ...(cookie !== undefined && { cookie }),
    })
    for (const object of page.result) await check(set, object, request)
    if (relations)
      await refresh(
        set.path,
        page.result.map(({ _id }) => _id),
        request,
      )
    countTriggered += page.result.length
    cookie = page.cookie
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
  const [result] = await set.apply([write], request)
  if (result && !result.ok) throw result.error
}
