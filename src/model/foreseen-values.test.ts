import { describe, expect, it } from 'vitest'
import { ForeseenValues } from './foreseen-values.ts'

describe('a value of which there is one only', () => {
  it('belongs to whom it was last written for, in its own property and of its own kind', () => {
    const values = new ForeseenValues()
    values.set('ann', { mail: 'a@x', number: 1, nick: null })
    expect(values.holderOf('mail', 'a@x')).toBe('ann')
    expect(values.holderOf('nick', 'a@x')).toBeUndefined()
    expect([values.holderOf('number', 1), values.holderOf('number', '1')]).toEqual(['ann', undefined])
    values.set('ann', { mail: 'b@x', number: 1 })
    values.set('bob', { mail: 'a@x' })
    expect([values.holderOf('mail', 'a@x'), values.holderOf('mail', 'b@x')]).toEqual(['bob', 'ann'])
    expect(values.givesUp('ann', 'mail', 'a@x')).toBe(true)
  })

  it('is free when its object is deleted, and what was foreseen before stays as it was', () => {
    const before = new ForeseenValues()
    before.set('ann', { mail: 'a@x' })
    const values = new ForeseenValues(before)
    expect(values.holderOf('mail', 'a@x')).toBe('ann')
    values.set('ann', undefined)
    expect([values.holderOf('mail', 'a@x'), values.isThere('ann')]).toEqual([undefined, false])
    expect([before.holderOf('mail', 'a@x'), before.isThere('ann')]).toEqual(['ann', true])
  })
})
