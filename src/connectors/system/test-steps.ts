import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { ConnectorError, connectorError, type ErrorKind, errorCode } from '../kit/errors.ts'
import type { StepName, Steps } from '../kit/steps.ts'

/** One step of a test as it went. */
export interface StepReport {
  readonly name: StepName
  readonly ok: boolean
  /** Milliseconds. */
  readonly took: number
  readonly detail?: string
  /** What to do about it. */
  readonly advice?: string
}

/** `error`: why the system cannot be used as configured; absent if it can. */
export interface TestResult {
  readonly steps: readonly StepReport[]
  readonly error?: Problem
}

/** The members of an answer that tell of a test. */
export function resultOf({ steps, error }: TestResult): JsonObject {
  // A report is JSON: texts, numbers and a boolean.
  const listed = steps.map((step): Json => ({ ...step }))
  return { ok: error === undefined, ...(error && { error: error.message }), steps: listed }
}

interface Begun {
  readonly name: StepName
  readonly since: number
  detail: string | undefined
  advice: string | undefined
}

/** Writes down the steps of one test. What comes after its end, from a call that was given up, is not heard. */
export class RecordedSteps implements Steps {
  readonly #now: () => number
  readonly #done: StepReport[] = []
  #begun: Begun | undefined
  #hasEnded = false

  /** `now`: milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  enter(name: StepName, detail?: string): void {
    if (this.#hasEnded || (detail === undefined && this.#begun?.name === name)) return
    this.#finish(undefined)
    this.#begun = { name, since: this.#now(), detail, advice: undefined }
  }

  tell(detail: string, advice?: string): void {
    if (!this.#begun || this.#hasEnded) return
    this.#begun.detail = detail
    this.#begun.advice = advice
  }

  fail(error: unknown): void {
    if (this.#hasEnded) return
    if (!this.#begun) this.enter('test')
    this.#finish(connectorError(error))
  }

  /** The test is over: successful, or ended by this error. */
  end(error?: unknown): TestResult {
    if (error !== undefined) this.fail(error)
    else this.#finish(undefined)
    this.#hasEnded = true
    return { steps: this.#done, ...(error !== undefined && { error: connectorError(error) }) }
  }

  #finish(error: Problem | undefined): void {
    if (!this.#begun) return
    const { name, since, ...found } = this.#begun
    this.#begun = undefined
    const detail = error?.message ?? found.detail
    const advice = error ? adviceFor(error, name) : found.advice
    this.#done.push({
      name,
      ok: error === undefined,
      took: Math.round(this.#now() - since),
      ...(detail !== undefined && { detail }),
      ...(advice !== undefined && { advice }),
    })
  }
}

/** By the codes of the operating system and of TLS, wherever the client library has put them. */
const byCode: readonly (readonly [codes: RegExp, advice: string])[] = [
  [/^ENOTFOUND$/, 'No such host is known: check how its name is spelled, and the DNS of this machine.'],
  [/^EAI_AGAIN$/, 'The name server does not answer: check the DNS of this machine, or give the IP address.'],
  [
    /^ECONNREFUSED$/,
    'Nothing listens there: check whether the server is running, its port, and that it listens on this address.',
  ],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    'The server is not reached: check its address, and whether a firewall lets this machine through to its port.',
  ],
  [
    /^(ECONNRESET|EPIPE|EPROTO)$|SSL_WRONG_VERSION|ERR_SSL/,
    'The server broke off the connection: check whether this port expects TLS, and whether the settings ask for it.',
  ],
  [/^(ENOENT|ENOTDIR)$/, 'Check the path; a relative one starts at the folder of the project.'],
  [/^CONFIGURATION$/, 'Correct the setting that the message names.'],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS_/,
    'The certificate is not trusted: name the authority that signed it, and the host as the certificate does.',
  ],
]

const byStep: Partial<Record<StepName, string>> = {
  TLS: 'Check whether the server offers TLS on this port, or do without it in a network that you trust.',
  'first page': 'Check that the account may list these objects, and the filters of the settings.',
  'second page':
    'The system gives no more than its first objects: raise its size limit for this account, or make pages smaller.',
}

const byKind: Partial<Record<ErrorKind, string>> = {
  timeout:
    'The system was too slow: check its load, or allow more time (operationTimeout, and the time limits of the connector).',
  busy: 'The system asks to come back later: wait, or make fewer requests (rate limits, concurrency).',
  permission: 'Give the account that the settings name the permission that the message names.',
  misconfigured: 'Correct the setting that the message names.',
  unreadable: 'Repair what the message names; other objects are not affected.',
}

/** A hint of the connector itself knows most; then what the operating system says, the kind of failure, and the step. */
function adviceFor(failure: Problem, step: StepName): string {
  const error = failure.cause instanceof Problem ? failure.cause : failure
  const codes = codesOf(error)
  const [, ofCode] = byCode.find(([pattern]) => codes.some((code) => pattern.test(code))) ?? []
  const ofKind = error instanceof ConnectorError ? byKind[error.kind] : undefined
  return error.ownHint ?? ofCode ?? byStep[step] ?? ofKind ?? error.hint
}

function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) codes.push(errorCode(cause))
  return codes.filter((code) => code !== '')
}
