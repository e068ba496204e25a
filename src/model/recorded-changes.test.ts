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
  it('have the values before and after; null, an empty text, an empty list and none at all are told apart', () => {
    const values = [null, '', [], undefined, 'x']
    const changes = values.flatMap((before, i) =>
      values.flatMap((after, j) => (i === j ? [] : [{ pointer: [`${i}${j}`], before, after }])),
    )
    const found = recordedChanges(changes)
    expect(found['/30']).toBeUndefined()
    expect(found['/03']).toBeUndefined()
    expect(found['/01']).toEqual({ before: null, after: '' })
    expect(found['/31']).toEqual({ after: '' })
    expect(found['/12']).toEqual({ before: '', after: [] })
    expect(found['/40']).toEqual({ before: 'x', after: null })
    expect(found['/43']).toEqual({ before: 'x' })
    const texts = Object.values(found).map((one) => JSON.stringify(one))
    expect(new Set(texts).size).toBe(texts.length)
  })

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
      '/c': { before: 'old', after: null },
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
