import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ResourceAction } from '../../router/resources.ts'
import { booleanIn } from './request.ts'
import type { Run } from './run.ts'

/** What the actions of `recon` are given, and how they answer for a run that failed (engine specification §7.1). */
export function mappingIn({ name, parameters }: ResourceAction): string {
  if (parameters.mapping) return parameters.mapping
  throw new Problem(
    'BAD_REQUEST',
    `${name} needs the parameter mapping, e.g. recon?_action=${name}&mapping=hr_user`,
  )
}

/** `id`, or `ids` as OpenIDM calls it; never split, for ids may contain commas. */
export function sourceIdIn(parameters: Readonly<Record<string, string>>): string {
  const id = parameters.id ?? parameters.ids
  if (id) return id
  throw new Problem('BAD_REQUEST', 'reconById needs the parameter id: the id of one source object')
}

export function overridesIn(parameters: Readonly<Record<string, string>>, content: Json): JsonObject {
  if (content !== null && !isJsonObject(content))
    throw new Problem('BAD_REQUEST', 'The body must be a JSON object: the overrides for this run')
  const { allowEmptySourceSet, runTargetPhase, guard } = parameters
  const fromParameters = Object.entries({ allowEmptySourceSet, runTargetPhase, guard }).filter(
    ([, value]) => value !== undefined,
  )
  return { ...Object.fromEntries(fromParameters), ...content }
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
