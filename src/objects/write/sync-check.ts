import { pages } from '../../kit/cookies.ts'
import { equal } from '../../model/equality.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { joinPath, splitPath } from '../../model/resource-path.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext, ResourceAction } from '../../router/resources.ts'
import { type ManagedSet, type SetServices, setAt } from '../managed-set.ts'
import { engine } from '../read/pages.ts'
import { propertiesOf } from '../type/type.ts'

/**
 * The action `triggerSyncCheck` (engine §8.1, platform §2): computes the virtual properties of one object, or of all that
 * match, anew. What differs from what is stored is written, and synchronized like any update.
 */
export async function triggerSyncCheck(
  { sets, recomputation }: SetServices,
  path: string,
  { parameters }: ResourceAction,
  request: RequestContext,
): Promise<Json> {
  const [type = '', id] = splitPath(path)
  const set = setAt(sets, id === undefined ? path : joinPath(type))
  const found = id === undefined ? matching(set, filterIn(path, parameters)) : [[await set.required(id)]]
  let countTriggered = 0
  for await (const objects of found) {
    for (const object of objects) await check(set, object, request)
    const ids = objects.map(({ _id }) => _id)
    if (set.compiled.relations) await recomputation.refresh(set.path, ids, request)
    countTriggered += ids.length
  }
  return { status: 'OK', countTriggered }
}

/** All objects have to be asked for: a parameter that is missing or misspelt does not mean them. */
function filterIn(path: string, { _queryFilter }: Readonly<Record<string, string>>): string {
  if (_queryFilter !== undefined) return _queryFilter
  throw new Problem(
    'BAD_REQUEST',
    `triggerSyncCheck on managed/${path} needs _queryFilter, or the id of one object; _queryFilter=true means all`,
  )
}

async function* matching(set: ManagedSet, text: string): AsyncGenerator<readonly StoredObject[]> {
  const query = { filter: await set.filter(parseFilter(text)), pageSize: 500 }
  for await (const { result } of pages((from) => set.store.objects.query(set.path, { ...query, ...from })))
    yield result
}

/** Of what scripts compute. */
async function check(set: ManagedSet, stored: StoredObject, request: RequestContext): Promise<void> {
  const [computed] = await set.retrieved(await set.view([stored]), engine)
  const { relations, type } = set.compiled
  const collected = new Set(relations?.type.collected.map(({ name }) => name))
  const virtual = propertiesOf(type.schema).filter(
    ([name, property]) => property.isVirtual === true && !collected.has(name),
  )
  const changed = virtual.filter(([name]) => !equal(computed?.[name] ?? null, stored[name] ?? null))
  if (changed.length === 0) return
  const content = {
    ...stored,
    ...Object.fromEntries(changed.map(([name]) => [name, computed?.[name] ?? null])),
  }
  const write = { operation: 'update', id: stored._id, known: stored, content } as const
  await set.applyOne(write, request)
}
