import { mergeFailures, policyFailure } from '../policies/validator.ts'
import type { Draft, Settled, WriteContext } from './entry.ts'
import { refused } from './entry.ts'
import { reauthenticationFailures } from './protected.ts'

/** The stage of policies that need no look at other objects (platform §6.3): what the caller sent is judged. */
export async function validate({ compiled, request }: WriteContext, draft: Draft): Promise<Draft | Settled> {
  if (draft.kind === 'delete') return draft
  const { id, content } = draft
  const only = draft.kind === 'update' ? draft.patched : undefined
  const resourcePath = `${compiled.collection}/${draft.kind === 'update' ? id : '*'}`
  const failures = [
    ...compiled.validate(content, only),
    ...((await compiled.scriptedPolicies?.check({ ...content, _id: id }, { resourcePath, only, request })) ??
      []),
    ...(draft.kind === 'update' ? await reauthenticationFailures(compiled, draft.old, content, request) : []),
  ]
  return failures.length > 0
    ? refused(policyFailure(mergeFailures(failures), only ? 'patch' : 'write'))
    : draft
}
