import { indexIn, isObject, jsonText, RangeErrorConstructor } from './primordials.ts'

/** The JSON text of a value; undefined for one that JSON omits. `tooDeep` makes the error for one that is nested deeper than `levels`. */
export function boundedText(value: unknown, levels: number, tooDeep: () => Error): string | undefined {
  const text = textOf(value, tooDeep)
  if (text !== undefined && isDeeper(text, levels)) throw tooDeep()
  return text
}

function textOf(value: unknown, tooDeep: () => Error): string | undefined {
  try {
    return jsonText(value)
  } catch (error) {
    const isExhausted =
      error instanceof RangeErrorConstructor && isObject(error) && error.message === exhausted
    throw isExhausted ? tooDeep() : error
  }
}

/** What V8 says when the stack is full. */
const exhausted = 'Maximum call stack size exceeded'

/** Is JSON text nested deeper than so many levels? Most texts have fewer lists and objects than that, and are not looked through. */
export function isDeeper(text: string, levels: number): boolean {
  return text.length > 2 * levels && opensMore(text, levels) && depthExceeds(text, levels)
}

function opensMore(text: string, levels: number): boolean {
  let count = 0
  for (let at = indexIn(text, '{', 0); at >= 0 && count <= levels; at = indexIn(text, '{', at + 1)) count++
  for (let at = indexIn(text, '[', 0); at >= 0 && count <= levels; at = indexIn(text, '[', at + 1)) count++
  return count > levels
}

function depthExceeds(text: string, levels: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at)
    else if (character === '{' || character === '[') {
      if (++depth > levels) return true
    } else if (character === '}' || character === ']') depth--
  }
  return false
}

/** The place of the quote that closes it. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return text.length
}
