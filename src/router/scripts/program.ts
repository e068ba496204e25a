import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'

/**
 * {script, variables} → the variables of a router filter's script after it ran. It changes `request` and `response` in
 * place; `response.content` is another name of the resource, as in OpenIDM.
 */
function around() {
  return (
    { script, variables }: { readonly script: string; readonly variables: JsonObject },
    call: (script: string, variables: Readonly<Record<string, unknown>>) => unknown,
  ): { readonly value?: Json; readonly request?: JsonObject; readonly response?: Json } => {
    const { request, response } = variables
    if (typeof response === 'object' && response !== null && !('content' in response))
      Object.defineProperty(response, 'content', { value: response, enumerable: false })
    const value = call(script, variables) as Json | undefined
    return {
      ...(value === undefined ? {} : { value }),
      ...(isJsonObject(request) ? { request } : {}),
      ...(response === undefined ? {} : { response }),
    }
  }
}

export const program = { address: import.meta.url, procedures: { around } }
