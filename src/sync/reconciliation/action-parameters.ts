import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { parseJson } from '../../model/json-text.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { RequestContext, ResourceAction } from '../../router/resources.ts'
import type { Reconciliations } from './reconciliations.ts'
import { booleanIn, type ReconciliationRequest, requireKnownNames } from './request.ts'
import type { Retry } from './retry.ts'
import type { Run } from './run.ts'

/** The name of a mapping, or a mapping that comes with the request: an object or, in a parameter, JSON text. */
export function mappingIn({ name, parameters, content }: ResourceAction): string | JsonObject {
  const asked = parameters.mapping ?? bodyOf(content).mapping
  if (isJsonObject(asked)) return asked
  if (typeof asked === 'string' && asked !== '')
    return asked.trimStart().startsWith('{') ? parsed(asked) : asked
  if (asked !== undefined && asked !== null && asked !== '')
    throw new Problem('BAD_REQUEST', 'mapping must be the name of a mapping, or a mapping as an object')
  throw new Problem(
    'BAD_REQUEST',
    `${name} needs the parameter mapping, e.g. recon?_action=${name}&mapping=hr_user`,
  )
}

function parsed(text: string): JsonObject {
  try {
    const mapping = parseJson(text)
    if (isJsonObject(mapping)) return mapping
    throw new Problem('BAD_REQUEST', 'it must be an object')
  } catch (cause) {
    const why = asProblem(cause).message
    throw new Problem('BAD_REQUEST', `mapping is neither a name nor JSON: ${why}`, { cause })
  }
}

/** `id`, or `ids` as OpenIDM calls it; never split, for ids may contain commas. */
export function sourceIdIn(parameters: Readonly<Record<string, string>>): string {
  const id = parameters.id ?? parameters.ids
  if (id) return id
  throw new Problem('BAD_REQUEST', 'reconById needs the parameter id: the id of one source object')
}

export function overridesIn(parameters: Readonly<Record<string, string>>, content: Json): JsonObject {
  const { mapping: _, ...overrides } = bodyOf(content)
  const { allowEmptySourceSet, runTargetPhase, guard, cleanUpLinks, overrideGuard, reason } = parameters
  const { maxFailures } = parameters
  const given = {
    allowEmptySourceSet,
    runTargetPhase,
    guard,
    cleanUpLinks,
    overrideGuard,
    reason,
    maxFailures,
  }
  const fromParameters = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(fromParameters), ...overrides }
}

function bodyOf(content: Json): JsonObject {
  if (content === null) return {}
  if (isJsonObject(content)) return content
  throw new Problem('BAD_REQUEST', 'The body must be a JSON object: the overrides for this run')
}

/** Starts a run, and answers at once or, for a caller who waits, when it has ended. */
export async function startRun(
  reconciliations: Reconciliations,
  request: ReconciliationRequest,
  parameters: ResourceAction['parameters'],
  context: RequestContext,
): Promise<JsonObject> {
  const wait = waits(parameters)
  const { run, done } = await reconciliations.start(request, context)
  if (!wait) return { _id: run.id, state: run.state }
  await done
  // An empty source is an answer, not an error (engine §7.5); any other failure of a run that is waited for is.
  if (run.problem && run.problem.code !== 'EMPTY_SOURCE') throw failed(run)
  return endedRun(run)
}

/** What a caller who waits is told: OpenIDM's members, and what came of it. */
function endedRun(run: Run): JsonObject {
  const { outcome = null, failures, failure } = run.toJSON()
  return {
    ...{ _id: run.id, state: run.state, outcome },
    ...(run.planned && { plan: { ...run.planned } }),
    ...(failures && { failures }),
    ...(failure && { failure }),
  }
}

/** What of the failures of a run is to be tried again: `cause` in the parameters, `cause` and `ids` in the body. */
export function retryIn(runId: string, { parameters, content }: ResourceAction): Retry {
  const body = bodyOf(content)
  requireKnownNames({ ...body, ...parameters }, ['cause', 'ids'], 'a restriction of what is tried again')
  const cause = parameters.cause ?? body.cause
  const { ids } = body
  if (cause !== undefined && typeof cause !== 'string')
    throw new Problem('BAD_REQUEST', 'cause must be a text: that of the failures in the run object')
  if (ids !== undefined && !(Array.isArray(ids) && ids.every((id) => typeof id === 'string')))
    throw new Problem('BAD_REQUEST', 'ids must be an array of source or target ids')
  return { runId, cause, ids }
}

export function waits({ waitForCompletion }: Readonly<Record<string, string>>): boolean {
  return booleanIn('waitForCompletion', waitForCompletion ?? false)
}

export function failed({ id, problem }: Run): Problem {
  return new Problem('SYNC_FAILED', `Reconciliation failed: ${problem?.message ?? 'it was cancelled'}`, {
    cause: problem,
    detail: { _id: id },
  })
}
