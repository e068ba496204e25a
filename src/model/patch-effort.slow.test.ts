/** Slow: what it takes until ten million values have been copied or compared. */
import { describe, expect, it } from 'vitest'
import { applyPatch, parsePatch } from './patch.ts'

describe('a patch that would not end is refused', () => {
  const list = (length: number) => Array.from({ length }, (_, index) => index)

  it.each([
    [
      'a list copied a million times',
      { a: list(100) },
      Array.from({ length: 200_000 }, (_, n) => ({ operation: 'copy', from: '/a', field: `/b${n}` })),
    ],
    [
      'a long list looked through thousands of times',
      { a: list(20_000) },
      Array.from({ length: 1000 }, () => ({ operation: 'remove', field: '/a', value: -1 })),
    ],
  ])('%s', (_what, object, operations) => {
    expect(() => applyPatch(object, parsePatch(operations))).toThrow(
      expect.objectContaining({ code: 'BAD_PATCH' }),
    )
  })
})
