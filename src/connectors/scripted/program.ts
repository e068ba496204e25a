import { everything, type Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Ask, Call } from '../../scripts/engine.ts'
import { connectionTo } from './connection.ts'
import { exceptions } from './exceptions.ts'
import { queryOf } from './query.ts'

/**
 * What surrounds the scripts of a connector in the sandbox: their variables (platform §5.4), and the brackets around one operation.
 * `asked` is the only way out.
 */
export interface ProgramSettings {
  /** What scripts see as `configuration`. */
  readonly configuration: JsonObject
  readonly hasConnection: boolean
  readonly hasCustomizer: boolean
}

/** One operation. */
export interface OperationInput {
  readonly script: string
  /** As scripts call it, e.g. `CREATE`. */
  readonly operation: string
  readonly variables: JsonObject
  readonly filter?: Filter
  /** How many objects are handed over at a time. */
  readonly pageSize?: number
  /** What the script must return: a uid, always or if it returns anything. */
  readonly returns?: 'uid' | 'uid or nothing'
}

/** What a script hands over, as it gave it. */
export type Handed = JsonObject

const operate =
  ({ configuration, hasConnection, hasCustomizer }: ProgramSettings) =>
  (input: OperationInput, call: Call, ask: Ask): Json => {
    const { script, operation, filter = everything, returns } = input
    const handed = handing(ask, input.pageSize ?? 500)
    const described: JsonObject = {}
    const variables = {
      operation,
      configuration,
      log,
      options: {},
      ...thrown,
      ...input.variables,
      ...(hasConnection && { connection: connectionTo(ask) }),
      filter: queryOf(filter),
      query: () => queryOf(filter),
      handler: handed.hand,
      builder: builderOf(described),
    }
    try {
      const customized = hasCustomizer ? call('customizer', variables) : undefined
      const value = call(script, customized === undefined ? variables : { ...variables, customized })
      handed.flush()
      const result = returns === undefined ? value : uidOf(value, returns, script)
      ask('done', [])
      return { value: result ?? null, described }
    } catch (error) {
      takeBack(ask)
      throw error
    }
  }

/** The error of the script counts, not that of a run which has been cancelled meanwhile. */
function takeBack(ask: Ask): void {
  try {
    ask('failed', [])
  } catch {
    // The server takes it back when the run ends.
  }
}

function handing(ask: Ask, size: number) {
  let batch: unknown[] = []
  let isWanted = true
  const flush = () => {
    if (batch.length === 0) return
    const objects = batch
    batch = []
    isWanted = ask('objects', [objects]) !== false
  }
  return {
    flush,
    /** False: no more are wanted. */
    hand(object: unknown): boolean {
      if (typeof object !== 'object' || object === null || Array.isArray(object))
        throw new TypeError('handler takes one object, such as { uid: "…", id: "…", attributes: { … } }')
      batch.push(object)
      if (batch.length >= size) flush()
      return isWanted
    },
  }
}

function uidOf(value: Json | undefined, returns: 'uid' | 'uid or nothing', script: string): Json {
  const uid = typeof value === 'object' && value !== null && 'uid' in value ? value.uid : value
  if (typeof uid === 'string' && uid !== '') return uid
  if (typeof uid === 'number') return String(uid)
  if (returns === 'uid or nothing' && (uid === undefined || uid === null)) return null
  throw new Error(
    `the ${script} script must return the uid, a text, and returns ${JSON.stringify(uid ?? null)}`,
  )
}

/** `builder.objectClass('__ACCOUNT__', { mail: 'string', cars: { type: 'object', multivalued: true } })`. */
function builderOf(described: JsonObject) {
  return {
    objectClass(name: unknown, attributes: Json) {
      described[String(name)] = attributes
    },
    schema(classes: JsonObject) {
      Object.assign(described, classes)
    },
  }
}

declare const logger: Readonly<Record<string, (...args: unknown[]) => void>>

/** Called like that of Java. */
const log = {
  ok: (...args: unknown[]) => logger.info?.(...args),
  info: (...args: unknown[]) => logger.info?.(...args),
  warn: (...args: unknown[]) => logger.warn?.(...args),
  error: (...args: unknown[]) => logger.error?.(...args),
  debug: (...args: unknown[]) => logger.debug?.(...args),
  trace: (...args: unknown[]) => logger.trace?.(...args),
}

const thrown = Object.fromEntries(
  Object.entries(exceptions).map(([name, kind]) => [
    name,
    class extends Error {
      readonly code = 500
      readonly detail = { kind }
      override readonly name = name
    },
  ]),
)

export const program = {
  address: import.meta.url,
  procedures: { operate },
  seenByScripts: (settings: ProgramSettings) => [settings, log, thrown],
  apart: true,
}
