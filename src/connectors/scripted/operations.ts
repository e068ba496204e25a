import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { CallerFunction, ProcedureOutput, ScriptOutcome, ScriptSource } from '../../scripts/engine.ts'
import { ConnectorError, type ErrorKind, isErrorKind } from '../kit/errors.ts'
import type { Client } from '../sql/address.ts'
import type { Connections } from '../sql/connections.ts'
import { kindsByStatus } from './exceptions.ts'
import { Handover } from './handover.ts'
import type { OperationInput, program } from './program.ts'
import type { ScriptSet } from './script-set.ts'
import { SessionCalls } from './session-calls.ts'

/** What the scripts of a connector work with: nothing, or the connections of a database. */
export interface Database {
  readonly connections: Connections
  readonly client: Client
}

export interface OperationTools {
  readonly signal?: AbortSignal | undefined
  /** What each operation must not say. */
  readonly secrets?: (input: number) => readonly Json[]
  /** Takes what scripts hand over. Returns false if no more is wanted. */
  readonly objects?: (objects: readonly Json[], input: number) => Promise<boolean>
  /** Each operation is a transaction. */
  readonly isWriting?: boolean
  readonly adhoc?: ScriptSource
}

type Outcome = ScriptOutcome<ProcedureOutput<typeof program, 'operate'>>

/** Runs operations in the sandbox, with one connection for a page of them. */
export class Operations {
  readonly #scripts: ScriptSet
  readonly #database: Database | undefined
  readonly #secrets: readonly Json[]

  constructor(scripts: ScriptSet, database: Database | undefined, secrets: readonly Json[]) {
    this.#scripts = scripts
    this.#database = database
    this.#secrets = secrets
  }

  /** Outcomes in the order of the inputs, with errors in the words of connectors. */
  async run(inputs: readonly OperationInput[], tools: OperationTools): Promise<readonly Outcome[]> {
    const { signal, isWriting = false } = tools
    signal?.throwIfAborted()
    if (!this.#database) return this.#inSandbox(inputs, tools, nothingToEnd, signal)
    const { connections, client } = this.#database
    return connections.use(
      async (session, both) => {
        const calls = new SessionCalls(session, connections.dialect, client, isWriting)
        try {
          return await this.#inSandbox(inputs, tools, calls.functions, both)
        } finally {
          await calls.end()
        }
      },
      signal,
      isWriting,
    )
  }

  /** The value of one operation; throws its failure. */
  async one(
    input: OperationInput,
    tools: OperationTools = {},
  ): Promise<{ readonly value: Json; readonly described: Json }> {
    const [outcome] = await this.run([input], tools)
    if (!outcome?.ok) throw outcome?.error ?? new Error('a script has no outcome')
    const { value, described } = Object(outcome.value)
    return { value, described }
  }

  /** What an operation hands over, as it comes; returns its value. */
  async *handed(
    input: OperationInput,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Json[], Json> {
    if (this.#database?.connections.inPages) {
      const pages: (readonly Json[])[] = []
      const { value } = await this.one(input, { signal, objects: async (page) => pages.push(page) > 0 })
      yield* pages
      return value
    }
    const stop = new AbortController()
    const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
    const handover = new Handover<readonly Json[]>()
    const running = this.one(input, { signal: both, objects: (page) => handover.put(page) }).finally(() =>
      handover.end(),
    )
    running.catch(() => undefined)
    try {
      yield* handover.pages()
      return (await running).value
    } finally {
      stop.abort()
      handover.end()
      await running.catch(() => undefined)
    }
  }

  async #inSandbox(
    inputs: readonly OperationInput[],
    { secrets, objects, adhoc }: OperationTools,
    functions: Readonly<Record<string, CallerFunction>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly Outcome[]> {
    const loaded = await this.#scripts.program(adhoc)
    const outcomes = await loaded.run('operate', inputs, {
      functions: {
        ...functions,
        objects: async ([page], input) => (objects && Array.isArray(page) ? objects(page, input) : false),
      },
      secretsOf: (input) => [...this.#secrets, ...(secrets?.(input) ?? [])],
      ...(signal && { signal }),
    })
    return outcomes.map((outcome, place) =>
      outcome.ok ? outcome : { ok: false, error: told(outcome.error, inputs[place]) },
    )
  }
}

const nothingToEnd = { done: async () => null, failed: async () => null }

/** An error of a script as one of a connector. A script that was stopped keeps its own. */
function told(problem: Problem, input: OperationInput | undefined): Problem {
  const { uid } = input?.variables ?? {}
  const message = typeof uid === 'string' ? `"${uid}": ${problem.message}` : problem.message
  const { cause } = problem
  const facts = { ...Object(problem.detail), script: input?.script }
  if (problem.code !== 'SCRIPT_FAILED') return new Problem(problem.code, message, { detail: facts })
  const kind = kindOf(cause instanceof Problem ? cause : undefined)
  return new ConnectorError(kind ?? 'failed', message, { detail: facts })
}

function kindOf(own: Problem | undefined): ErrorKind | undefined {
  if (!own) return undefined
  const { kind }: { readonly kind?: unknown } = Object(own.detail)
  return isErrorKind(kind) ? kind : kindsByStatus[own.status]
}
