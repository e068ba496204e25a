/**
 * The table of problems: every error that a person may see has a stable code, an HTTP status and a hint
 * that says what to do. The message states the facts of the case. Callers switch on `code`, never on text.
 * (platform §1.5; engine §1: a SYNC_FAILED is always 409.)
 */
export const problems = {
  BAD_REQUEST: { status: 400, hint: 'Correct the request as the message says.' },
  BAD_FILTER: { status: 400, hint: 'See docs/query-filters.md for the grammar; strings need quotes.' },
  BAD_PATCH: { status: 400, hint: 'See docs/rest.md for the patch operations and what each requires.' },
  INVALID_VALUE: { status: 400, hint: 'Send a value of the declared type.' },
  CONFIGURATION: {
    status: 400,
    hint: 'Run `syncline check` to see every configuration error with its place.',
  },
  UNAUTHORIZED: {
    status: 401,
    hint: 'Send X-OpenIDM-Username and X-OpenIDM-Password, or HTTP Basic credentials.',
  },
  FORBIDDEN: {
    status: 403,
    hint: 'The account lacks the permission, or the operation is denied by configuration.',
  },
  POLICY_FAILED: { status: 403, hint: 'The detail lists each property and the policy it violates.' },
  NOT_FOUND: { status: 404, hint: 'Check the path and the id.' },
  SYNC_FAILED: { status: 409, hint: 'The cause says which step failed.' },
  CONFLICT: { status: 409, hint: 'Wait until the other operation has ended, then try again.' },
  EMPTY_SOURCE: {
    status: 409,
    hint: 'Check that the source export is complete; allowEmptySourceSet permits an empty one.',
  },
  GUARD: {
    status: 409,
    hint: 'Look at the plan. If it is right, allow it for this run by "overrideGuard": true and "reason", on the command line by --override-guard --reason "…" (the same as --guard off).',
  },
  TOO_MANY_FAILURES: {
    status: 409,
    hint: 'Mend the most frequent cause, then run again; maxFailures says how many objects of a run may fail.',
  },
  PRECONDITION_FAILED: { status: 412, hint: 'The object exists or has changed: read it again and repeat.' },
  PRECONDITION_REQUIRED: { status: 428, hint: 'Send the revision in If-Match.' },
  INTERNAL: { status: 500, hint: 'The log has the details.' },
  SCRIPT_FAILED: { status: 500, hint: 'The message names the script, its line and its column.' },
  SCRIPT_TIMEOUT: {
    status: 500,
    hint: 'Look for an endless loop, or raise script.timeout in conf/script.json.',
  },
  SCRIPT_MEMORY: { status: 500, hint: 'Keep less in memory, or raise script.memory in conf/script.json.' },
  CONNECTOR_FAILED: {
    status: 500,
    hint: 'Repair what the message names in the connected system or its file, then run again.',
  },
  STORE_FAILED: {
    status: 500,
    hint: 'Check free space and permissions of the data folder; nothing half-written is kept.',
  },
  STORE_TOO_NEW: {
    status: 500,
    hint: 'This data folder was written by a newer Syncline: upgrade, or use another --data.',
  },
  NOT_IMPLEMENTED: { status: 501, hint: 'This resource does not offer that operation.' },
  UNREADABLE: {
    status: 500,
    hint: 'Repair the object in the connected system, as the message says. Other objects are not affected.',
  },
  UNAVAILABLE: {
    status: 503,
    hint: 'Make sure that what the message names is there and can be reached, then try again.',
  },
} as const satisfies Record<string, { status: number; hint: string }>

export type ProblemCode = keyof typeof problems

export class Problem extends Error {
  readonly code: ProblemCode
  /** Machine-readable facts, sent as `detail` in error answers. Never a secret. */
  readonly detail: unknown
  /** An HTTP status that a script or connector chose itself; otherwise the table's. */
  readonly #status: number | undefined
  readonly #hint: string | undefined

  constructor(
    code: ProblemCode,
    message: string,
    options: {
      cause?: unknown
      detail?: unknown
      status?: number | undefined
      hint?: string | undefined
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.detail = options.detail
    this.#status = options.status
    this.#hint = options.hint
  }

  get status(): number {
    return this.#status ?? problems[this.code].status
  }

  /** What to do about it: the hint of this case, or that of the table. */
  get hint(): string {
    return this.#hint ?? problems[this.code].hint
  }

  /** The hint of this case alone. */
  get ownHint(): string | undefined {
    return this.#hint
  }
}

/** Wraps anything thrown, so that edges handle one type. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  return new Problem('INTERNAL', messageOf(thrown), { cause: thrown })
}

/** Of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The first error of the chain of causes: the one that an administrator must repair. */
export function deepestCause(error: unknown): unknown {
  let deepest = error
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause
  return deepest
}
