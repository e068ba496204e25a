import vm from 'node:vm'
import { isJsonObject } from '../model/json.ts'
import { type Item, patternTree, type Sequence } from '../model/pattern-tree.ts'
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
 * The most steps that matching a text of a length may take: in how many ways its parts can share the text out among them, from each
 * place of the text. Infinite if a repetition without an end repeats what may itself match in several ways, and for references back.
 */
export function effortOf(source: string): (length: number) => number {
  const { power, factor } = waysOfAny(patternTree(source))
  const least = factor > fewWays ? factor : 1
  return (length) => least * length ** (power + 1)
}

/** So many times the steps are as good as once. */
const fewWays = 16

/** In how many ways something can match a text: factor · length ^ power, at most. */
interface Ways {
  readonly power: number
  readonly factor: number
}

const oneWay: Ways = { power: 0, factor: 1 }
const endless: Ways = { power: 0, factor: Number.POSITIVE_INFINITY }

function waysOfAny(alternatives: readonly Sequence[]): Ways {
  const all = alternatives.map((items) => items.map(waysOf).reduce(times, oneWay))
  const power = Math.max(...all.map((ways) => ways.power))
  return { power, factor: all.reduce((sum, ways) => sum + ways.factor, 0) }
}

function waysOf(item: Item): Ways {
  if (item.kind === 'border') return oneWay
  if (item.kind === 'reference') return endless
  const once = item.kind === 'group' ? waysOfAny(item.alternatives) : oneWay
  const { least, most } = item.repeats
  const isOneWay = once.power === 0 && once.factor === 1
  if (most === Number.POSITIVE_INFINITY) return isOneWay ? { power: 1, factor: 1 } : endless
  // So many characters in a row are steps, too.
  if (isOneWay && most >= 10) return { power: 1, factor: 1 }
  return { power: once.power * most, factor: once.factor ** most * (most - least + 1) }
}

function times(one: Ways, other: Ways): Ways {
  return { power: one.power + other.power, factor: one.factor * other.factor }
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
