import type { JsonObject } from '../../model/json.ts'
import { getAt } from '../../model/pointer.ts'
import { joinPath } from '../../model/resource-path.ts'
import type { RequestContext } from '../../router/resources.ts'
import { type FailedProperty, policyFailure } from '../policies/validator.ts'
import type { CompiledType } from '../type/compile.ts'
import { spotsAt } from '../type/places.ts'
import { type Draft, type Entry, refused, type WriteContext } from './entry.ts'

/** The stage of policies that need no look at other objects (platform §6.3): what the caller sent is checked. */
export function validate({ compiled, request }: WriteContext, draft: Draft): Entry | Promise<Entry> {
  const { write, old, patched: only } = draft
  if (write.operation === 'delete') return draft
  const { id, content } = write
  const scripted = compiled.enforced ? compiled.scriptedPolicies : undefined
  const failures = compiled.enforced ? compiled.validate(content, only) : []
  const result = (found: readonly FailedProperty[]): Entry =>
    found.length > 0 ? refused(policyFailure(found, only ? 'patch' : 'write')) : draft
  if (!scripted && !request.external) return result(failures)
  const further = async () => {
    const about = { resourcePath: `${compiled.collection}/${old ? joinPath(id) : '*'}`, only, request }
    return result([
      ...failures,
      ...((await scripted?.({ ...content, _id: id }, about)) ?? []),
      ...(old ? await reauthenticationFailures(compiled, old, content, request) : []),
    ])
  }
  return further()
}

/** Of a change from `old` to `wanted`: a create has nothing yet to protect. */
async function reauthenticationFailures(
  { protected: places, encryption }: CompiledType,
  old: JsonObject,
  wanted: JsonObject,
  { external, reauthenticated }: RequestContext,
): Promise<readonly FailedProperty[]> {
  if (!external || reauthenticated) return []
  const failures: FailedProperty[] = []
  for (const path of places) {
    const pointers = new Map(
      [...spotsAt(old, path), ...spotsAt(wanted, path)].map(({ pointer }) => [pointer.join('/'), pointer]),
    )
    for (const [property, pointer] of pointers)
      if (!(await encryption.same(getAt(old, pointer), getAt(wanted, pointer))))
        failures.push({ property, policyRequirements: [{ policyRequirement: 'REAUTH_REQUIRED' }] })
  }
  return failures
}
