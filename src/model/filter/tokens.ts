import { Problem } from '../problem.ts'

/**
 * The tokens of the query filter grammar (platform §1.3). Blanks separate them. A parenthesis or a quote also ends
 * the token before it.
 */

export type Token =
  | { readonly kind: '(' | ')' | '!' | 'end'; readonly column: number }
  | { readonly kind: 'word' | 'string'; readonly text: string; readonly column: number }

/** The tokens in order; the last one is always `end`. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length; ) {
    const [token, end] = text[at] === ' ' ? [undefined, at + 1] : readToken(text, at)
    if (token) tokens.push(token)
    at = end
  }
  tokens.push({ kind: 'end', column: text.length + 1 })
  return tokens
}

function readToken(text: string, start: number): readonly [Token, end: number] {
  const first = text.charAt(start)
  const column = start + 1
  if (first === '(' || first === ')') return [{ kind: first, column }, start + 1]
  if (first === '!') {
    if (!'( '.includes(text[start + 1] ?? '?'))
      throw badFilter(start + 2, 'expected "(" or a blank after "!"')
    return [{ kind: first, column }, start + 1]
  }
  if (first === '"' || first === "'") return readString(text, start, first)
  let end = start
  while (end < text.length && !' ()'.includes(text.charAt(end))) end++
  return [{ kind: 'word', text: text.slice(start, end), column }, end]
}

function readString(text: string, start: number, mark: string): readonly [Token, end: number] {
  let value = ''
  for (let at = start + 1; at < text.length; at++) {
    const c = text.charAt(at)
    if (c === mark) {
      checkEnd(text, at + 1)
      return [{ kind: 'string', text: value, column: start + 1 }, at + 1]
    }
    if (c === '\\') at++
    value += text[at] ?? ''
  }
  throw badFilter(start + 1, `the string that begins here has no closing ${mark}`)
}

function checkEnd(text: string, end: number): void {
  if (end === text.length || ' )'.includes(text.charAt(end))) return
  throw badFilter(end + 1, 'expected a blank after the string; a quote inside it needs a backslash')
}

/** A problem at a column, counted from 1 as in editors. */
export function badFilter(column: number, fact: string, cause?: unknown): Problem {
  return new Problem('BAD_FILTER', `Filter, column ${column}: ${fact}`, { cause, detail: { column } })
}
