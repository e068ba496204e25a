import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Call, noScripts } from '../mapping/call.ts'
import { compileMapping } from '../mapping/compile.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { JsonObject } from '../model/json.ts'
import { type ShapeInput, shape } from './shape.ts'

function mapping(configuration: JsonObject): Mapping {
  const content = { name: 'm', source: 'system/hr/account', target: 'managed/user', ...configuration }
  const { mapping: compiled, errors } = compileMapping(content, [{ name: 'm', content }])
  expect(errors).toEqual([])
  return compiled as Mapping
}

const input = (given: Partial<ShapeInput>): ShapeInput => ({
  source: { _id: '1', first: 'Ann', tel: null },
  sourceId: '1',
  target: null,
  targetId: null,
  situation: 'ABSENT',
  linkQualifier: 'default',
  hooks: 'run',
  ...given,
})

const script = { type: 'text/javascript', source: '…' }
const names = {
  properties: [
    { source: 'first', target: 'givenName' },
    { source: 'tel', target: 'phone' },
  ],
}

describe('a target that does not exist yet', () => {
  it('is made of the mapped properties, nulls included', () => {
    expect(shape(mapping(names), input({}), noScripts).desired).toEqual({ givenName: 'Ann', phone: null })
  })

  it('is finished by onMapping and then onCreate, which see what came before', () => {
    const seen: unknown[] = []
    const call: Call = (name, variables) => {
      const target = variables.target as JsonObject
      seen.push([name, { ...target }])
      target[name] = true
    }
    const { desired } = shape(
      mapping({ ...names, onMapping: script, onCreate: script, onUpdate: script }),
      input({}),
      call,
    )
    expect(desired).toEqual({ givenName: 'Ann', phone: null, onMapping: true, onCreate: true })
    expect(seen).toEqual([
      ['onMapping', { givenName: 'Ann', phone: null }],
      ['onCreate', { givenName: 'Ann', phone: null, onMapping: true }],
    ])
  })
})

describe('the hooks that shape a target', () => {
  it.each(['onMapping', 'onCreate'])('%s gets null as oldSource where nothing older is known', (hook) => {
    const seen: unknown[] = []
    shape(mapping({ [hook]: script }), input({}), (_name, { oldSource }) => void seen.push(oldSource))
    expect(seen).toEqual([null])
  })
})

describe('a target that exists', () => {
  const target = { _id: 'u', _rev: '3', givenName: 'Ann', other: 'kept' }
  const update = (given: Partial<ShapeInput> = {}) =>
    input({ target, targetId: 'u', situation: 'CONFIRMED', ...given })

  it('is left alone when it is as it should be: a null equals an absent value', () => {
    expect(shape(mapping(names), update(), noScripts)).toEqual({ desired: undefined, changes: [] })
  })

  it('keeps what no property mentions, and says attribute by attribute what changes', () => {
    const { desired, changes } = shape(
      mapping(names),
      update({ source: { _id: '1', first: 'Anna' } }),
      noScripts,
    )
    expect(desired).toEqual({ ...target, givenName: 'Anna' })
    expect(changes).toEqual([{ pointer: ['givenName'], before: 'Ann', after: 'Anna' }])
  })

  it('gets a null only where there is a value to clear', () => {
    const existing = { ...target, givenName: 'Old', phone: '1' }
    const { desired } = shape(mapping(names), update({ target: existing }), noScripts)
    expect(desired).toEqual({ ...existing, givenName: 'Ann', phone: null })
    const without = shape(mapping(names), update({ target: { ...target, givenName: 'Old' } }), noScripts)
    expect(without.desired).not.toHaveProperty('phone')
  })

  it('keeps a null that is there already: it is no change', () => {
    const existing = { ...target, givenName: 'Old', phone: null }
    expect(shape(mapping(names), update({ target: existing }), noScripts)).toEqual({
      desired: { ...existing, givenName: 'Ann' },
      changes: [{ pointer: ['givenName'], before: 'Old', after: 'Ann' }],
    })
  })

  it('runs onUpdate even if nothing has changed, with oldTarget as it was', () => {
    const seen: unknown[] = []
    const call: Call = (name, { oldTarget }) => void seen.push(name, oldTarget)
    shape(mapping({ ...names, onCreate: script, onUpdate: script }), update(), call)
    expect(seen).toEqual(['onUpdate', target])
  })

  it('is not reached by hooks in a dry run', () => {
    const call: Call = () => {
      throw new Error('no hook may run')
    }
    expect(
      shape(mapping({ ...names, onUpdate: script }), update({ hooks: 'skip' }), call).desired,
    ).toBeUndefined()
  })

  it('refuses another _id', () => {
    const renames = mapping({ properties: [{ source: 'first', target: '_id' }] })
    expect(() => shape(renames, update(), noScripts)).toThrow("target '_id' has changed")
  })

  it('accepts an _id in other case where target ids ignore case', () => {
    const renames = mapping({ targetIdsCaseSensitive: false, properties: [{ target: '_id', default: 'U' }] })
    expect(shape(renames, update(), noScripts)).toEqual({ desired: undefined, changes: [] })
  })
})

describe('applying a shape and shaping again', () => {
  it('comes to nothing to do, whatever source, target and properties', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd/e', 'd/f')
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.string(), { maxLength: 2 }),
    )
    const object = fc
      .dictionary(fc.constantFrom('a', 'b', 'c'), value)
      .map((members) => ({ ...members, _id: 'x' }))
    const properties = fc.array(
      fc.record({ source: key, target: key, default: value }, { requiredKeys: ['target'] }),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(object, fc.option(object, { nil: null }), properties, (source, target, configured) => {
        const rules = mapping({ properties: configured as never })
        const first = shape(rules, input({ source, target }), noScripts)
        const applied = { _id: 'x', ...(first.desired ?? target) }
        expect(shape(rules, input({ source, target: applied }), noScripts).desired).toBeUndefined()
      }),
    )
  })
})
