import type { Json, JsonObject } from '../../model/json.ts'

/**
 * The side of the project's own policies that runs beside them in the sandbox: each file is run with a function
 * `addPolicy`, and ends in an expression of ours that reaches the functions it declares.
 */
type Call = (script: string, variables: Readonly<Record<string, unknown>>) => unknown

/** A file's script → what it hands to `addPolicy`, in order. */
export function declaredPolicies() {
  return (script: Json, call: Call): Json => {
    const added: Json[] = []
    call(script as string, { addPolicy: (policy: Json) => void added.push(policy) })
    return added
  }
}

/** {calls: [{script, …}], …variables} → what each function answered. */
export function judged() {
  return (input: Json, call: Call): Json => {
    const { calls, ...shared } = input as { calls: (JsonObject & { script: string })[] }
    return calls.map(({ script, value, params, property }) => {
      const variables = { ...shared, value, params, property, addPolicy: () => {} }
      return (call(script, variables) ?? null) as Json
    })
  }
}
