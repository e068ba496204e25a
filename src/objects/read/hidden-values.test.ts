import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { eachElement, type Step } from '../type/places.ts'
import { notNamed, withHiddenValues } from './hidden-values.ts'

const hidden: readonly (readonly Step[])[] = [['pin'], ['home', 'code'], ['cards', eachElement, 'number']]
const stored: JsonObject = {
  pin: '1',
  home: { city: 'Ulm', code: '2' },
  cards: [
    { kind: 'a', number: '11' },
    { kind: 'b', number: '22' },
  ],
}
const written = (wanted: JsonObject) => withHiddenValues(wanted, stored, hidden)

describe('what is hidden from the caller who writes', () => {
  it('stays where he says nothing of it', () => {
    expect(written({ home: { city: 'Bonn' } })).toEqual({ pin: '1', home: { city: 'Bonn', code: '2' } })
  })
  it('is his where he does', () => {
    expect(written({ pin: '9', home: { code: null } })).toEqual({ pin: '9', home: { code: null } })
  })
  it('goes with the object that it is in', () => {
    expect(written({ pin: '1' })).toEqual({ pin: '1' })
    expect(written({ home: 'none' })).toEqual({ pin: '1', home: 'none' })
  })
  it.each([
    ['moves with its element', [{ kind: 'b' }, { kind: 'a' }], ['22', '11']],
    ['stays with an element when another goes', [{ kind: 'b' }], ['22']],
    [
      'stays with an element when another comes',
      [{ kind: 'c' }, { kind: 'a' }, { kind: 'b' }],
      [undefined, '11', '22'],
    ],
    ['stays in its place when an element is changed', [{ kind: 'a' }, { kind: 'B' }], ['11', '22']],
    ['is never given to an element that cannot be identified', [{ kind: 'x' }], [undefined]],
  ])('%s', (_what, cards, numbers) => {
    const result = written({ cards }) as { cards: { number?: string }[] }
    expect(result.cards.map(({ number }) => number)).toEqual(numbers)
  })
  it('is what a patch means if it names it', () => {
    expect(notNamed(hidden, [['home']])).toEqual(hidden)
    expect(notNamed(hidden, [['home', 'code'], ['pin']])).toEqual([['cards', eachElement, 'number']])
  })
})
