import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../model/json.ts'
import { propertyLookup, scriptProperties } from './properties.ts'
import { substitute } from './substitute.ts'

const properties: Readonly<Record<string, Json>> = {
  name: 'hr',
  port: 8080,
  on: true,
  list: ['a', 'b'],
  stage: 'test',
  'file.test': 'test.csv',
  indirect: 'see &{name}',
  loop: '&{pool}',
  pool: '&{loop}',
  flagText: 'TRUE',
  count: ' 42 ',
  ratio: '2.5',
  words: 'a, b',
  array: '[1, "x"]',
  object: '{"a": {"b": 1}}',
  encoded: 'aMOpbGxv',
}

const sources = {
  property: (name: string) => properties[name],
  readText: (path: string) => (path === 'secret.txt' ? 'from a file' : undefined),
  isAllowed: () => true,
}
const expand = (value: Json) => substitute(value, sources)

describe('a placeholder', () => {
  it.each<[Json, Json]>([
    ['&{name}', 'hr'],
    ['&{port}', 8080],
    ['&{on}', true],
    ['&{list}', ['a', 'b']],
    ['port &{port}, &{on}', 'port 8080, true'],
    ['&{name}&{name}', 'hrhr'],
    ['&{file.&{stage}}', 'test.csv'],
    ['&{indirect}', 'see hr'],
    ['&{nothing|fallback}', 'fallback'],
    ['&{nothing|}', ''],
    ['&{name|fallback}', 'hr'],
    ['&{nothing|&{name}}', 'hr'],
    ['&{nothing|{"a": {}}}', '{"a": {}}'],
    ['$ {name} & {name} &{', '$ {name} & {name} &{'],
    [{ a: ['&{port}'] }, { a: [8080] }],
    ['&{toString|plain}', 'plain'],
  ])('%j becomes %j', (written, expanded) => {
    const onlyOwn = (name: string) => (Object.hasOwn(properties, name) ? properties[name] : undefined)
    expect(substitute(written, { ...sources, property: onlyOwn })).toEqual({ value: expanded, failures: [] })
  })
})

describe('a coercion object', () => {
  it.each<[Json, Json]>([
    [{ $bool: '&{flagText}' }, true],
    [{ $bool: '&{nothing|false}' }, false],
    [{ $int: '&{count}' }, 42],
    [{ $int: '&{port}' }, 8080],
    [{ $number: '&{ratio}' }, 2.5],
    [{ $string: '&{port}' }, '8080'],
    [{ $array: '&{words}' }, ['a', 'b']],
    [{ $array: '&{array}' }, [1, 'x']],
    [{ $array: '&{list}' }, ['a', 'b']],
    [{ $object: '&{object}' }, { a: { b: 1 } }],
    [{ '$base64:decode': '&{encoded}' }, 'héllo'],
    [{ $inline: 'secret.txt' }, 'from a file'],
    [
      { $int: '1', other: 1 },
      { $int: '1', other: 1 },
    ],
    [{ $crypto: { type: 'x' } }, { $crypto: { type: 'x' } }],
  ])('%j becomes %j', (written, expanded) => {
    expect(expand(written)).toEqual({ value: expanded, failures: [] })
  })

  it.each<[Json, string]>([
    [{ $bool: '&{name}' }, '$bool needs true or false, but "&{name}" is not'],
    [{ $int: '&{ratio}' }, '$int needs a whole number, but "&{ratio}" is not'],
    [{ $number: '&{words}' }, '$number needs a number, but "&{words}" is not'],
    [{ $object: '&{array}' }, '$object needs a JSON object, but "&{array}" is not'],
    [{ '$base64:decode': '&{words}' }, '$base64:decode needs base64 text, but "&{words}" is not'],
    [{ $inline: 'nowhere' }, '$inline cannot read the file "nowhere"'],
  ])('%j fails without showing the value', (written, message) => {
    expect(expand({ a: written }).failures).toEqual([{ place: ['a'], message }])
  })
})

describe('a placeholder that cannot be resolved', () => {
  it('stays literally and is a failure with its place', () => {
    const { value, failures } = expand({ a: ['x', '-&{nothing}-'] })
    expect(value).toEqual({ a: ['x', '-&{nothing}-'] })
    expect(failures.map(({ place }) => place)).toEqual([['a', 1]])
    expect(failures[0]?.message).toMatch(/^the property nothing is not defined; .* &\{nothing\|default\}$/)
  })

  it('is no failure in an object that is switched off, whether literally or by a property', () => {
    expect(expand({ enabled: false, deep: { a: '&{nothing}' } }).failures).toEqual([])
    expect(expand({ enabled: { $bool: '&{nothing|false}' }, a: '&{other}' }).failures).toEqual([])
    expect(expand({ enabled: '&{nothing|false}', a: '&{other}' }).failures).toEqual([])
    expect(expand({ enabled: true, a: '&{nothing}' }).failures).toHaveLength(1)
  })

  it('is reported once if it is the name of another', () => {
    expect(expand('&{file.&{nothing}}').failures).toHaveLength(1)
  })
})

describe('a property that refers to itself', () => {
  it('is a failure that shows the circle', () => {
    expect(expand('&{loop}').failures.map(({ message }) => message)).toEqual([
      'the property loop refers to itself: loop → pool → loop',
    ])
  })
})

describe('substitution', () => {
  it('leaves values without placeholders as they are', () => {
    const plain = fc.string().filter((text) => !text.includes('&{'))
    const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        plain,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree')),
        fc.dictionary(
          fc.string().filter((key) => !key.startsWith('$')),
          tie('tree'),
        ) as fc.Arbitrary<Json>,
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        const result = substitute(value, {
          property: () => undefined,
          readText: () => undefined,
          isAllowed: () => true,
        })
        expect(result.failures).toEqual([])
        expect(JSON.stringify(result.value)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('ends for every text', () => {
    const piece = fc.constantFrom('&{', '}', '{', '|', 'name', 'loop', 'nothing', '.')
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(() => expand(pieces.join(''))).not.toThrow()
      }),
    )
  })
})

describe('the value of a property', () => {
  const sources = {
    projectFolder: '/srv/project',
    flags: { a: 'flag', 'openidm.port.http': '9090' },
    environment: {
      A: 'environment',
      B_C: 'environment',
      'b.d': 'literally',
      LAUNCHER_PROJECT_LOCATION: '/elsewhere',
      SYNCLINE_KEY: 'planted',
      SYNCLINE_KEY_OLD: 'planted',
      SYNCLINE_ADMIN_PASSWORD: 'planted',
      DATABASE_PASSWORD: 'planted',
      HR_URL: 'named',
    },
    boot: new Map([
      ['a', 'boot'],
      ['b.c', 'boot'],
      ['e', 'boot'],
      ['openidm.keystore.password', 'planted'],
      ['syncline.script.properties', 'hr.*, told.secret'],
      ['told.secret', 'named'],
    ]),
  }
  const lookup = propertyLookup(sources)

  it.each<[string, Json | undefined]>([
    ['a', 'flag'],
    ['b.c', 'environment'],
    ['b.d', 'literally'],
    ['e', 'boot'],
    ['openidm.port.http', 9090],
    ['openidm.port.https', 8443],
    ['openidm.policy.enforcement.enabled', true],
    ['launcher.project.location', '/srv/project'],
    ['idm.instance.dir', '/srv/project'],
    ['toString', undefined],
  ])('%s comes from the first source that has it', (name, value) => {
    expect(lookup(name)).toEqual(value)
  })

  it.each([
    'SYNCLINE_KEY',
    'syncline.key',
    'Syncline.Key.Old',
    'syncline.admin.password',
    'SYNCLINE_ADMIN_PASSWORD',
  ])('is none for %s, which is the server’s own', (name) => {
    expect(lookup(name)).toBeUndefined()
    expect(scriptProperties(sources)(name)).toBeUndefined()
  })

  it.each<[string, Json | undefined]>([
    ['a', 'flag'],
    ['e', 'boot'],
    ['openidm.port.http', 9090],
    ['idm.instance.dir', '/srv/project'],
    ['b.c', 'environment'],
    ['hr.url', 'named'],
    ['told.secret', 'named'],
    ['B_C', undefined],
    ['database.password', undefined],
    ['DATABASE_PASSWORD', undefined],
    ['openidm.keystore.password', undefined],
  ])('that scripts see of %s is %j', (name, value) => {
    expect(scriptProperties(sources)(name)).toEqual(value)
  })
})
