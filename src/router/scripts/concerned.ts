/**
 * May an expression be found in the path of a set, or of one of its objects? Yes, unless its beginning says otherwise: the
 * ids of objects are not known beforehand.
 */
export function mayConcern(pattern: string | undefined, set: string): boolean {
  const beginning = literalBeginning(pattern ?? '')
  if (beginning === undefined) return true
  const within = `${set}/`
  return beginning.startsWith(within) || within.startsWith(beginning)
}

/** What every match begins with; undefined if that cannot be told. */
function literalBeginning(pattern: string): string | undefined {
  if (!pattern.startsWith('^') || /\|/.test(pattern.replace(/\([^()]*\)/g, ''))) return undefined
  const [literal = ''] = /^[\w/-]*/.exec(pattern.slice(1)) ?? []
  const next = pattern.charAt(1 + literal.length)
  // A character that is repeated, or may be left out, is not certain.
  return /[?*{+]/.test(next) ? literal.slice(0, -1) : literal
}
