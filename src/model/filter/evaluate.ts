import { instantOf } from '../instant.ts'
import { elementsOf, type Json } from '../json.ts'
import { getAt } from '../pointer.ts'
import { compareText } from '../sort.ts'
import type { ComparisonOperator, Filter } from './filter.ts'

/**
 * Evaluates query filters on values in memory (platform §1.3).
 *
 * An array matches if any element does. Values of different types never match. `pr` is false for null. `ne` is the
 * negation of `eq`, so an absent value matches it. `ca` tests the array as a whole: it must contain every listed value.
 * Two date-times with a zone are ordered by their instants.
 */

export interface EvaluationOptions {
  /** True in mapping conditions; queries of object sets compare exactly. */
  readonly ignoreCase?: boolean
}

/** Does `root` match? To test many roots, call `compileFilter` once. */
export function matches(filter: Filter, root: Json, options: EvaluationOptions = {}): boolean {
  return compileFilter(filter, options)(root)
}

/** `matches` prepared once for many roots. */
export function compileFilter(
  filter: Filter,
  { ignoreCase = false }: EvaluationOptions = {},
): (root: Json) => boolean {
  const fold = ignoreCase ? foldCase : exactly
  return compile(filter, fold)
}

/** What texts are compared as. */
type Fold = (text: string) => string
type Test = (value: Json) => boolean

const exactly: Fold = (text) => text
const foldCase: Fold = (text) => text.toLowerCase()

function folded(value: Json, fold: Fold): Json {
  return typeof value === 'string' ? fold(value) : value
}

function compile(filter: Filter, fold: Fold): Test {
  switch (filter.kind) {
    case 'literal':
      return () => filter.value
    case 'and': {
      const tests = filter.filters.map((part) => compile(part, fold))
      return (root) => tests.every((test) => test(root))
    }
    case 'or': {
      const tests = filter.filters.map((part) => compile(part, fold))
      return (root) => tests.some((test) => test(root))
    }
    case 'not': {
      const test = compile(filter.filter, fold)
      return (root) => !test(root)
    }
    case 'present':
      return (root) => (getAt(root, filter.pointer) ?? null) !== null
    case 'compare': {
      const { pointer } = filter
      const test = comparison(filter.operator, filter.value, fold)
      return (root) => test(getAt(root, pointer) ?? null)
    }
  }
}

/** A test of the value at the pointer, null if there is none. */
function comparison(operator: ComparisonOperator, value: Json, fold: Fold): Test {
  switch (operator) {
    case 'ne': {
      const equals = comparison('eq', value, fold)
      return (actual) => !equals(actual)
    }
    case 'ca': {
      const tests = elementsOf(value).map((each) => comparison('eq', each, fold))
      return (actual) => actual !== null && tests.every((test) => test(actual))
    }
    default:
      return anyElement(scalarTest(operator, value, fold))
  }
}

function anyElement(test: Test): Test {
  return (actual) => (Array.isArray(actual) ? actual.some(test) : test(actual))
}

function scalarTest(operator: Exclude<ComparisonOperator, 'ne' | 'ca'>, value: Json, fold: Fold): Test {
  switch (operator) {
    case 'eq': {
      const wanted = folded(value, fold)
      return (actual) => actual !== null && folded(actual, fold) === wanted
    }
    case 'in': {
      const wanted = new Set(elementsOf(value).map((each) => folded(each, fold)))
      return (actual) => actual !== null && wanted.has(folded(actual, fold))
    }
    case 'co':
      return textTest(value, fold, (text, part) => text.includes(part))
    case 'sw':
      return textTest(value, fold, (text, part) => text.startsWith(part))
    case 'ew':
      return textTest(value, fold, (text, part) => text.endsWith(part))
    case 'lt':
      return orderTest(value, fold, (order) => order < 0)
    case 'le':
      return orderTest(value, fold, (order) => order <= 0)
    case 'gt':
      return orderTest(value, fold, (order) => order > 0)
    case 'ge':
      return orderTest(value, fold, (order) => order >= 0)
  }
}

function textTest(value: Json, fold: Fold, test: (text: string, part: string) => boolean): Test {
  if (typeof value !== 'string') return () => false
  const part = fold(value)
  return (actual) => typeof actual === 'string' && test(fold(actual), part)
}

function orderTest(value: Json, fold: Fold, accepts: (order: number) => boolean): Test {
  if (typeof value === 'string') {
    const limit = fold(value)
    const byText = (actual: string) => accepts(compareText(fold(actual), limit))
    const instant = instantOf(value)
    if (instant === undefined) return (actual) => typeof actual === 'string' && byText(actual)
    return (actual) => {
      if (typeof actual !== 'string') return false
      const other = instantOf(actual)
      return other === undefined ? byText(actual) : accepts(other - instant)
    }
  }
  if (typeof value === 'number') return (actual) => typeof actual === 'number' && accepts(actual - value)
  return () => false
}
