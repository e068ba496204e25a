import { describe, expect, it } from 'vitest'
import type { Json } from './json.ts'
import { mask, maskChanges } from './masking.ts'

describe('changes that are shown or kept', () => {
  it.each<[string, string[], Json]>([
    ['is called a password', ['password'], 'open sesame'],
    ['is called a password further down', ['accounts', 'userPasswd'], 'open sesame'],
    ['is called a secret', ['clientSecret'], 'open sesame'],
    ['is encrypted', ['any'], { $crypto: { value: { data: 'open sesame' } } }],
    ['is secret to its object set', ['pin'], 'open sesame'],
  ])('do not tell the value of what %s, only that it changes', (_what, pointer, after) => {
    const shown = maskChanges([{ pointer, before: undefined, after }], ([name]) => name === 'pin')
    expect(JSON.stringify(shown)).not.toContain('open sesame')
    expect(shown).toEqual([{ pointer, before: undefined, after: mask }])
  })

  it('do not tell the value that was there before either', () => {
    const [shown] = maskChanges([{ pointer: ['password'], before: 'old', after: null }])
    expect(shown).toEqual({ pointer: ['password'], before: mask, after: null })
  })

  it('are otherwise as they are', () => {
    const changes = [{ pointer: ['name'], before: 'a', after: 'b' }]
    expect(maskChanges(changes)).toEqual(changes)
  })
})
