/** Pieces of SQL with their bound parameters, in order. Only what this folder writes itself becomes text. */
export interface Fragment {
  readonly sql: string
  readonly parameters: readonly Parameter[]
}

export type Parameter = string | number | null

export function fragment(sql: string, ...parameters: readonly Parameter[]): Fragment {
  return { sql, parameters }
}

export function all(parts: readonly Fragment[]): Fragment {
  return joined(parts, 'AND', '1')
}

export function any(parts: readonly Fragment[]): Fragment {
  return joined(parts, 'OR', '0')
}

/** Text as an SQL literal, for index expressions, where nothing can be bound. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** Joined as a balanced tree: SQLite limits the depth of an expression, not its width. */
function joined(parts: readonly Fragment[], word: 'AND' | 'OR', none: string): Fragment {
  const [first, ...others] = parts
  if (!first) return fragment(none)
  if (others.length === 0) return first
  const middle = parts.length >> 1
  const left = joined(parts.slice(0, middle), word, none)
  const right = joined(parts.slice(middle), word, none)
  return fragment(`(${left.sql} ${word} ${right.sql})`, ...left.parameters, ...right.parameters)
}
