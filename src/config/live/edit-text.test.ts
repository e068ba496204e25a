import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { runs } from '../../testing/runs.ts'
import { editedText } from './edit-text.ts'

const text = `{
    "mappings": [
        { "name": "a", "source": "managed/user",   "target": "system/x/account" },
        { "name": "b", "source": "managed/role", "target": "system/y/account",
          "properties": [ { "source": "sn",  "target": "sn" } ] }
    ],
    "comment": "by hand"
}
`
const content = () => JSON.parse(text)

describe('a file that is given other content', () => {
  it('keeps the layout of what stays', () => {
    const changed = content()
    changed.mappings[1].target = 'system/z/account'
    expect(editedText(text, changed)).toBe(text.replace('system/y/account', 'system/z/account'))
  })

  it('gets what is new at its end, and loses what has gone', () => {
    const changed = content()
    changed.mappings.push({ name: 'c' })
    delete changed.comment
    const edited = editedText(text, changed)
    expect(edited).toContain('"name": "a", "source": "managed/user",   "target"')
    expect(JSON.stringify(JSON.parse(edited))).toBe(JSON.stringify(changed))
  })

  it('is the same text if the content is the same', () => {
    expect(editedText(text, content())).toBe(text)
  })

  it('is written anew where members stand in another order, in the same indentation', () => {
    const { mappings, comment } = content()
    const edited = editedText(text, { comment, mappings })
    expect(edited).toMatch(/^\{\n {4}"comment"/)
    expect(edited).toMatch(/\}\n$/)
  })

  it('is written anew where it could not be read, or was not there', () => {
    expect(editedText(undefined, { a: 1 })).toBe('{\n  "a": 1\n}\n')
    expect(editedText('{ "a": ', { a: 1 })).toBe('{\n  "a": 1\n}\n')
  })

  it.each([
    { text: '{"b":[null,null],"c":null}', after: { c: {}, b: [] } },
    { text: '{"b":[1,[2,3]],"c":null}', after: { b: [1], c: null }, edited: '{"b":[1],"c":null}' },
    { text: '{"b":[\n  1,\n  2\n]}', after: { b: [1] }, edited: '{"b":[\n  1\n]}' },
    { text: '{"b":[\n  1,\n  2\n]}', after: { b: [] }, edited: '{"b":[]}' },
    { text: '{"b":"first","b":[1]}', after: { b: [2] } },
    { text: '{"b":[],"b":{"c":1}}', after: { b: { c: 2 } } },
  ])('becomes $after from $text', ({ text, after, edited }) => {
    const found = editedText(text, after)
    expect(JSON.stringify(JSON.parse(found))).toBe(JSON.stringify(after))
    if (edited !== undefined) expect(found).toBe(edited)
  })

  it('always comes to exactly that content', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'name', '', 'ä"\\')
    const { object } = fc.letrec<{ value: unknown; object: JsonObject }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 1, 'x', 'y\n'),
        fc.array(tie('value'), { maxLength: 4 }),
        tie('object'),
      ),
      object: fc.dictionary(key, tie('value'), { maxKeys: 4 }) as fc.Arbitrary<JsonObject>,
    }))
    fc.assert(
      fc.property(object, object, fc.constantFrom(undefined, 2, 4, '\t'), (before, after, indentation) => {
        const edited = editedText(JSON.stringify(before, undefined, indentation), after)
        expect(JSON.stringify(JSON.parse(edited))).toBe(JSON.stringify(after))
      }),
      runs(500),
    )
  })
})
