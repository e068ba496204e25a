import { describe, expect, it } from 'vitest'
import { recordedChanges } from './recorded-changes.ts'
import { mask } from './secrecy.ts'

const change = (
  name: string,
  before: never | string | null | undefined,
  after: string | null | undefined,
) => ({
  pointer: [name],
  before,
  after,
})

describe('recorded changes', () => {
  it('have the values before and after, as far as there were any', () => {
    const changes = [
      change('a', 'old', 'new'),
      change('b', undefined, 'new'),
      change('c', 'old', null),
      change('d', undefined, null),
    ]
    expect(recordedChanges(changes, undefined)).toEqual({
      '/a': { before: 'old', after: 'new' },
      '/b': { after: 'new' },
      '/c': { before: 'old' },
    })
  })

  it('keep secrets to themselves, and of long values the length', () => {
    const long = 'x'.repeat(5000)
    expect(
      recordedChanges(
        [change('pin', 'a', 'b'), change('photo', undefined, long)],
        ([name]) => name === 'pin',
      ),
    ).toEqual({
      '/pin': { before: mask, after: mask },
      '/photo': { after: '(5000 characters)' },
    })
  })
})
