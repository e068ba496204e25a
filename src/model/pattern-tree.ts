/**
 * Regular expressions as trees, for those who judge them: one reader, whatever is asked of the pattern. Pure. It is for patterns that
 * compile; what one means that does not is not said.
 */

export interface Repeats {
  readonly least: number
  /** Infinite: without an end. */
  readonly most: number
}

export interface Group {
  readonly kind: 'group'
  readonly alternatives: readonly Sequence[]
  readonly repeats: Repeats
  /** Where it stands, with its repetition. */
  readonly from: number
  readonly to: number
  /** Looks ahead or behind: it takes no characters. */
  readonly takesNothing: boolean
}

/** One character: written as itself, escaped, or as a class. */
export interface Characters {
  readonly kind: 'characters'
  readonly text: string
  readonly repeats: Repeats
}

export type Item =
  | Group
  | Characters
  /** What a group has matched, once more. */
  | { readonly kind: 'reference' }
  /** The begin or end of the text, of a line or a word. */
  | { readonly kind: 'border' }

export type Sequence = readonly Item[]

export function patternTree(pattern: string): readonly Sequence[] {
  const reader = { text: pattern, at: 0 }
  const alternatives = [...alternativesOf(reader)]
  // A closing bracket without an opening one is a character.
  while (reader.at < pattern.length) {
    reader.at++
    alternatives.push(...alternativesOf(reader))
  }
  return alternatives
}

interface Reader {
  readonly text: string
  at: number
}

function alternativesOf(reader: Reader): readonly Sequence[] {
  const alternatives: Item[][] = [[]]
  while (reader.at < reader.text.length && reader.text[reader.at] !== ')') {
    if (reader.text[reader.at] === '|') {
      reader.at++
      alternatives.push([])
    } else alternatives.at(-1)?.push(itemIn(reader))
  }
  return alternatives
}

function itemIn(reader: Reader): Item {
  if (reader.text[reader.at] === '(') return groupIn(reader)
  const text = unit.exec(reader.text.slice(reader.at))?.[0] ?? ''
  reader.at += Math.max(1, text.length)
  const repeats = repeatsIn(reader)
  if (/^(?:\^|\$|\\[bB])$/.test(text)) return { kind: 'border' }
  if (/^(?:\\[1-9]\d*|\\k<.*)$/.test(text)) return { kind: 'reference' }
  return { kind: 'characters', text, repeats }
}

const unit =
  /^(?:\[(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\k<[^>]*>|\\[1-9]\d*|\\.|.)/su

function groupIn(reader: Reader): Group {
  const from = reader.at
  const head = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z-]*:))?/.exec(reader.text.slice(from))?.[0] ?? '('
  reader.at += head.length
  const alternatives = alternativesOf(reader)
  reader.at++
  const repeats = repeatsIn(reader)
  return { kind: 'group', alternatives, repeats, from, to: reader.at, takesNothing: /[=!]$/.test(head) }
}

function repeatsIn(reader: Reader): Repeats {
  const [written, least, comma, most] =
    /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(reader.text.slice(reader.at)) ?? []
  if (written === undefined) return { least: 1, most: 1 }
  reader.at += written.length
  if (least === undefined)
    return { least: written.startsWith('+') ? 1 : 0, most: written.startsWith('?') ? 1 : Infinity }
  const end = comma === ',' ? (most === '' ? Infinity : Number(most)) : Number(least)
  return { least: Number(least), most: end }
}
