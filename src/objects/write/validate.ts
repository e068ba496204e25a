import { mergeFailures, policyFailure } from '../policies/validator.ts'
import { type Draft, type Entry, refused, type WriteContext } from './entry.ts'
import { reauthenticationFailures } from './protected.ts'

/** The stage of policies that need no look at other objects (platform §6.3): what the caller sent is checked. */
export function validate({ compiled, request }: WriteContext, draft: Draft): Entry | Promise<Entry> {
  const { write, old, patched: only } = draft
  if (write.operation === 'delete') return draft
  const { id, content } = write
  const failures = compiled.validate(content, only)
  const result = (found: typeof failures): Entry =>
    found.length > 0 ? refused(policyFailure(mergeFailures(found), only ? 'patch' : 'write')) : draft
  if (!compiled.scriptedPolicies && !request.external) return result(failures)
  const further = async () => {
    const about = { resourcePath: `${compiled.collection}/${old ? id : '*'}`, only, request }
    return result([
      ...failures,
      ...((await compiled.scriptedPolicies?.check({ ...content, _id: id }, about)) ?? []),
      ...(old ? await reauthenticationFailures(compiled, old, content, request) : []),
    ])
  }
  return further()
}
