import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ResourceAction } from '../../router/resources.ts'
import { statedMapping } from './configured-mapping.ts'
import { booleanIn } from './request.ts'
import type { Run } from './run.ts'

/** What the actions of `recon` are given, and how they answer for a run that failed (engine §7.1). */
/** The name of a mapping, or a mapping that comes with the request. */
export function mappingIn({ name, parameters, content }: ResourceAction): string | JsonObject {
  const stated = statedMapping(parameters.mapping ?? bodyOf(content).mapping)
  if (stated !== undefined) return stated
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
  const { mapping: _, ...overrides } = bodyOf(content)
  const { allowEmptySourceSet, runTargetPhase, guard, cleanUpLinks } = parameters
  const stated = { allowEmptySourceSet, runTargetPhase, guard, cleanUpLinks }
  const fromParameters = Object.entries(stated).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(fromParameters), ...overrides }
}

function bodyOf(content: Json): JsonObject {
  if (content === null) return {}
  if (isJsonObject(content)) return content
  throw new Problem('BAD_REQUEST', 'The body must be a JSON object: the overrides for this run')
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
