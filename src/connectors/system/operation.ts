import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { failureOf, type Operation, type OperationName } from './failure.ts'
import type { ObjectType } from './object-type.ts'

/**
 * What surrounds every call of a connector: whether the operation is permitted (platform §4.3), how
 * long it may take (platform §4.1), and what its failure is called (platform §4.7).
 */
/** Calls the connector; a call that ignores its signal is given up when the time is over. */
export async function call<T>(
  operation: Operation,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  try {
    if (operation.timeout === undefined) return await work(signal)
    return await withinTime(operation, operation.timeout, signal, work)
  } catch (error) {
    signal?.throwIfAborted()
    throw failureOf(error, operation)
  }
}

/** A stream of pages: only the time that the connector takes counts, not what the reader does with a page. */
export async function* stream<T>(
  operation: Operation,
  signal: AbortSignal | undefined,
  start: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const stop = new AbortController()
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const pages = start(both)[Symbol.asyncIterator]()
  let left = operation.timeout
  let isWaiting = false
  try {
    for (;;) {
      const asked = performance.now()
      isWaiting = true
      const next = await call({ ...operation, timeout: left }, signal, () => pages.next())
      isWaiting = false
      if (left !== undefined) left = Math.max(1, left - (performance.now() - asked))
      if (next.done) return
      yield next.value
    }
  } finally {
    stop.abort()
    // An iterator that did not answer would let its reader wait for ever.
    const closed = pages.return?.()
    if (isWaiting) closed?.catch(() => undefined)
    else await closed
  }
}

async function withinTime<T>(
  { system, name, timeout: configured }: Operation,
  timeout: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const outcome = isWrite(name) ? '; whether it was done is unknown' : ''
      const error = new Problem(
        'UNAVAILABLE',
        `The system ${system} took longer than the operationTimeout of ${name} allows${outcome}`,
        { detail: { timeout: configured } },
      )
      reject(error)
      stop.abort(error)
    }, timeout)
  })
  try {
    return await Promise.race([work(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal), timedOut])
  } finally {
    clearTimeout(timer)
  }
}

function isWrite(name: OperationName): boolean {
  return name === 'CREATE' || name === 'UPDATE' || name === 'DELETE'
}

/** Milliseconds per operation; -1 and absent: no limit. */
export function timeoutOf(configuration: JsonObject, name: OperationName): number | undefined {
  const timeouts = isJsonObject(configuration.operationTimeout) ? configuration.operationTimeout : {}
  const value = timeouts[name]
  return typeof value === 'number' && value > 0 ? value : undefined
}

export type Permission = 'allowed' | 'skipped'

/**
 * May this operation be done on this type? The most specific setting counts. A denied one is FORBIDDEN, or `skipped`
 * where `onDeny` says DO_NOTHING; reading is never skipped, because an empty answer would be a false one. With
 * `supportedObjectTypes` the types it does not name are not offered at all.
 */
export function permission(configuration: JsonObject, name: OperationName, type: ObjectType): Permission {
  const options = isJsonObject(configuration.operationOptions) ? configuration.operationOptions : {}
  const general = isJsonObject(options[name]) ? options[name] : {}
  const features = isJsonObject(general.objectFeatures) ? general.objectFeatures : {}
  const specific = [features[type.name], features[type.objectClass]].find(isJsonObject) ?? {}
  const supported = specific.supportedObjectTypes ?? general.supportedObjectTypes
  if (Array.isArray(supported) && supported.length > 0 && !isNamed(type, supported)) {
    throw new Problem('NOT_IMPLEMENTED', `${name} is not among the operations supported for ${type.name}`)
  }
  if ((specific.denied ?? general.denied) !== true) return 'allowed'
  const skips = (specific.onDeny ?? general.onDeny) === 'DO_NOTHING'
  if (skips && isWrite(name)) return 'skipped'
  throw new Problem('FORBIDDEN', `Operation ${name} on ${type.name} is denied by operationOptions`)
}

function isNamed(type: ObjectType, names: readonly Json[]): boolean {
  return names.includes(type.name) || names.includes(type.objectClass)
}
