import type { JsonObject } from '../../model/json.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext } from '../../router/resources.ts'
import { replacedAt } from '../type/places.ts'
import type { ScriptedPlace, TypeScripts } from '../type/scripts.ts'

/** What the scripts of reading make of stored objects (platform §6.2). */
export type Retrieval = NonNullable<ReturnType<typeof retrieval>>

/** Undefined for a type that has none of these scripts: reading costs nothing then. */
export function retrieval(collection: string, scripts: TypeScripts, retrieved: readonly ScriptedPlace[]) {
  const hooks = ['onRetrieve', 'onRead'].filter((hook) => scripts.has(hook))
  if (retrieved.length + hooks.length === 0 && !scripts.has('onQueryResult')) return undefined

  async function withProperties(
    object: JsonObject,
    id: string,
    request: RequestContext,
  ): Promise<JsonObject> {
    let result = object
    for (const { path, script } of retrieved) {
      result = await replacedAt(result, path, async ({ pointer, value: property = null }) => {
        const propertyName = pointer.join('/')
        const variables = { object: result, property, propertyName, ...about(collection, id) }
        return (await scripts.run(script, variables, request)).value
      })
    }
    return result
  }

  async function hooked(hook: string, object: JsonObject, id: string, request: RequestContext) {
    if (!scripts.has(hook)) return object
    const variables = { object, ...about(collection, id) }
    return (await scripts.run(hook, variables, request)).object ?? object
  }

  /** `onRetrieve` of the object and then of its properties, and `onRead`. */
  async function one(stored: StoredObject, request: RequestContext): Promise<StoredObject> {
    const { _id, _rev } = stored
    const object = await withProperties(await hooked('onRetrieve', stored, _id, request), _id, request)
    return { ...(await hooked('onRead', object, _id, request)), _id, _rev }
  }

  /** Of a query's result: the objects that `onQueryResult` keeps; properties are retrieved only if asked for. */
  async function queried(
    objects: readonly StoredObject[],
    request: RequestContext,
    executeOnRetrieve: boolean,
  ): Promise<readonly StoredObject[]> {
    const kept: StoredObject[] = []
    for (const stored of objects) {
      let object: JsonObject = executeOnRetrieve ? await withProperties(stored, stored._id, request) : stored
      if (scripts.has('onQueryResult')) {
        const variables = { object, ...about(collection, stored._id) }
        const { value, object: left } = await scripts.run('onQueryResult', variables, request)
        if (value === false || value === 0 || value === '') continue
        object = left ?? object
      }
      kept.push({ ...object, _id: stored._id, _rev: stored._rev })
    }
    return kept
  }

  return { one, queried }
}

function about(collection: string, id: string): JsonObject {
  return { resourceName: `${collection}/${joinPath(id)}` }
}
