import type { Place } from '../place.ts'
import type { ProblemFacts } from '../problem.ts'

/** A problem that knows its place in a value, but not yet in a file. */
export interface Finding extends ProblemFacts {
  readonly place: Place
  readonly message: string
}
