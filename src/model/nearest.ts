/**
 * What a person probably meant: the nearest of the right names. Letter case and two swapped neighbours count as
 * small errors, since people make them most.
 */

/** The nearest candidate, if it is near enough. */
export function nearest(found: string, candidates: readonly string[]): string | undefined {
  return nearestWithin(found, candidates, ({ length }) =>
    Math.min(length - 1, Math.max(2, Math.floor(length / 3))),
  )
}

/**
 * A known name of which `found` is a probable misspelling; stricter than `nearest`, because unknown names are allowed
 * and short ones are near to everything.
 */
export function nearMiss(found: string, known: readonly string[]): string | undefined {
  return nearestWithin(found, known, (candidate) => (Math.min(found.length, candidate.length) <= 4 ? 1 : 2))
}

/** What a finding says about a name that is not allowed. `fact`: the beginning of its message; `choices`: the end. */
export function notAllowed(
  fact: string,
  found: string,
  allowed: readonly string[],
  choices = `Allowed: ${allowed.join(', ')}`,
  suggestion = nearest(found, allowed),
) {
  const meant = suggestion === undefined ? '.' : `; did you mean ${suggestion}?`
  return { message: `${fact}${meant} ${choices}`, found, allowed, suggestion }
}

function nearestWithin(
  found: string,
  candidates: readonly string[],
  limit: (candidate: string) => number,
): string | undefined {
  let best: { readonly name: string; readonly slips: number } | undefined
  for (const name of candidates) {
    const slips = slipsBetween(found.toLowerCase(), name.toLowerCase())
    if (slips <= limit(name) && slips < (best?.slips ?? Number.POSITIVE_INFINITY)) best = { name, slips }
  }
  return best?.name
}

function slipsBetween(a: string, b: string): number {
  return isSwap(a, b) ? 1 : distance(a, b)
}

function isSwap(a: string, b: string): boolean {
  if (a.length !== b.length || a === b) return false
  let i = 0
  while (a[i] === b[i]) i++
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2)
}

/** How many letters to add, remove or replace. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const [replaced = 0, dropped = 0, added = 0] = [row[j], row[j + 1], next[j]]
      next.push(Math.min(replaced + (letter === other ? 0 : 1), dropped + 1, added + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
