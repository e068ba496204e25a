import { expect, it } from 'vitest'
import { lockKey } from './source-locks.ts'

it('are of a link set, a qualifier and a source id, which may contain anything', () => {
  const keys: [string, string, string][] = [
    ['a', 'b', 'c'],
    ['a', 'bc', ''],
    ['a,b', '', 'c'],
    ['a","b', 'c', ''],
  ]
  expect(new Set(keys.map((parts) => lockKey(...parts))).size).toBe(keys.length)
})
