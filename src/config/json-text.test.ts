import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonText } from '../../scripts/json-text.ts'
import type { Json } from '../model/json.ts'

describe('JSON for people', () => {
  it('stands on one line where it fits, and is broken into members where it does not', () => {
    const long = 'x'.repeat(90)
    expect(jsonText({ a: [1, { b: 'c' }], d: {} })).toBe('{ "a": [1, { "b": "c" }], "d": {} }\n')
    expect(jsonText({ a: long, list: ['short', 1], more: [long, { b: null }] })).toBe(
      `{\n  "a": "${long}",\n  "list": ["short", 1],\n  "more": [\n    "${long}",\n    { "b": null }\n  ]\n}\n`,
    )
  })

  it('reads back as what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(jsonText(value as Json))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
