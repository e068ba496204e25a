import type { Json } from './json.ts'
import { Problem } from './problem.ts'

/**
 * JSON text from outside, within limits. What passes can be stored, compared and written again without any change: it is not
 * nested deeper than stores and recursive code can bear, and its numbers are those that were written. A number that is rounded
 * silently may be another person's id.
 */
export function parseJson(text: string): Json {
  checkJsonText(text)
  return JSON.parse(text)
}

/** How deep objects and lists may be nested, in a value and in a pointer to one. */
export const deepest = 256

/** Of one text; more than the members of any group that we have seen. */
const mostValues = 1_000_000

/** BAD_REQUEST if the text exceeds a limit. Whether it is JSON is found by parsing it. `levels`: how deep it may be nested. */
export function checkJsonText(text: string, levels = deepest): void {
  let depth = 0
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === quote) at = endOfString(text, at)
    else if (character === openBrace || character === openBracket) {
      if (++depth > levels)
        throw new Problem('BAD_REQUEST', `The JSON is nested more than ${levels} levels deep`)
    } else if (character === closeBrace || character === closeBracket) depth--
    else if (character === comma) {
      if (++values > mostValues)
        throw new Problem('BAD_REQUEST', `The JSON has more than ${mostValues} values`, { status: 413 })
    } else if (character === minus || (character >= zero && character <= nine)) at = endOfNumber(text, at)
  }
}

// Character codes: a text of megabytes is looked through.
const [quote, comma, minus, zero, nine, backslash] = [0x22, 0x2c, 0x2d, 0x30, 0x39, 0x5c] as const
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d] as const

/** The place of the quote that closes it. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charCodeAt(at)
    if (character === backslash) at++
    else if (character === quote) return at
  }
  return text.length
}

const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** The place of its last character. */
function endOfNumber(text: string, start: number): number {
  number.lastIndex = start
  const [written] = number.exec(text) ?? []
  if (written === undefined) return start
  requireExact(written)
  return start + written.length - 1
}

/** BAD_REQUEST if a double does not hold the number as it is written. */
export function requireExact(written: string): void {
  // Up to 15 digits always survive.
  if (written.length < 16 && !/[eE]/.test(written)) return
  if (decimal(written) === decimal(String(Number(written)))) return
  throw new Problem(
    'BAD_REQUEST',
    `The number ${written.slice(0, 40)} cannot be kept as it is; send it as a text, in quotes`,
  )
}

/** The same text for the same number: its digits without zeros around them, and the power of ten of the last. */
function decimal(written: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(written) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const significant = digits.replace(/0+$/, '')
  if (significant === '') return whole === '' ? written : '0'
  return `${sign}${significant}e${Number(power) - fraction.length + digits.length - significant.length}`
}
