import { type FailedProperty, mergeFailures, policyFailure } from '../policies/validator.ts'
import type { Draft, Settled, WriteContext } from './entry.ts'
import { refused } from './entry.ts'
import { reauthenticationFailures } from './protected.ts'

/** The stage of policies that need no look at other objects (platform §6.3): what the caller sent is checked. */
export function validate(context: WriteContext, draft: Draft): Draft | Settled | Promise<Draft | Settled> {
  const { compiled, request } = context
  if (draft.kind === 'delete') return draft
  const failures = compiled.validate(draft.content, patchedOf(draft))
  return compiled.scriptedPolicies || request.external
    ? validateFurther(context, draft, failures)
    : result(draft, failures)
}

/** With policies that are scripts, and with what is protected against changes from outside. */
async function validateFurther(
  { compiled, request }: WriteContext,
  draft: Exclude<Draft, { kind: 'delete' }>,
  failures: readonly FailedProperty[],
): Promise<Draft | Settled> {
  const { id, content } = draft
  const only = patchedOf(draft)
  const resourcePath = `${compiled.collection}/${draft.kind === 'update' ? id : '*'}`
  const object = { ...content, _id: id }
  return result(draft, [
    ...failures,
    ...((await compiled.scriptedPolicies?.check(object, { resourcePath, only, request })) ?? []),
    ...(draft.kind === 'update' ? await reauthenticationFailures(compiled, draft.old, content, request) : []),
  ])
}

function result(draft: Draft, failures: readonly FailedProperty[]): Draft | Settled {
  const operation = patchedOf(draft) ? 'patch' : 'write'
  return failures.length > 0 ? refused(policyFailure(mergeFailures(failures), operation)) : draft
}

function patchedOf(draft: Draft): ReadonlySet<string> | undefined {
  return draft.kind === 'update' ? draft.patched : undefined
}
