import { validate, version } from 'uuid'
import { expect, it, vi } from 'vitest'
import { timeOrderedId } from './time-ordered-id.ts'

it('makes UUIDs of version 7, each greater than the one before, through every refill of the random pool', () => {
  const ids = Array.from({ length: 5000 }, timeOrderedId)
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true)
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  // The last 58 bits are random.
  expect(new Set(ids.map((id) => id.slice(-12))).size).toBe(ids.length)
})

it('goes on upwards when the clock is set back', () => {
  const before = timeOrderedId()
  const clock = vi.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000)
  try {
    const after = timeOrderedId()
    expect(after > before).toBe(true)
  } finally {
    clock.mockRestore()
  }
})
