import { Problem } from '../../model/problem.ts'

/** Why the repository did not write an object. */
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
