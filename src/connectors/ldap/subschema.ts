/** The schema that a server publishes (RFC 4512, section 4): what its types of attributes and its object classes are. */
export interface Subschema {
  /** By every name, in lower case. */
  readonly types: ReadonlyMap<string, AttributeDefinition>
  readonly classes: ReadonlyMap<string, ClassDefinition>
}

export interface AttributeDefinition {
  readonly name: string
  readonly syntax: string
  readonly equality: string | undefined
  readonly substrings: boolean
  readonly singleValue: boolean
  readonly operational: boolean
  readonly readOnly: boolean
}

export interface ClassDefinition {
  readonly name: string
  readonly superior: readonly string[]
  readonly kind: 'ABSTRACT' | 'STRUCTURAL' | 'AUXILIARY'
  readonly must: readonly string[]
  readonly may: readonly string[]
}

export function parseSubschema(types: readonly string[], classes: readonly string[]): Subschema {
  const parsed = types.map(parseDescription)
  const byName = new Map(
    parsed.flatMap((one) => keysOf(one).map((name): [string, Description] => [name, one])),
  )
  return {
    types: new Map(
      parsed.flatMap((one) => {
        const definition = attributeOf(one, byName)
        return keysOf(one).map((name): [string, AttributeDefinition] => [name, definition])
      }),
    ),
    classes: new Map(
      classes.map(parseDescription).flatMap((one) => {
        const definition = classOf(one)
        return keysOf(one).map((name): [string, ClassDefinition] => [name, definition])
      }),
    ),
  }
}

/** An object class and those that it extends, nearest first. */
export function lineage(
  schema: Subschema,
  name: string,
  seen = new Set<string>(),
): readonly ClassDefinition[] {
  const found = schema.classes.get(name.toLowerCase())
  if (!found || seen.has(found.name)) return []
  seen.add(found.name)
  return [found, ...found.superior.flatMap((superior) => lineage(schema, superior, seen))]
}

/** `( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )`: the words, and what stands after each. */
interface Description {
  readonly id: string
  readonly words: ReadonlyMap<string, readonly string[]>
}

const flags: ReadonlySet<string> = new Set([
  'SINGLE-VALUE',
  'COLLECTIVE',
  'NO-USER-MODIFICATION',
  'OBSOLETE',
  'ABSTRACT',
  'STRUCTURAL',
  'AUXILIARY',
])

function parseDescription(text: string): Description {
  const tokens = [...text.matchAll(/'((?:[^'\\]|\\.)*)'|[()$]|[^\s()$']+/g)].map(
    (match) => match[1] ?? match[0],
  )
  const words = new Map<string, readonly string[]>()
  let at = 2
  while (at < tokens.length - 1) {
    const word = tokens[at++] ?? ''
    if (flags.has(word)) words.set(word, [])
    else if (tokens[at] === '(') {
      const closed = tokens.indexOf(')', at)
      // A list that is never closed ends with its definition.
      const end = closed < 0 ? tokens.length : closed
      words.set(
        word,
        tokens.slice(at + 1, end).filter((token) => token !== '$'),
      )
      at = end + 1
    } else words.set(word, [tokens[at++] ?? ''])
  }
  return { id: tokens[1] ?? '', words }
}

function keysOf({ id, words }: Description): readonly string[] {
  return [...(words.get('NAME') ?? []), id].map((name) => name.toLowerCase())
}

function attributeOf(one: Description, all: ReadonlyMap<string, Description>): AttributeDefinition {
  const inherited = (word: string, from = one, depth = 0): string | undefined => {
    const own = from.words.get(word)?.[0]
    const superior = all.get(from.words.get('SUP')?.[0]?.toLowerCase() ?? '')
    return own ?? (superior && depth < 20 ? inherited(word, superior, depth + 1) : undefined)
  }
  return {
    name: one.words.get('NAME')?.[0] ?? one.id,
    syntax: (inherited('SYNTAX') ?? '').replace(/\{\d+\}$/, ''),
    equality: inherited('EQUALITY'),
    substrings: inherited('SUBSTR') !== undefined,
    singleValue: one.words.has('SINGLE-VALUE'),
    operational: /operation$/i.test(one.words.get('USAGE')?.[0] ?? ''),
    readOnly: one.words.has('NO-USER-MODIFICATION'),
  }
}

function classOf({ id, words }: Description): ClassDefinition {
  const kind = (['ABSTRACT', 'AUXILIARY'] as const).find((one) => words.has(one)) ?? 'STRUCTURAL'
  return {
    name: words.get('NAME')?.[0] ?? id,
    superior: words.get('SUP') ?? [],
    kind,
    must: words.get('MUST') ?? [],
    may: words.get('MAY') ?? [],
  }
}
