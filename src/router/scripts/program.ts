import type { Json, JsonObject } from '../../model/json.ts'

/**
 * {script, variables} → what a script of a router filter leaves behind. It changes `request` and `response` in place;
 * `response.content` is another name of the resource, as in the original.
 */
export function around() {
  return (
    input: Json,
    call: (script: string, variables: Readonly<Record<string, unknown>>) => unknown,
  ): JsonObject => {
    const { script, variables } = input as { script: string; variables: JsonObject }
    const { request, response } = variables
    if (typeof response === 'object' && response !== null && !('content' in response))
      Object.defineProperty(response, 'content', { value: response, enumerable: false })
    const value = call(script, variables) as Json | undefined
    return {
      ...(value === undefined ? {} : { value }),
      ...(request === undefined ? {} : { request }),
      ...(response === undefined ? {} : { response }),
    }
  }
}
