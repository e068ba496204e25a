import { Problem, type ProblemCode } from './problem.ts'

/** Keys and indexes from a value down to a place in it. */
export type Place = readonly (string | number)[]

/**
 * What is wrong or doubtful in a value, and where in it. Only `config` knows the files that values come from, and says line and
 * column (config/locate.ts).
 */
export interface Finding {
  readonly place: Place
  /** One sentence: what is wrong and what to do. */
  readonly message: string
  /** Absent: an error. */
  readonly severity?: 'error' | 'warning' | undefined
  /** Whether the name of a property is wrong or its value. Absent: the value. */
  readonly what?: 'key' | 'value' | undefined
  readonly found?: string | undefined
  readonly allowed?: readonly string[] | undefined
  readonly suggestion?: string | undefined
}

/** A finding in one of the documents of a configuration. */
export interface DocumentFinding extends Finding {
  /** Its id, e.g. `provisioner.openicf/hr`. */
  readonly document: string
}

/** A value that was read, or what makes it unusable. */
export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly finding: Finding }

/** One that makes its value unusable, thrown. */
export class FindingError extends Problem {
  readonly finding: Finding

  /** `message`: for callers that show only a text. Absent: the finding's. */
  constructor(code: ProblemCode, finding: Finding, message = finding.message, detail?: unknown) {
    super(code, message, { detail })
    this.finding = finding
  }
}

/** What `read` returns, or the finding that it throws. */
export function attempt<Value>(read: () => Value): Read<Value> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    if (error instanceof FindingError) return { ok: false, finding: error.finding }
    throw error
  }
}

/** The same, seen from a value that has theirs at `place`. */
export function below<F extends Finding>(place: Place, findings: readonly F[]): readonly F[] {
  return findings.map((finding) => ({ ...finding, place: [...place, ...finding.place] }))
}

/** What everything in one document has in common. */
export function inDocument<F extends Finding>(
  { id }: { readonly id: string },
  findings: readonly F[],
): readonly (F & DocumentFinding)[] {
  return findings.map((finding) => ({ ...finding, document: id }))
}

/** JSON pointer text (RFC 6901): `/mappings/0/properties/3/target`; the whole document is the empty text. */
export function printPlace(place: Place): string {
  return place.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Is the place `inner` at or below `outer`? Both in text form. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`)
}
