import { describe, expect, it } from 'vitest'
import { assignedNames } from './assigned.ts'

describe('the names that a script may assign', () => {
  it.each<[source: string, names: string[]]>([
    ['source.toLowerCase()', []],
    ["if (source === 'a' || source !== 'b') { 1 } else { source >= 2 }", []],
    ['names.filter(name => name.length <= 3)', []],
    ["source.replace(/[^+0-9]|([a-z])/g, '')", []],
    ["source[0] + ['a', 'b'].join()", []],
    ['leak = 1', ['leak']],
    ['leak\n=\n1', ['leak']],
    ['first = second = 1', ['first', 'second']],
    ['var query = { _queryFilter: "a" }; query', ['query']],
    ['target.mail = source.mail', ['mail']],
    ['for (name in source) { }', ['name']],
    ['for (const name of names) { }', ['name']],
    ['for (var i = 0; i < 3; i++) { }', ['i']],
    ['`${' + 'leak = 1}`', ['leak']],
    ['größe = 1; $x = 2; _y = 3', ['größe', '$x', '_y']],
    ['// leak = 1', ['leak']],
  ])('of %s are %j', (source, names) => {
    expect(assignedNames(source)).toEqual(names)
  })

  it.each([
    'eval("leak = 1")',
    '(() => 1).constructor("leak = 1")()',
    'this.leak = 1',
    'globalThis.leak = 1',
    "require('lib/other')",
    'Object.assign(x, y)',
    'Reflect.set(x, "leak", 1)',
    'with (source) { leak = 1 }',
    'source[name]',
    "source.at ['con' + 'structor']",
    "source?.['con' + 'structor']",
    "(({ ['con' + 'structor']: F }) => F('leak = 1')())(at)",
    "(({ a, ['con' + 'structor']: F }) => F('leak = 1')())(at)",
    '[leak] = [1]',
    '({ leak } = source)',
    'for ([leak] of pairs) { }',
    'for ({ leak } of pairs) { }',
    'for /* each */ (leak of names) { }',
    'for (/* each */ leak of names) { }',
    'leak /* new */ = 1',
    'l\\u0065ak = 1',
    'le\u200dak = 1',
    'count += 1',
  ])('cannot be told from %s', (source) => {
    expect(assignedNames(source)).toBeUndefined()
  })
})
