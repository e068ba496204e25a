import { isJsonObject, type Json, type JsonObject } from '../../../model/json.ts'

/** What becomes of a change that fails, as `syncFailureHandler` of the connector says (engine §9). */
export interface FailureHandler {
  /** Undefined: for ever. */
  readonly maxRetries: number | undefined
  readonly after: AfterRetries
}

export type AfterRetries =
  | { readonly kind: 'logged-ignore' }
  | { readonly kind: 'dead-letter-queue' }
  | { readonly kind: 'script'; readonly script: JsonObject }
  /** Anything else: ignored without a word, as there. */
  | { readonly kind: 'ignore' }

export function failureHandler(stated: Json | undefined): FailureHandler {
  if (!isJsonObject(stated)) return { maxRetries: undefined, after: { kind: 'ignore' } }
  const { maxRetries, postRetryAction } = stated
  return {
    maxRetries: typeof maxRetries === 'number' && maxRetries >= 0 ? maxRetries : undefined,
    after: afterRetries(postRetryAction),
  }
}

function afterRetries(stated: Json | undefined): AfterRetries {
  if (stated === 'logged-ignore' || stated === 'dead-letter-queue') return { kind: stated }
  if (isJsonObject(stated) && isJsonObject(stated.script)) return { kind: 'script', script: stated.script }
  return { kind: 'ignore' }
}

/** What to do with a change that has failed `failures` times, this one included, with the same token. */
export function nextStep({ maxRetries }: FailureHandler, failures: number): 'retry' | 'give up' {
  return maxRetries === undefined || failures <= maxRetries ? 'retry' : 'give up'
}
