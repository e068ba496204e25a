import { describe, expect, it } from 'vitest'
import { type Move, movesDone } from './resolve-moves.ts'

/** `a>b`, `>b`: somebody new; `a>b+`: shows that it has moved, `a>b-` that it has not. */
function moves(...texts: readonly string[]): readonly Move[] {
  return texts.map((text) => {
    const [, from = '', to = '', sign = ''] = /^(.?)>(.)(.?)$/.exec(text) ?? []
    return { from: from || null, to, shows: sign === '+' ? 'moved' : sign === '-' ? 'stayed' : undefined }
  })
}

const done = (page: readonly Move[], present: string) => movesDone(page, (id) => present.includes(id))

describe('moves of a page that broke off', () => {
  it.each<[string, readonly Move[], string, readonly (boolean | undefined)[]]>([
    [
      'that depend on no other one are left to what is there',
      moves('a>b', 'c>d'),
      'bc',
      [undefined, undefined],
    ],
    ['in a row: none, while the last id is free', moves('a>b', 'b>c'), 'ab', [false, false]],
    ['in a row: all, when the first is free', moves('a>b', 'b>c'), 'bc', [true, true]],
    ['in a row, whatever their order', moves('b>c', 'c>d', 'a>b'), 'bcd', [true, true, true]],
    ['in a row: those behind the free one', moves('a>b', 'b>c', 'c>d'), 'abd', [false, false, true]],
    ['to somebody new: none', moves('>a', 'a>b'), 'a', [false, false]],
    ['to somebody new: the last only', moves('>a', 'a>b'), 'b', [false, true]],
    ['to somebody new: all', moves('>a', 'a>b'), 'ab', [true, true]],
    ['in a row, of which others have deleted one', moves('a>b', 'b>c'), 'b', [undefined, undefined]],
    ['in a round that has moved', moves('a>b+', 'b>a+'), 'ab', [true, true]],
    ['in a round that has not', moves('a>b-', 'b>a-'), 'ab', [false, false]],
    ['in a round of which one shows nothing', moves('a>b', 'b>c+', 'c>a'), 'abc', [true, true, true]],
    ['in a round of which none shows anything', moves('a>b', 'b>a'), 'ab', [false, false]],
    ['in two rounds', moves('a>b+', 'c>d-', 'b>a', 'd>c-'), 'abcd', [true, false, true, false]],
  ])('%s', (_what, page, present, expected) => {
    expect(done(page, present)).toEqual(expected)
  })
})
