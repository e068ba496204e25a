import { describe, expect, it } from 'vitest'
import { compileMapping } from '../mapping/compile.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { printPointer } from '../model/pointer.ts'
import { explainChoice, explainShape } from './explain.ts'
import { type ShapeInput, shape } from './shape.ts'

function mapping(configuration: JsonObject): Mapping {
  const content = { name: 'm', source: 'managed/a', target: 'managed/b', ...configuration }
  const { mapping: compiled, errors } = compileMapping(content, [{ name: 'm', content }])
  if (!compiled) throw new Error(errors.map(({ message }) => message).join())
  return compiled
}

const input = (source: JsonObject, target: JsonObject | null = null): ShapeInput => ({
  source,
  sourceId: 's',
  target,
  targetId: target ? 't' : null,
  situation: target ? 'CONFIRMED' : 'ABSENT',
  linkQualifier: 'default',
  hooks: 'run',
})

/** Scripts by name, as lambdas. */
const scripts =
  (lambdas: Record<string, (variables: Record<string, unknown>) => Json | undefined>) =>
  (name: string, variables: Record<string, unknown>) =>
    lambdas[name]?.(variables)
const script = { type: 'text/javascript', source: '0' }

function originsOf(configuration: JsonObject, shaped: ShapeInput, lambdas = {}) {
  const explained = explainShape(mapping(configuration), shaped, scripts(lambdas))
  return Object.fromEntries(
    explained.map(({ pointer, origins }) => [
      printPointer(pointer).slice(1),
      origins.map(({ by, property, how }) => (by === 'property' ? `${property} ${how}` : by)),
    ]),
  )
}

describe('the value of an attribute is explained', () => {
  it.each<[string, JsonObject[], JsonObject, string[]]>([
    ['by the source attribute', [{ source: 'a', target: 'x' }], { a: 1 }, ['0 source']],
    ['by a transform', [{ source: 'a', target: 'x', transform: script }], { a: 1 }, ['0 transform']],
    ['by a default', [{ source: 'a', target: 'x', default: 'd' }], {}, ['0 default']],
    ['by a fixed value', [{ target: 'x', default: 'd' }], {}, ['0 default']],
    ['by nothing', [{ source: 'a', target: 'x' }], {}, ['0 nothing']],
    [
      'by a condition that does not hold',
      [{ source: 'a', target: 'x', condition: '/object/a eq 2' }],
      { a: 1 },
      ['0 condition'],
    ],
    [
      'by a later property that overwrites an earlier one',
      [
        { source: 'a', target: 'x' },
        { source: 'b', target: 'x' },
      ],
      { a: 1, b: 2 },
      ['0 source', '1 source'],
    ],
  ])('%s', (_what, properties, source, origins) => {
    expect(originsOf({ properties }, input(source), { 'properties/0/transform': () => 'made' }).x).toEqual(
      origins,
    )
  })

  it('by the hooks that changed it, after the properties', () => {
    const configuration = { properties: [{ source: 'a', target: 'x' }], onMapping: script, onCreate: script }
    const lambdas = {
      onMapping: ({ target }: Record<string, unknown>) => {
        ;(target as JsonObject).x = 'mapped'
      },
      onCreate: ({ target }: Record<string, unknown>) => {
        Object.assign(target as JsonObject, { x: 'created', y: 'new' })
      },
    }
    expect(originsOf(configuration, input({ a: 1 }), lambdas)).toEqual({
      x: ['0 source', 'onMapping', 'onCreate'],
      y: ['onCreate'],
    })
  })

  it('with what it was and what it becomes, as the same shape comes to it', () => {
    const compiled = mapping({
      properties: [
        { source: 'a', target: 'x' },
        { source: 'b', target: 'same' },
      ],
    })
    const shaped = input({ a: 'new', b: 1 }, { _id: 't', x: 'old', same: 1 })
    const explained = explainShape(compiled, shaped, () => undefined)
    expect(
      explained.map(({ pointer, before, after, changes }) => [pointer[0], before, after, changes]),
    ).toEqual([
      ['x', 'old', 'new', true],
      ['same', 1, 1, false],
    ])
    expect(shape(compiled, shaped, () => undefined).changes).toEqual([
      { pointer: ['x'], before: 'old', after: 'new' },
    ])
  })
})

describe('the choice of a policy is explained', () => {
  it('by the conditions that were looked at, up to the first that held', () => {
    const policies = ['/object/a eq 1', '/object/a eq 2', '/object/a eq 2'].map((condition) => ({
      situation: 'ABSENT',
      action: 'IGNORE',
      condition,
    }))
    const scope = { source: { a: 2 }, linkQualifier: 'default' }
    expect(explainChoice(mapping({ policies }), 'ABSENT', scope, () => undefined)).toEqual([
      { policy: 0, held: false },
      { policy: 1, held: true },
    ])
    expect(explainChoice(mapping({ policies }), 'FOUND', scope, () => undefined)).toEqual([])
  })
})
