import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script, system, type TestEngine, testEngine } from './testing/engine.ts'
import { program as procedures } from './testing/procedures.ts'

let test: TestEngine
beforeAll(async () => {
  test = await testEngine()
})
afterAll(() => test[Symbol.asyncDispose]())

/** The script for each of `inputs` in turn, in one context. */
async function each(source: string, inputs: readonly unknown[]) {
  const program = test.engine.load(procedures, {
    settings: ['script'],
    scripts: { script: script(source, {}, 'mapping hr, transform') },
  })
  const outcomes = await program.run('each', inputs as never, system)
  return outcomes.map((outcome) => (outcome.ok ? (outcome.value as unknown[])[0] : outcome.error.message))
}

describe('what a script does to built-ins is not seen by the next object', () => {
  it.each([
    ['a property of every object', 'Object.prototype.evil = 7', 'var o = {}; String(o.evil)', 'undefined'],
    [
      'an accessor of every object',
      "Object.defineProperty(Object.prototype, 'a', { get: function () {}, set: function () {} })",
      'var o = {}; o.a = 1; String(o.a)',
      '1',
    ],
    [
      'toJSON of every object',
      'Object.prototype.toJSON = function () { return 0 }',
      'JSON.stringify({ a: 1 })',
      '{"a":1}',
    ],
    ['a method of arrays', 'Array.prototype.map = function () { return [] }', 'String([1].map(String))', '1'],
    ['a method of texts', 'String.prototype.trim = function () { return "x" }', '" a ".trim()', 'a'],
    ['a global name', 'JSON = null; Math = {}', 'typeof JSON.parse + typeof Math.max', 'functionfunction'],
    ['a new global name', 'leak = 1', 'typeof leak', 'undefined'],
    ['a property of a function of ours', 'openidm.read.leak = 1', 'typeof openidm.read.leak', 'undefined'],
    [
      'the iterator of arrays',
      'Object.getPrototypeOf([][Symbol.iterator]()).next = null',
      'String([...[1, 2]])',
      '1,2',
    ],
    ['the prototype of every object', 'Object.setPrototypeOf(Array.prototype, null)', '[].toString()', ''],
    [
      'a generator’s prototype',
      'Object.getPrototypeOf(function* () {}).leak = 1',
      'typeof (function* () {}).leak',
      'undefined',
    ],
  ])('%s', async (_what, change, look, expected) => {
    const source = `if (source === 1) { try { ${change} } catch (e) {} 'changed' } else { ${look} }`
    expect(await each(source, [1, 2])).toEqual(['changed', expected])
  })
})

describe('objects of a script are its own', () => {
  it.each([
    ['toString', 'var o = {}; o.toString = function () { return "own" }; String(o)', 'own'],
    [
      'a constructor',
      'function A() {} A.prototype = {}; A.prototype.constructor = A; String(new A().constructor === A)',
      'true',
    ],
    ['the name of an error', 'var e = new Error("m"); e.name = "Mine"; String(e)', 'Mine: m'],
    ['the message of an error', 'var e = new Error("m"); e.message = "n"; e.message', 'n'],
    [
      'errors of its own kind',
      'function E() {} E.prototype = Object.create(Error.prototype); E.prototype.name = "E"; E.prototype.message = "x"; String(new E())',
      'E: x',
    ],
    ['hasOwnProperty', 'var o = { hasOwnProperty: 1 }; o.hasOwnProperty = 2; String(o.hasOwnProperty)', '2'],
    [
      'toJSON of a date',
      'var d = new Date(0); d.toJSON = function () { return "d" }; JSON.stringify(d)',
      '"d"',
    ],
    ['a class that extends', 'class A extends Array { toString() { return "A" } } String(new A())', 'A'],
  ])('%s', async (_what, source, expected) => {
    expect(await each(source, [1])).toEqual([expected])
  })
})
