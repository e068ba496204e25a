/**
 * How many examples a law is tried on: `all`, or with `npm test -- --fast` a tenth of them, because a law that was broken
 * a minute ago mostly fails in the first few.
 */
export function runs(all: number): { readonly numRuns: number } {
  return { numRuns: process.env.SYNCLINE_TEST_FAST ? Math.ceil(all / 10) : all }
}
