import { describe, expect, it } from 'vitest'
import { parseFilter } from '../model/filter/parse.ts'
import type { JsonObject } from '../model/json.ts'
import { parsePointer } from '../model/pointer.ts'
import { type Call, noScripts } from './call.ts'
import type { PropertyMapping } from './mapping.ts'
import { applyProperties } from './properties.ts'

type Sketch = {
  source?: string
  target: string
  condition?: string
  transform?: string
  default?: PropertyMapping['default']
}

function property({ source, target, condition, transform, default: value }: Sketch): PropertyMapping {
  return {
    target: parsePointer(target),
    source: source === undefined ? undefined : parsePointer(source),
    condition: condition === undefined ? undefined : { kind: 'filter', filter: parseFilter(condition) },
    transform,
    default: value,
  }
}

const person = {
  _id: 'u-1',
  givenName: 'Zoë',
  name: { family: "O'Brien" },
  mails: ['z@example.com'],
  phone: null,
}

function mapped(sketches: readonly Sketch[], target: JsonObject = {}, call: Call = noScripts): JsonObject {
  applyProperties(sketches.map(property), target, { source: person, linkQualifier: 'default' }, call)
  return target
}

/** engine §2.4: the table of what a value becomes on create and on update. */
const table: [what: string, sketch: Sketch, created: JsonObject, updated: JsonObject][] = [
  ['a condition that is false', { source: 'givenName', target: 'a', condition: 'false' }, {}, { a: 'old' }],
  ['null and no default', { source: 'phone', target: 'a' }, { a: null }, { a: null }],
  ['a missing value and no default', { source: 'nothing', target: 'a' }, { a: null }, { a: null }],
  ['null and a default', { source: 'phone', target: 'a', default: 'N/A' }, { a: 'N/A' }, { a: 'N/A' }],
  ['a value and a default', { source: 'givenName', target: 'a', default: 'N/A' }, { a: 'Zoë' }, { a: 'Zoë' }],
  ['no source at all', { target: 'a', default: 7 }, { a: 7 }, { a: 7 }],
  ['another target property', { source: 'givenName', target: 'b' }, { b: 'Zoë' }, { a: 'old', b: 'Zoë' }],
]

describe('a property mapping', () => {
  it.each(table)('with %s: %o', (_what, sketch, created, updated) => {
    expect(mapped([sketch])).toEqual(created)
    expect(mapped([sketch], { a: 'old' })).toEqual(updated)
  })

  it.each([
    ['givenName', 'Zoë'],
    ['/givenName', 'Zoë'],
    ['name/family', "O'Brien"],
    ['/name/family/', "O'Brien"],
    ['mails/0', 'z@example.com'],
    ['name.family', null],
  ])('reads the pointer %s as %o', (source, value) => {
    expect(mapped([{ source, target: 'a' }])).toEqual({ a: value })
  })

  it('creates missing parents of its target, and replaces a null one', () => {
    expect(mapped([{ source: 'givenName', target: 'x/y/z' }])).toEqual({ x: { y: { z: 'Zoë' } } })
    expect(mapped([{ source: 'givenName', target: 'x/y' }], { x: null })).toEqual({ x: { y: 'Zoë' } })
  })

  it('fails on a parent that is a scalar', () => {
    expect(() => mapped([{ source: 'givenName', target: 'x/y' }], { x: 'text' })).toThrow()
  })

  it('hands its transform the value, and the default replaces a transform that comes to null', () => {
    const call: Call = (_script, { source }) => (source === null ? undefined : `<${source}>`)
    expect(mapped([{ source: 'givenName', target: 'a', transform: 't' }], {}, call)).toEqual({ a: '<Zoë>' })
    expect(mapped([{ source: 'phone', target: 'a', transform: 't', default: '-' }], {}, call)).toEqual({
      a: '-',
    })
  })

  it('names the attribute when its transform throws', () => {
    const call: Call = () => {
      throw new Error('boom')
    }
    expect(() => mapped([{ source: 'givenName', target: 'x/y', transform: 't' }], {}, call)).toThrow(
      "Transformation script error : boom for attribute 'x/y'",
    )
  })
})

describe('property mappings together', () => {
  it('apply in order: a later one overwrites, and a condition sees what earlier ones wrote', () => {
    const target = mapped([
      { source: 'givenName', target: 'a' },
      { target: 'kind', default: 'person', condition: '/target/a pr' },
      { target: 'a', default: 'second' },
      { target: 'never', default: 1, condition: '/target/missing pr' },
    ])
    expect(target).toEqual({ a: 'second', kind: 'person' })
  })

  it('share no value with the source: changing the target leaves the source alone', () => {
    const target = mapped([{ source: '', target: 'all' }]) as { all: typeof person }
    target.all.name.family = 'changed'
    target.all.mails.push('other')
    expect(person).toMatchObject({ name: { family: "O'Brien" }, mails: ['z@example.com'] })
  })
})
