import { Problem } from '../../model/problem.ts'
import type { StoredObject } from '../../repository/objects.ts'

/** Why the repository does not write an object. */
export function failure(path: string, reason: 'exists' | 'missing' | 'changed'): Problem {
  switch (reason) {
    case 'exists':
      return new Problem('PRECONDITION_FAILED', `${path} exists already`)
    case 'missing':
      return new Problem('NOT_FOUND', `${path} does not exist`)
    case 'changed':
      return new Problem('PRECONDITION_FAILED', `${path} has changed since the revision given`)
  }
}

/** Why an update or a delete does not fit what is stored. */
export function staleness(
  { rev }: { readonly rev?: string | undefined },
  stored: StoredObject | undefined,
): 'missing' | 'changed' | undefined {
  if (!stored) return 'missing'
  return rev !== undefined && rev !== stored._rev ? 'changed' : undefined
}
