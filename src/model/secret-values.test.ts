import { describe, expect, it } from 'vitest'
import { mask } from './secrecy.ts'
import { SecretValues } from './secret-values.ts'

const isSecret = ([name = '', inner]: readonly string[]) =>
  name === 'pin' || name === 'code' || (name === 'door' && (inner === undefined || inner === 'key'))

describe('a value', () => {
  const secrets = new SecretValues()
  secrets.addFrom(
    {
      ...{ _id: 'ann', cn: 'Ann Smith', pin: 'Geheim-1x', code: 42 },
      door: { key: ['top', 'drawer'], name: 'front' },
      sealed: { $crypto: { value: 'none' } },
    },
    isSecret,
  )
  it.each([
    ['is a secret', 'Geheim-1x', true],
    ['contains one', '"Geheim-1x"', true],
    ['contains one somewhere', { a: ['x', 'pre Geheim-1x post'] }, true],
    ['is a number that is one', 42, true],
    ['is the text of a number that is one', '42', true],
    ['contains one of few characters', 'room 4200', false],
    ['is one of several', 'top', true],
    ['is beside a secret', 'front', false],
    ['is none', 'Ann Smith', false],
    ['is empty', '', false],
    ['is missing', undefined, false],
  ])('that %s', (_, value, expected) => {
    expect(secrets.areIn(value)).toBe(expected)
  })
})

describe('a text that is shown', () => {
  const secrets = new SecretValues(['Geheim-1x', { pin: 42 }])
  it.each([
    ['in JSON', (text: string) => JSON.stringify({ a: [text] })],
    ['in a URL', (text: string) => `https://x/?q=${encodeURIComponent(text)}`],
    ['in Base64', (text: string) => Buffer.from(text).toString('base64')],
    ['in Base64 behind one byte', (text: string) => Buffer.from(`u${text}`).toString('base64')],
    ['in Base64 between others', (text: string) => Buffer.from(`ab${text}:zz`).toString('base64')],
    ['as a part', (text: string) => `<${text}>`],
  ])('hides one with quotes, percents and letters of any language %s', (_where, carried) => {
    for (const text of ['Sch"luss\\el-1', '100%41%zz', 'pässwört€😀', '{"a":["b"]}']) {
      const shown = new SecretValues([text]).hiddenIn(carried(text))
      expect(shown).toContain(mask)
      expect(shown).not.toContain(text)
      expect(new SecretValues([text]).areIn(carried(text))).toBe(true)
    }
  })

  it.each([
    ['cannot take Geheim-1x, nor Geheim-1x', `cannot take ${mask}, nor ${mask}`],
    ['42', mask],
    ['room 42', 'room 42'],
    ['nothing', 'nothing'],
  ])('%s hides secrets', (text, shown) => {
    expect(secrets.hiddenIn(text)).toBe(shown)
  })
})
