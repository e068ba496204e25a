/** The keys that say which objects a query is about, of which it needs exactly one. */
const restrictions = ['_queryFilter', '_queryId', '_queryExpression']

/** Why a query without any of them is none; a key that was probably meant to be one is named beside it. */
export function withoutRestriction(keys: readonly string[]): string {
  const message = 'exactly one of _queryFilter, _queryId and _queryExpression is needed, not none'
  for (const key of keys) {
    const meant = restrictions.find((one) => one !== key && bare(one) !== key && isNear(bare(key), bare(one)))
    if (meant) return `${message}; did you mean ${meant} instead of ${key}?`
  }
  return message
}

function bare(key: string): string {
  return key.replace(/^_+/, '')
}

/** Letter case is no difference; half of a name, such as `filter`, is near enough. */
function isNear(found: string, name: string): boolean {
  const [a, b] = [found.toLowerCase(), name.toLowerCase()]
  return a === b.replace('query', '') || distance(a, b) <= (b.length > 8 ? 3 : 1)
}

/** Letters to add, drop or replace. */
function distance(a: string, b: string): number {
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
