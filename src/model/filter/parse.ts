import type { Json } from '../json.ts'
import { requireExact } from '../json-text.ts'
import { type Pointer, parsePointer } from '../pointer.ts'
import { messageOf, type Problem } from '../problem.ts'
import { type ComparisonOperator, comparisonOperators, type Filter } from './filter.ts'
import { badFilter, type Token, tokenize } from './tokens.ts'

/**
 * Reads query filters (platform §1.3):
 *
 *     expr = and { "or" and }     and = not { "and" not }     not = [ "!" ] prim
 *     prim = "(" expr ")" | ptr "pr" | ptr op value | "true" | "false"
 *
 * Operators and keywords ignore case, pointers do not. Only a blank separates tokens. An unknown operator is an
 * error, never false: a typo must not mean "no objects".
 */

/** Parses the query filter grammar (platform §1.3). BAD_FILTER names the column and what was expected. */
export function parseFilter(text: string): Filter {
  const tokens = tokenize(text)
  const cursor: Cursor = { tokens, position: 0, depth: 0 }
  const filter = parseOr(cursor)
  const rest = peek(cursor)
  if (rest.kind !== 'end') throw unexpected(rest, '"and", "or" or the end')
  return filter
}

interface Cursor {
  readonly tokens: readonly Token[]
  position: number
  /** Parentheses open at the position. */
  depth: number
}

/** A very deep filter from an attacker must not exhaust the stack, neither here nor in later code. */
const maximumDepth = 256

function parseOr(cursor: Cursor): Filter {
  return parseJunction(cursor, 'or', parseAnd)
}

function parseAnd(cursor: Cursor): Filter {
  return parseJunction(cursor, 'and', parseNot)
}

function parseJunction(cursor: Cursor, kind: 'and' | 'or', parsePart: (cursor: Cursor) => Filter): Filter {
  const first = parsePart(cursor)
  const parts = [first]
  while (isKeyword(peek(cursor), kind)) {
    take(cursor)
    parts.push(parsePart(cursor))
  }
  if (parts.length === 1) return first
  return { kind, filters: parts.flatMap((part) => (part.kind === kind ? part.filters : [part])) }
}

function parseNot(cursor: Cursor): Filter {
  if (peek(cursor).kind !== '!') return parsePrimary(cursor)
  take(cursor)
  return { kind: 'not', filter: parsePrimary(cursor) }
}

function parsePrimary(cursor: Cursor): Filter {
  const token = take(cursor)
  if (token.kind === '(') return parseGroup(cursor, token.column)
  if (token.kind !== 'word') throw unexpected(token, '"(", a property, "true" or "false"')
  if (isKeyword(token, 'true')) return { kind: 'literal', value: true }
  if (isKeyword(token, 'false')) return { kind: 'literal', value: false }
  return parseComparison(cursor, pointerOf(token.text, token.column))
}

function parseGroup(cursor: Cursor, column: number): Filter {
  cursor.depth++
  if (cursor.depth > maximumDepth) throw badFilter(column, `more than ${maximumDepth} nested parentheses`)
  const filter = parseOr(cursor)
  const closing = take(cursor)
  if (closing.kind !== ')') throw unexpected(closing, '"and", "or" or ")"')
  cursor.depth--
  return filter
}

function parseComparison(cursor: Cursor, pointer: Pointer): Filter {
  const token = take(cursor)
  if (token.kind !== 'word') throw unexpected(token, `"pr" or one of ${operatorList}`)
  if (isKeyword(token, 'pr')) return { kind: 'present', pointer }
  const operator = token.text.toLowerCase()
  if (!isOperator(operator)) {
    throw badFilter(token.column, `unknown operator "${token.text}"; expected "pr" or one of ${operatorList}`)
  }
  const value = parseValue(take(cursor), operator)
  return { kind: 'compare', operator, pointer, value }
}

function parseValue(token: Token, operator: ComparisonOperator): Json {
  if (operator === 'in' || operator === 'ca') return parseList(token, operator)
  if (token.kind === 'string') return token.text
  if (token.kind !== 'word') throw unexpected(token, 'a value')
  if (isKeyword(token, 'true')) return true
  if (isKeyword(token, 'false')) return false
  return parseNumber(token.text, token.column)
}

function parseNumber(text: string, column: number): number {
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(text)) {
    throw badFilter(column, `expected a value, found ${text}; strings need quotes, numbers have no exponent`)
  }
  if (!text.includes('.') && BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) {
    throw badFilter(column, `${text} does not fit 64 bits; write ${text}.0 for a decimal`)
  }
  try {
    requireExact(
      text
        .replace(/^\+/, '')
        .replace(/^(-?)\./, '$10.')
        .replace(/\.$/, ''),
    )
  } catch (cause) {
    throw badFilter(column, messageOf(cause), cause)
  }
  // Adding zero turns -0 into 0: JSON cannot tell them apart.
  return Number(text) + 0
}

function parseList(token: Token, operator: ComparisonOperator): Json {
  const expected = `expected a quoted JSON array of strings, numbers and booleans after "${operator}", e.g. '["a","b"]'`
  if (token.kind !== 'string') throw badFilter(token.column, expected)
  const list = parseJson(token.text)
  if (!Array.isArray(list) || !list.every(isScalar)) throw badFilter(token.column, expected)
  return list
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function pointerOf(text: string, column: number): Pointer {
  try {
    return parsePointer(text)
  } catch (cause) {
    throw badFilter(column, `${text} is not a pointer: write % as %25`, cause)
  }
}

function peek({ tokens, position }: Cursor): Token {
  return tokens[position] ?? { kind: 'end', column: 0 }
}

function take(cursor: Cursor): Token {
  const token = peek(cursor)
  if (token.kind !== 'end') cursor.position++
  return token
}

function isKeyword(token: Token, keyword: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === keyword
}

const operatorList = comparisonOperators.join(' ')

function isOperator(word: string): word is ComparisonOperator {
  return comparisonOperators.some((operator) => operator === word)
}

function unexpected(token: Token, expected: string): Problem {
  return badFilter(token.column, `expected ${expected}, found ${describe(token)}`)
}

function describe(token: Token): string {
  if (token.kind === 'end') return 'the end'
  return token.kind === 'word' || token.kind === 'string' ? JSON.stringify(token.text) : `"${token.kind}"`
}
