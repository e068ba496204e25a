/**
 * Can an expression match the path of a set, or of one of its objects? Yes, unless its literal beginning excludes that:
 * the ids of objects are not known in advance.
 */
export function mayConcern(pattern: string | undefined, set: string): boolean {
  const beginning = literalBeginning(pattern ?? '')
  if (beginning === undefined) return true
  const within = `${set}/`
  return beginning.startsWith(within) || within.startsWith(beginning)
}

/** The text that every match begins with; undefined if unknown. */
function literalBeginning(pattern: string): string | undefined {
  if (!pattern.startsWith('^') || /\|/.test(pattern.replace(/\([^()]*\)/g, ''))) return undefined
  const [literal = ''] = /^[\w/-]*/.exec(pattern.slice(1)) ?? []
  const next = pattern.charAt(1 + literal.length)
  // A character that may be repeated or absent is not part of it.
  return /[?*{+]/.test(next) ? literal.slice(0, -1) : literal
}
