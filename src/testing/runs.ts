/**
 * How many examples a law is tried on: `all`, or with `npm test -- --fast` a tenth of them and no more than 25, because a law that was broken
 * a minute ago mostly fails in the first few.
 */
export function runs(all: number): { readonly numRuns: number } {
  return { numRuns: process.env.SYNCLINE_TEST_FAST ? Math.min(25, Math.max(3, Math.ceil(all / 10))) : all }
}
