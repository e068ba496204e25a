import { isJsonObject, type Json, type JsonObject } from './json.ts'

/**
 * {script, variables} → {value?, object?}: runs one script and returns its completion value and the variable `object`
 * after it. If there is a `newObject`, it is another name of `object` (platform §6.2). Runs in the sandbox, as all
 * procedures do.
 */
function runScript() {
  return (
    { script, variables }: { readonly script: string; readonly variables: JsonObject },
    call: (script: string, variables: Readonly<Record<string, unknown>>) => Json | undefined,
  ): { readonly value?: Json; readonly object?: JsonObject } => {
    const { object } = variables
    const shared =
      'newObject' in variables && 'object' in variables ? { ...variables, newObject: object } : variables
    const value = call(script, shared)
    return {
      ...(value === undefined ? {} : { value }),
      ...(isJsonObject(object) ? { object } : {}),
    }
  }
}

export const program = { address: import.meta.url, procedures: { runScript } }
