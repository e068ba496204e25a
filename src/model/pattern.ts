/**
 * Regular expressions that can take for ever: a repetition in a repetition, where one text can be shared out among them in more
 * than one way, so that a text that does not match is tried in all of them. Pure. Says nothing rather than something wrong.
 */

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
  const reader = { text: pattern, at: 0 }
  return dangerIn(alternativesOf(reader), pattern)
}

type Item =
  | { readonly kind: 'set'; readonly has: Has; readonly repeats: Repeats }
  | {
      readonly kind: 'group'
      readonly alternatives: readonly (readonly Item[])[]
      readonly repeats: Repeats
      readonly from: number
      readonly to: number
      /** Looks ahead or behind, or refers back: it takes no characters of its own. */
      readonly takesNothing: boolean
    }

interface Repeats {
  readonly least: number
  readonly endless: boolean
}

/** Which of some characters a set has: enough to see whether two sets have one in common. */
type Has = ReadonlySet<string>

/** One of each kind that patterns tell apart, besides the characters that the pattern itself names. */
const samples = [
  'a',
  'm',
  'z',
  'A',
  'M',
  'Z',
  '0',
  '5',
  '9',
  '_',
  ' ',
  '\t',
  '\n',
  '-',
  '.',
  ',',
  '@',
  '/',
  'é',
  '!',
]

interface Reader {
  readonly text: string
  at: number
}

function alternativesOf(reader: Reader): readonly (readonly Item[])[] {
  const alternatives: Item[][] = [[]]
  while (reader.at < reader.text.length && reader.text[reader.at] !== ')') {
    if (reader.text[reader.at] === '|') {
      reader.at++
      alternatives.push([])
    } else {
      const item = itemIn(reader)
      if (item) alternatives.at(-1)?.push(item)
    }
  }
  return alternatives
}

function itemIn(reader: Reader): Item | undefined {
  const { text } = reader
  const from = reader.at
  if (text[from] === '(') {
    const head = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z-]*:))?/.exec(text.slice(from))?.[0] ?? '('
    reader.at += head.length
    const alternatives = alternativesOf(reader)
    reader.at++
    const to = reader.at
    const repeats = repeatsIn(reader)
    return {
      kind: 'group',
      alternatives,
      repeats,
      from,
      to: Math.max(to, reader.at),
      takesNothing: /[=!]$/.test(head),
    }
  }
  const unit =
    /^(?:\[\^?\]?(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\k<[^>]*>|\\.|.)/su.exec(
      text.slice(from),
    )?.[0]
  reader.at += unit?.length ?? 1
  const repeats = repeatsIn(reader)
  if (unit === undefined || /^(?:\^|\$|\\[bB]|\\\d|\\k<.*)$/.test(unit)) return undefined
  return { kind: 'set', has: charactersOf(unit, text), repeats }
}

function repeatsIn(reader: Reader): Repeats {
  const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(reader.text.slice(reader.at))
  if (!found) return { least: 1, endless: false }
  reader.at += found[0].length
  const [written, least, comma, most] = found
  if (least === undefined)
    return { least: written.startsWith('+') ? 1 : 0, endless: !written.startsWith('?') }
  // So many are as good as no limit.
  return { least: Number(least), endless: comma === ',' && (most === '' || Number(most) > 20) }
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

function dangerIn(alternatives: readonly (readonly Item[])[], text: string): string | undefined {
  for (const item of alternatives.flat()) {
    if (item.kind !== 'group') continue
    if (item.repeats.endless && isAmbiguous(item.alternatives)) return text.slice(item.from, item.to)
    const inner = dangerIn(item.alternatives, text)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** Can a text be a repetition of these in more than one way? */
function isAmbiguous(alternatives: readonly (readonly Item[])[]): boolean {
  return (
    alternatives.some(divides) ||
    alternatives.some((one, index) => alternatives.slice(index + 1).some((other) => overlap(one, other)))
  )
}

/** `(a+)+`, `(a+b?)+`: what is around an endless part may be nothing, or more of the same. */
function divides(items: readonly Item[]): boolean {
  return items.some((item, index) => {
    if (
      item.kind === 'group' &&
      !item.takesNothing &&
      item.alternatives.length === 1 &&
      !item.repeats.endless
    ) {
      const flat = [...items.slice(0, index), ...(item.alternatives[0] ?? []), ...items.slice(index + 1)]
      return item.repeats.least === 1 && divides(flat)
    }
    if (!item.repeats.endless) return false
    const set = item.kind === 'set' ? item.has : firstOf(item)
    const others = items.filter((_, at) => at !== index)
    return set !== undefined && others.every((other) => isPassable(other, set))
  })
}

/** May it be nothing, or characters of the set? */
function isPassable(item: Item, set: Has): boolean {
  if (item.repeats.least === 0 || (item.kind === 'group' && item.takesNothing)) return true
  if (item.kind === 'set') return shares(item.has, set)
  return item.alternatives.some((items) => items.every((one) => isPassable(one, set)))
}

/** The characters of a group that is one set. */
function firstOf(item: Item): Has | undefined {
  if (item.kind === 'set') return item.has
  const [only, ...others] = item.alternatives
  const [first, ...more] = only ?? []
  return others.length === 0 && first && more.length === 0 ? firstOf(first) : undefined
}

/** `(a|a)*`, `(\w|\d)*`: alternatives of the same length that match the same text. */
function overlap(one: readonly Item[], other: readonly Item[]): boolean {
  if (one.length !== other.length || one.length === 0) return false
  return one.every((item, index) => {
    const against = other[index]
    if (item.kind !== 'set' || against?.kind !== 'set') return false
    const same =
      item.repeats.endless === against.repeats.endless && item.repeats.least === against.repeats.least
    return same && shares(item.has, against.has)
  })
}

function shares(one: Has, other: Has): boolean {
  for (const character of one) if (other.has(character)) return true
  return false
}
