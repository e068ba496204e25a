/** No try is put off longer than this, in ms. */
const longest = 5 * 60_000

/**
 * How long to wait after the `attempts`th failure, in ms: twice as long each time, and a little more or less than that, so
 * that what failed together does not come back together.
 */
export function backoff(attempts: number, delay: number, random: () => number = Math.random): number {
  const grown = Math.min(longest, delay * 2 ** Math.min(attempts - 1, 30))
  return Math.round(grown * (0.8 + 0.4 * random()))
}
