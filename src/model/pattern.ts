/**
 * Regular expressions that can take for ever: a repetition in a repetition, where one text can be shared out among them in more
 * than one way, so that a text that does not match is tried in all of them. Pure. Says nothing rather than something wrong.
 */
import { type Group, type Item, patternTree, type Sequence } from './pattern-tree.ts'

/** The part that is dangerous, as it is written; undefined for a pattern that is not, or not a pattern. */
export function endlessPart(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u')
  } catch {
    try {
      new RegExp(pattern)
    } catch {
      return undefined
    }
  }
  return dangerIn(partsOf(patternTree(pattern), pattern), pattern)
}

type Part = CharacterSet | Nested

interface CharacterSet {
  readonly kind: 'set'
  readonly has: Has
  readonly least: number
  readonly endless: boolean
}

interface Nested {
  readonly kind: 'group'
  readonly alternatives: readonly (readonly Part[])[]
  readonly least: number
  readonly endless: boolean
  readonly group: Group
}

/** Which of some characters a set has: enough to see whether two sets have one in common. */
type Has = ReadonlySet<string>

/** One of each kind that patterns tell apart, besides the characters that the pattern itself names. */
const samples = [...'amzAMZ059_ \t\n-.,@/é!']

/** So many are as good as no limit. */
const many = 20

/** What of it takes characters; what a reference takes is not known, and nothing is said of it. */
function partsOf(alternatives: readonly Sequence[], pattern: string): readonly (readonly Part[])[] {
  const partOf = (item: Item): readonly Part[] => {
    if (item.kind !== 'group' && item.kind !== 'characters') return []
    const { least, most } = item.repeats
    const common = { least, endless: most > many && most > least }
    if (item.kind === 'characters') return [{ kind: 'set', has: charactersOf(item.text, pattern), ...common }]
    return [{ kind: 'group', alternatives: partsOf(item.alternatives, pattern), group: item, ...common }]
  }
  return alternatives.map((items) => items.flatMap(partOf))
}

function charactersOf(unit: string, pattern: string): Has {
  const asked = [...samples, ...pattern]
  const matcher = matcherOf(unit)
  return new Set(matcher ? asked.filter((character) => matcher.test(character)) : asked)
}

function matcherOf(unit: string): RegExp | undefined {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(`^${unit}$`, flags)
    } catch {}
  }
  return undefined
}

function dangerIn(alternatives: readonly (readonly Part[])[], text: string): string | undefined {
  for (const item of alternatives.flat()) {
    if (item.kind !== 'group') continue
    if (item.endless && isAmbiguous(item.alternatives)) return text.slice(item.group.from, item.group.to)
    const inner = dangerIn(item.alternatives, text)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** Can a text be a repetition of these in more than one way? */
function isAmbiguous(alternatives: readonly (readonly Part[])[]): boolean {
  return (
    alternatives.some(divides) ||
    alternatives.some((one, index) => alternatives.slice(index + 1).some((other) => overlap(one, other)))
  )
}

/** `(a+)+`, `(a+b?)+`: what is around an endless part may be nothing, or more of the same. */
function divides(items: readonly Part[]): boolean {
  return items.some((item, index) => {
    if (
      item.kind === 'group' &&
      !item.group.takesNothing &&
      item.alternatives.length === 1 &&
      !item.endless
    ) {
      const flat = [...items.slice(0, index), ...(item.alternatives[0] ?? []), ...items.slice(index + 1)]
      return item.least === 1 && divides(flat)
    }
    if (!item.endless) return false
    const set = item.kind === 'set' ? item.has : firstOf(item)
    const others = items.filter((_, at) => at !== index)
    return set !== undefined && others.every((other) => isPassable(other, set))
  })
}

/** May it be nothing, or characters of the set? */
function isPassable(item: Part, set: Has): boolean {
  if (item.least === 0 || (item.kind === 'group' && item.group.takesNothing)) return true
  if (item.kind === 'set') return shares(item.has, set)
  return item.alternatives.some((items) => items.every((one) => isPassable(one, set)))
}

/** The characters of a group that is one set. */
function firstOf(item: Part): Has | undefined {
  if (item.kind === 'set') return item.has
  const [only, ...others] = item.alternatives
  const [first, ...more] = only ?? []
  return others.length === 0 && first && more.length === 0 ? firstOf(first) : undefined
}

/** `(a|a)*`, `(\w|\d)*`: alternatives of the same length that match the same text. */
function overlap(one: readonly Part[], other: readonly Part[]): boolean {
  if (one.length !== other.length || one.length === 0) return false
  return one.every((item, index) => {
    const against = other[index]
    if (item.kind !== 'set' || against?.kind !== 'set') return false
    const same = item.endless === against.endless && item.least === against.least
    return same && shares(item.has, against.has)
  })
}

function shares(one: Has, other: Has): boolean {
  for (const character of one) if (other.has(character)) return true
  return false
}
