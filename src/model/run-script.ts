import { isJsonObject, type Json, type JsonObject } from './json.ts'

/**
 * {script, variables} → {value?, object?}: one script by itself, its completion value and what it left in the variable
 * `object`. `newObject`, where there is one, is another name of `object` (platform specification §6.2). Runs beside
 * the scripts, as procedures do.
 */
export function runScript() {
  return (
    input: Json,
    call: (script: string, variables: Readonly<Record<string, unknown>>) => unknown,
  ): JsonObject => {
    const { script, variables } = input as { script: string; variables: JsonObject }
    const { object } = variables
    const shared =
      'newObject' in variables && 'object' in variables ? { ...variables, newObject: object } : variables
    const value = call(script, shared) as Json | undefined
    return {
      ...(value === undefined ? {} : { value }),
      ...(isJsonObject(object) ? { object } : {}),
    }
  }
}
