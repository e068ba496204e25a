import { isJsonObject, type Json, type JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { RequestContext } from '../../../router/resources.ts'
import { scriptSource } from '../../../scripts/definition.ts'
import type { ScriptEngine } from '../../../scripts/engine.ts'

/** What becomes of a change that fails, as `syncFailureHandler` of the connector says (engine §9). */
export interface FailureHandler {
  /** Undefined: for ever. */
  readonly maxRetries: number | undefined
  readonly after: AfterRetries
}

type AfterRetries =
  | { readonly kind: Invoked }
  | { readonly kind: 'script'; readonly script: JsonObject }
  /** Anything else: ignored silently. */
  | { readonly kind: 'ignore' }

export function failureHandler(configured: Json | undefined): FailureHandler {
  const { maxRetries, postRetryAction } = isJsonObject(configured) ? configured : {}
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

/** What a script of a failure handler may ask for: `failureHandlers.<name>.invoke(syncFailure, failureCause)`. */
export type Invoked = 'logged-ignore' | 'dead-letter-queue'

/** On the script's own first line, so that its lines keep their numbers. */
const before = `var invokedHandlers = []; var failureHandlers = {
  loggedIgnore: { invoke: function () { invokedHandlers.push('logged-ignore') } },
  deadLetterQueue: { invoke: function () { invokedHandlers.push('dead-letter-queue') } } };`.replaceAll(
  '\n',
  ' ',
)

/**
 * Runs the script of a `syncFailureHandler` (engine §9); answers which handlers it invoked. If it throws, the change is tried
 * again.
 */
export async function runFailureScript(
  definition: JsonObject,
  variables: JsonObject,
  request: RequestContext,
  tools: { readonly engine: ScriptEngine; readonly readFile: (path: string) => string | undefined },
): Promise<readonly Invoked[]> {
  const read = scriptSource(definition, { label: 'syncFailureHandler, script', readFile: tools.readFile })
  if (!read.ok)
    throw new Problem('CONFIGURATION', `syncFailureHandler/postRetryAction/script: ${read.finding.message}`)
  const source = `${before} ${read.value.source}\n;invokedHandlers`
  return (await tools.engine.evaluate({ ...read.value, source }, variables, { request })) as Invoked[]
}
