import { expect, it } from 'vitest'
import { figures } from '../scripts/figures.ts'

/** What keeps the sources readable, as numbers; `npm run figures` prints them all. */
const { castsPerThousandLines, anys, longestFiles, longestFunctions } = figures()

const beyond = (places: typeof longestFiles, limit: number) =>
  places
    .filter(({ lines }) => lines > limit)
    .map(({ file, name, lines }) => `${file} ${name}: ${lines} lines`)

it('has no file above 400 lines', () => {
  expect(beyond(longestFiles, 400)).toEqual([])
})

it('has no function above 60 lines', () => {
  expect(beyond(longestFunctions, 60)).toEqual([])
})

it('has at most 6 casts in a thousand lines, and no any', () => {
  expect(castsPerThousandLines).toBeLessThanOrEqual(6)
  expect(anys).toEqual([])
})
