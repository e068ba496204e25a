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
  /** Anything else: ignored silently. */
  | { readonly kind: 'ignore' }

export function failureHandler(configured: Json | undefined): FailureHandler {
  if (!isJsonObject(configured)) return { maxRetries: undefined, after: { kind: 'ignore' } }
  const { maxRetries, postRetryAction } = configured
  return {
    maxRetries: typeof maxRetries === 'number' && maxRetries >= 0 ? maxRetries : undefined,
    after: afterRetries(postRetryAction),
  }
}

function afterRetries(configured: Json | undefined): AfterRetries {
  if (configured === 'logged-ignore' || configured === 'dead-letter-queue') return { kind: configured }
  if (isJsonObject(configured) && isJsonObject(configured.script))
    return { kind: 'script', script: configured.script }
  return { kind: 'ignore' }
}

/** What to do with a change that has failed `failures` times, this one included, with the same token. */
export function nextStep({ maxRetries }: FailureHandler, failures: number): 'retry' | 'give up' {
  return maxRetries === undefined || failures <= maxRetries ? 'retry' : 'give up'
}
