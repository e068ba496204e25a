import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { RequestContext } from '../../../router/resources.ts'
import { scriptSource } from '../../../scripts/definition.ts'
import type { ScriptEngine } from '../../../scripts/engine.ts'

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
 * Runs the script of a `syncFailureHandler` (engine §9) and answers which handlers it invoked, in order. What it
 * throws says that the change is to be tried again.
 */
export async function runFailureScript(
  definition: JsonObject,
  variables: JsonObject,
  request: RequestContext,
  {
    engine,
    readFile,
  }: { readonly engine: ScriptEngine; readonly readFile: (path: string) => string | undefined },
): Promise<readonly Invoked[]> {
  const read = scriptSource(definition, { label: 'syncFailureHandler, script', readFile })
  if (!read.ok)
    throw new Problem('CONFIGURATION', `syncFailureHandler/postRetryAction/script: ${read.message}`)
  const source = `${before} ${read.script.source}\n;invokedHandlers`
  return (await engine.evaluate({ ...read.script, source }, variables, { request })) as Invoked[]
}
