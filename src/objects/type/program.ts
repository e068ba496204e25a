import { copy } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { program as runScript } from '../../model/run-script.ts'
import { eachElement, type Step, spotsAt, withValueAt } from './places.ts'

/**
 * What runs beside the scripts of a managed type. All scripts that make the object that is read out of the one that is stored
 * run in one crossing a page (platform §6.2): `onRetrieve` of the object and then of its properties, then `onRead`.
 */
const procedures = {
  runScript: runScript.procedures.runScript,
  retrieve: (scripts: ReadingScripts) => {
    const properties = scripts.properties.map(({ path, script }) => ({ path: path.map(stepOf), script }))
    return ({ object: stored, resourceName }: Retrieved, call: Call): JsonObject => {
      const about = { resourceName }
      let object = scripts.onRetrieve ? hooked('onRetrieve', stored, about, call) : stored
      for (const { path, script } of properties)
        for (const { pointer, value: property = null } of spotsAt(object, path)) {
          // What a script of a property does to the object stays its own.
          const variables = { object: copy(object), property, propertyName: pointer.join('/'), ...about }
          const value = call(script, variables)
          if (value !== undefined) object = withValueAt(object, pointer, value)
        }
      return scripts.onRead ? hooked('onRead', object, about, call) : object
    }
  },
}

export const program = { address: import.meta.url, procedures }

/** Which scripts of reading a type has: plain data, for the sandbox. */
export interface ReadingScripts {
  readonly onRetrieve: boolean
  readonly onRead: boolean
  /** In order; null stands for each element of an array. */
  readonly properties: readonly { readonly path: readonly (string | null)[]; readonly script: string }[]
}

export interface Retrieved {
  readonly object: JsonObject
  readonly resourceName: string
}

type Call = (script: string, variables: Readonly<Record<string, unknown>>) => Json | undefined

function stepOf(step: string | null): Step {
  return step ?? eachElement
}

/** The variable `object` as the script leaves it, as JSON would carry it: the next one must not see anything else. */
function hooked(hook: string, object: JsonObject, about: JsonObject, call: Call): JsonObject {
  const variables = { object: copy(object), ...about }
  call(hook, variables)
  const left: unknown = JSON.parse(JSON.stringify(variables.object))
  return isJsonObject(left) ? left : object
}
