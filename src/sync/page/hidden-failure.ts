import { plainProblem, revivedProblem } from '../../model/plain-problem.ts'
import { Problem } from '../../model/problem.ts'
import { isMasked } from '../../model/secrecy.ts'
import { SecretValues } from '../../model/secret-values.ts'
import type { Applied } from './operation.ts'

/** An error of a target or of a script without the secrets that were handed to it: both may quote what they refuse. */
export function withoutSecrets<E extends Error>(
  error: E,
  { changes }: Pick<Applied, 'changes'>,
  secrets = new SecretValues(),
): E | Problem {
  for (const change of changes) {
    if (!isMasked(change)) continue
    secrets.add(change.before)
    secrets.add(change.after)
  }
  if (secrets.empty) return error
  const code = error instanceof Problem ? error.code : 'SYNC_FAILED'
  return revivedProblem(plainProblem(error, code), (text) => secrets.hiddenIn(text))
}
