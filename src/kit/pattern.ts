import vm from 'node:vm'
import { isJsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'

/**
 * A regular expression of the configuration, for texts from outside. Some expressions take exponential time for some texts, and
 * would keep the whole server from answering. One that cannot do so for a text is used as it is; any other runs under a time limit.
 */
export interface Pattern {
  /** BAD_REQUEST if that cannot be said in time. */
  test(text: string): boolean
}

/** Throws a SyntaxError if the source is no regular expression. `g` and `y` would make the answer depend on earlier ones. */
export function patternOf(source: string, flags = ''): Pattern {
  const expression = new RegExp(source, flags.replace(/[gy]/g, ''))
  const effort = effortOf(source)
  const slow = new SlowTexts()
  return {
    test(text) {
      if (effort(text.length) <= unguardedSteps) return expression.test(text)
      slow.refuse(text.length, source)
      const matches = testInTime(expression, text)
      if (matches !== undefined) return matches
      slow.add(text.length)
      throw tooSlow(source)
    },
  }
}

/** Steps of the matcher that take about a millisecond. */
const unguardedSteps = 1e5
const limitMs = 100

/**
 * The most steps that matching a text of a length may take, as far as the source tells: the length to the power of the number of
 * repetitions without an end, and infinite if one of them repeats something that may itself match in several ways.
 */
export function effortOf(source: string): (length: number) => number {
  const bare = withoutFixedGroups(withoutClasses(source))
  const repetitions = bare.match(/[*+]|\{\d+,\d*\}|\{\d{2,}\}/g)?.length ?? 0
  const repeatsGroup = /\)(?:[*+]|\{)/.test(bare) || /\\[1-9]|\\k</.test(source)
  if (repetitions === 0 && !repeatsGroup) return (length) => length
  return repeatsGroup ? () => Number.POSITIVE_INFINITY : (length) => length ** (repetitions + 1)
}

/** Escapes and classes stand for one character. */
function withoutClasses(source: string): string {
  return source.replace(/\\./gs, 'x').replace(/\[\^?\]?[^\]]*\]/g, 'x')
}

/** A group of so many characters, neither more nor less, matches in one way: it stands for one character, too. */
function withoutFixedGroups(bare: string): string {
  const left = bare.replace(/\{\d\}/g, '').replace(/\((?:\?(?:[:=!]|<[=!]|<\w+>))?[^()*+?{|]*\)/g, 'x')
  return left === bare ? bare : withoutFixedGroups(left)
}

const context = vm.createContext(Object.create(null))
const testing = new vm.Script('expression.test(text)')

/** Undefined: not in time. */
function testInTime(expression: RegExp, text: string): boolean | undefined {
  Object.assign(context, { expression, text })
  try {
    return testing.runInContext(context, { timeout: limitMs }) === true
  } catch (error) {
    // An error of the context is none of ours.
    if (isJsonObject(error) && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}

/**
 * Which texts are not tried again for a while: those as long as one that has taken too long. Otherwise the same text, sent again and
 * again, would still take all the time there is.
 */
class SlowTexts {
  #from = Number.POSITIVE_INFINITY
  #until = 0

  refuse(length: number, source: string): void {
    if (length >= this.#from && performance.now() < this.#until) throw tooSlow(source)
  }

  add(length: number): void {
    this.#from = performance.now() < this.#until ? Math.min(this.#from, length) : length
    this.#until = performance.now() + refusedForMs
  }
}

const refusedForMs = 60_000

function tooSlow(source: string): Problem {
  return new Problem(
    'BAD_REQUEST',
    `The pattern ${source.slice(0, 200)} takes more than ${limitMs} ms for this text, and its result is not known. ` +
      'Write it without repeating what is itself repeated, such as (a+)+',
  )
}
