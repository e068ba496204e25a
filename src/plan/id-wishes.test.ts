import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type IdWish, refusedWishes } from './id-wishes.ts'

/** `a>b`: who has a wants b; `>b`: somebody new does. All of `taken` are in use. */
function wishes(taken: string, ...page: readonly string[]): readonly IdWish[] {
  return page.map((move) => {
    const [leaves, wants = ''] = move.split('>')
    return { wants, leaves: leaves || undefined, isTaken: taken.includes(wants) }
  })
}

const refused = (page: readonly IdWish[], exchanges: boolean) =>
  [...refusedWishes(page, exchanges).keys()].sort()

describe('ids of a page', () => {
  it.each<[string, readonly IdWish[], number[], number[]]>([
    ['are given where they are free', wishes('a', 'a>b', '>c'), [], []],
    ['stay with those that no operation is about', wishes('ab', 'a>b'), [0], [0]],
    ['are swapped', wishes('ab', 'a>b', 'b>a'), [], [0, 1]],
    ['rotate', wishes('abc', 'a>b', 'b>c', 'c>a'), [], [0, 1, 2]],
    ['are handed on to those in front', wishes('ab', 'a>b', 'b>c'), [], [0]],
    ['are handed on to those behind', wishes('ab', 'b>c', 'a>b'), [], []],
    ['are handed on to somebody new', wishes('a', '>a', 'a>b'), [], [0]],
    ['are given to the first that wants one', wishes('ab', 'a>c', 'b>c'), [1], [1]],
    [
      'stay with all along a chain whose end is taken',
      wishes('abcd', 'a>b', 'b>c', 'c>d'),
      [0, 1, 2],
      [0, 1, 2],
    ],
    [
      'stay with all behind the one that is refused',
      wishes('abcd', 'c>d', 'b>c', '>b'),
      [0, 1, 2],
      [0, 1, 2],
    ],
    ['are swapped beside a chain that is refused', wishes('abcd', 'a>b', 'c>d', 'b>a'), [1], [0, 1, 2]],
    [
      'are given to nobody else once the first was refused',
      wishes('abcd', 'a>b', 'c>b', 'b>d'),
      [0, 1, 2],
      [0, 1, 2],
    ],
  ])('%s', (_what, page, together, inOrder) => {
    expect(refused(page, true)).toEqual(together)
    expect(refused(page, false)).toEqual(inOrder)
  })

  it('are refused with the one that gets them, if that is one of the page', () => {
    const page = wishes('abcd', 'a>x', 'b>x', 'c>d')
    expect([...refusedWishes(page, true)]).toEqual([
      [1, 0],
      [2, undefined],
    ])
  })

  it('come to a state without doubles, whoever wants what', () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    const moves = fc.uniqueArray(
      fc.record({
        leaves: fc.option(fc.constantFrom(...ids), { nil: undefined }),
        wants: fc.constantFrom(...ids),
      }),
      { selector: ({ leaves }) => leaves ?? Symbol('new'), maxLength: 8 },
    )
    fc.assert(
      fc.property(moves, fc.subarray(ids), fc.boolean(), (page, others, exchanges) => {
        const moving = page.filter(({ leaves, wants }) => leaves !== wants)
        const leaving = moving.flatMap(({ leaves }) => leaves ?? [])
        const before = new Set([...others, ...leaving])
        const asked = moving.map((one) => ({ ...one, isTaken: before.has(one.wants) }))
        const no = refusedWishes(asked, exchanges)
        const held = [
          ...others.filter((id) => !leaving.includes(id)),
          ...asked.flatMap(({ leaves, wants }, place) => (no.has(place) ? (leaves ?? []) : wants)),
        ]
        expect(new Set(held).size).toBe(held.length)
        if (exchanges) return
        const now = new Set(before)
        for (const [place, { leaves, wants }] of asked.entries()) {
          if (no.has(place)) continue
          expect(now.has(wants)).toBe(false)
          if (leaves !== undefined) now.delete(leaves)
          now.add(wants)
        }
      }),
    )
  })
})
