import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'
import type { ScriptOutcome } from '../../scripts/engine.ts'
import { replacedAt, touches } from '../type/places.ts'
import type { ScriptedPlace, TypeScripts } from '../type/scripts.ts'

/** What the scripts of reading make of stored objects (platform §6.2). */
export interface Retrieval {
  /**
   * `onRetrieve` of the objects and then of their properties, and `onRead`: one crossing into the sandbox. Outcomes stand at
   * the places of the objects; identity and revision are not the scripts' to change.
   */
  page(objects: readonly Resource[], request: RequestContext): Promise<readonly ScriptOutcome<JsonObject>[]>
  /** Of a query's result: the objects that `onQueryResult` keeps; properties are retrieved only if asked for. */
  queried(
    objects: readonly StoredObject[],
    request: RequestContext,
    executeOnRetrieve: boolean,
  ): Promise<readonly StoredObject[]>
  /** False: only queries have a script. */
  readonly reads: boolean
  /** True if what is read there may differ from what is stored. */
  computes(pointer: Pointer): boolean
}

/** Undefined for a type that has none of these scripts: reading costs nothing then. */
export function retrieval(
  collection: string,
  scripts: TypeScripts,
  retrieved: readonly ScriptedPlace[],
): Retrieval | undefined {
  const hooks = ['onRetrieve', 'onRead'].filter((hook) => scripts.has(hook))
  const reads = retrieved.length + hooks.length > 0
  if (!reads && !scripts.has('onQueryResult')) return undefined
  const mayChange = changeable(hooks.map((hook) => scripts.sourceOf(hook)))
  return {
    reads,
    page(objects, request) {
      const inputs = objects.map((object) => ({ object, ...about(collection, object._id) }))
      return scripts.retrieve(inputs, request)
    },
    queried: (objects, request, executeOnRetrieve) =>
      queried(objects, { collection, scripts, request, retrieved: executeOnRetrieve ? retrieved : [] }),
    computes(pointer) {
      const [name = '*'] = pointer
      if (!reads || name === '_id' || name === '_rev') return false
      return name === '*' || retrieved.some(({ path }) => touches(path, pointer)) || mayChange(name)
    },
  }
}

/** How a script may set a property without spelling its name. */
const reaching =
  /\[(?!\s*(?:\]|\d+\s*\]|'[^'\\]*'\s*\]|"[^"\\]*"\s*\]))|\b(?:Object|Reflect|require|eval|Function)\b/

/** Which properties of an object scripts may change: those that they name; a mention is enough. */
function changeable(sources: readonly (string | undefined)[]): (name: string) => boolean {
  if (sources.length === 0) return () => false
  const anything = sources.some((source) => source === undefined || reaching.test(source))
  return (name) => anything || sources.some((source) => source?.includes(name))
}

interface Queried {
  readonly collection: string
  readonly scripts: TypeScripts
  readonly request: RequestContext
  readonly retrieved: readonly ScriptedPlace[]
}

async function queried(
  objects: readonly StoredObject[],
  { collection, scripts, request, retrieved }: Queried,
): Promise<readonly StoredObject[]> {
  const kept: StoredObject[] = []
  for (const stored of objects) {
    const { _id, _rev } = stored
    let object: JsonObject = stored
    for (const { path, script } of retrieved)
      object = await replacedAt(object, path, async ({ pointer, value: property = null }) => {
        const propertyName = pointer.join('/')
        const variables = { object, property, propertyName, ...about(collection, _id) }
        return (await scripts.run(script, variables, request)).value
      })
    if (scripts.has('onQueryResult')) {
      const variables = { object, ...about(collection, _id) }
      const { value, object: left } = await scripts.run('onQueryResult', variables, request)
      if (value === false || value === 0 || value === '') continue
      object = left ?? object
    }
    kept.push({ ...object, _id, _rev })
  }
  return kept
}

function about(collection: string, id: string) {
  return { resourceName: `${collection}/${joinPath(id)}` }
}
