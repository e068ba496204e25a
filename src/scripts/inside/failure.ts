import { deepest } from '../../model/json-text.ts'
import { Problem, type ProblemCode } from '../../model/problem.ts'
import { isDeeper } from './depth.ts'
import { findMatch, isInteger, isObject, jsonText, sliceText, stringify, textOf } from './primordials.ts'
import type { Origin } from './program.ts'

/**
 * Converts anything thrown. An error of a script becomes a SCRIPT_FAILED with the script, its line and column; if the
 * script threw an integer `code`, its own error is the cause. An error of a procedure stays itself. Values thrown by
 * scripts are inspected only in this file, and inspecting them may throw.
 * (engine §2.6, "Thrown values")
 */
export function scriptFailure(label: string, thrown: unknown, originOf: OriginOf): Problem {
  const { message, code, detail, place } = facts(thrown, originOf)
  const at = place
    ? ` (${place.file ? `${place.file}, ` : ''}line ${place.line}, column ${place.column})`
    : ''
  const failed = `${label} script encountered exception: ${message}${at}`
  if (code === undefined) return new Problem('SCRIPT_FAILED', failed, { detail: place })
  const status = statusOf(code)
  const own = new Problem('SCRIPT_FAILED', message, { status, detail })
  return new Problem('SCRIPT_FAILED', failed, { status, detail: place, cause: own })
}

/** The origin of the code with a source URL, if it is a script or a required module. */
export type OriginOf = (url: string) => Origin | undefined

interface Place {
  readonly file?: string | undefined
  readonly line: number
  readonly column: number
}

interface Facts {
  readonly message: string
  readonly code?: number | undefined
  readonly detail?: unknown
  readonly place?: Place | undefined
}

function facts(thrown: unknown, originOf: OriginOf): Facts {
  try {
    if (!isObject(thrown)) return { message: textOf(thrown) }
    const { code, message, detail, stack } = thrown
    const place = typeof stack === 'string' ? placeIn(stack, originOf) : undefined
    if (typeof code === 'number' && isInteger(code))
      return {
        message: message === undefined ? `code ${code}` : shortened(message),
        code,
        detail,
        place,
      }
    return { message: shortened(typeof stack === 'string' ? thrown : (message ?? stringify(thrown))), place }
  } catch {
    return { message: 'a value that cannot be shown' }
  }
}

function shortened(message: unknown): string {
  return sliceText(textOf(message), 0, 4000)
}

function statusOf(code: number): number {
  return code >= 400 && code <= 599 ? code : 500
}

/** The innermost frame that lies in a script or a required module. */
function placeIn(stack: string, originOf: OriginOf): Place | undefined {
  const frames = /(?:\(|at )([^\s()]+):(\d+):(\d+)\)?$/gm
  for (let frame = findMatch(frames, stack); frame; frame = findMatch(frames, stack)) {
    const { 1: url = '', 2: lineText = '', 3: columnText = '' } = frame
    const origin = originOf(url)
    if (!origin) continue
    const line = +lineText - origin.linesBefore
    const { file, start } = origin
    return line < 1 ? { file, line: start.line, column: start.column } : { file, line, column: +columnText }
  }
  return undefined
}

/** The JSON form in which a failure crosses to the host. */
export function failureText(thrown: unknown): string {
  try {
    return stringify(portable(thrown, 0))
  } catch {
    return '{"code":"SCRIPT_FAILED","message":"an error that cannot be shown"}'
  }
}

interface Portable {
  readonly code: ProblemCode
  readonly message: string
  readonly status?: number
  readonly detail?: unknown
  readonly cause?: Portable
}

function portable(thrown: unknown, depth: number): Portable {
  if (!(thrown instanceof Problem)) return { code: 'SCRIPT_FAILED', message: messageOf(thrown) }
  const { code, message, status, detail, cause } = thrown
  const plain = { code, message, status, detail: serializable(detail) }
  return cause === undefined || depth > 5 ? plain : { ...plain, cause: portable(cause, depth + 1) }
}

function messageOf(thrown: unknown): string {
  const message = isObject(thrown) ? thrown.message : thrown
  return shortened(message ?? thrown)
}

function serializable(detail: unknown): unknown {
  try {
    const text = jsonText(detail)
    return text === undefined || isDeeper(text, deepest) ? undefined : detail
  } catch {
    return undefined
  }
}
