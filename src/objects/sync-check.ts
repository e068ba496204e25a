import { equal } from '../model/equality.ts'
import { parseFilter } from '../model/filter-parse.ts'
import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { Repository, StoredObject } from '../repository/repository.ts'
import { splitPath } from '../router/path.ts'
import type { RequestContext, ResourceAction } from '../router/resources.ts'
import type { ManagedSet } from './managed-set.ts'
import { propertiesOf } from './type.ts'
import { isVirtual } from './type-scripts.ts'

/**
 * The action `triggerSyncCheck` (engine specification §8.1, platform specification §2): computes the virtual properties of one
 * object, or of all that match, anew; what differs from what is stored is an update, and is carried on as one.
 */
export async function triggerSyncCheck(
  repository: Repository,
  sets: ReadonlyMap<string, ManagedSet>,
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
    return { status: 'OK', countTriggered: 1 }
  }
  const filter = parseFilter(parameters._queryFilter ?? 'true')
  let countTriggered = 0
  let cookie: string | null | undefined
  while (cookie !== null) {
    const page = await repository.objects.query(set.path, {
      filter,
      pageSize: 500,
      ...(cookie !== undefined && { cookie }),
    })
    for (const object of page.result) await check(set, object, request)
    countTriggered += page.result.length
    cookie = page.cookie
  }
  return { status: 'OK', countTriggered }
}

async function check(set: ManagedSet, stored: StoredObject, request: RequestContext): Promise<void> {
  const computed = (await set.readMany([stored._id])).get(stored._id)
  const virtual = propertiesOf(set.compiled.type.schema).filter(([, property]) => isVirtual(property))
  const changed = virtual.filter(([name]) => !equal(computed?.[name] ?? null, stored[name] ?? null))
  if (changed.length === 0) return
  const content = {
    ...stored,
    ...Object.fromEntries(changed.map(([name]) => [name, computed?.[name] ?? null])),
  }
  const write = { operation: 'update', id: stored._id, rev: stored._rev, content } as const
  const [result] = await set.apply([write], request)
  if (result && !result.ok) throw result.error
}
