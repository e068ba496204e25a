import { expect, it } from 'vitest'
import { Sampling } from './sampling.ts'

function clocked() {
  let time = 0
  return { sampling: new Sampling(() => time), pass: (milliseconds: number) => (time += milliseconds) }
}

it('a burst is recorded, then so many an hour, with the number of those that were left out', () => {
  const { sampling, pass } = clocked()
  const burst = Array.from({ length: 700 }, () => sampling.take())
  expect(burst.filter((leftOut) => leftOut === 0)).toHaveLength(500)
  expect(burst.slice(500)).toEqual(Array(200).fill(undefined))
  pass(6_000)
  expect([sampling.take(), sampling.take()]).toEqual([200, undefined])
  pass(6_000)
  expect(sampling.take()).toBe(1)
})

it('a day of requests leaves no more than a burst and a day’s share', () => {
  const { sampling, pass } = clocked()
  let recorded = 0
  for (let request = 0; request < 864_000; request++) {
    pass(100)
    if (sampling.take() !== undefined) recorded++
  }
  expect(recorded).toBeLessThanOrEqual(500 + 24 * 600)
})
