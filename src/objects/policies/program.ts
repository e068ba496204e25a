import type { Json, JsonObject } from '../../model/json.ts'

/**
 * The side of the project's own policies that runs beside them in the sandbox: each file is run with a function
 * `addPolicy`, and ends in an expression of ours that reaches the functions it declares.
 */
type Call = (script: string, variables: Readonly<Record<string, unknown>>) => unknown

/** A file's script → what it hands to `addPolicy`, in order. */
function declaredPolicies() {
  return (script: string, call: Call): Json[] => {
    const added: Json[] = []
    call(script, { addPolicy: (policy: Json) => void added.push(policy) })
    return added
  }
}

/** {calls: [{script, …}], …variables} → what each function answered. */
function judged() {
  return (
    { calls, ...shared }: JsonObject & { readonly calls: (JsonObject & { readonly script: string })[] },
    call: Call,
  ): Json[] => {
    return calls.map(({ script, value, params, property }) => {
      const variables = { ...shared, value, params, property, addPolicy: () => {} }
      return (call(script, variables) ?? null) as Json
    })
  }
}

export const program = { address: import.meta.url, procedures: { declaredPolicies, judged } }
