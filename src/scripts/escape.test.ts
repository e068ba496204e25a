import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script, system, type TestEngine, testEngine } from './testing/engine.ts'
import { program as procedures } from './testing/procedures.ts'

/** Ways out of sandboxes that have worked elsewhere. */
let test: TestEngine
beforeAll(async () => {
  test = await testEngine({ timeout: 1000 })
})
afterAll(() => test[Symbol.asyncDispose]())

const caughtError = '(function () { try { openidm.read("") } catch (e) { return e } })()'
const requireError = '(function () { try { require("fs") } catch (e) { return e } })()'

describe('a script finds nothing of the server', () => {
  it.each([
    'process',
    'global',
    'Buffer',
    'setTimeout',
    'fetch',
    'module',
    'SharedArrayBuffer',
    'Atomics',
    'WebAssembly',
    'FinalizationRegistry',
  ])('not %s', async (name) => {
    expect(await test.value(`typeof ${name}`)).toBe('undefined')
    expect(await test.value(`typeof globalThis[${JSON.stringify(name)}]`)).toBe('undefined')
  })

  it.each([
    ['this', 'this'],
    ['a variable', 'source'],
    ['a function of openidm', 'openidm.read'],
    ['what a function of openidm answers', 'openidm.query("managed/user", {_queryFilter: "true"})'],
    ['an error of the host', caughtError],
    ['an error of require', requireError],
    ['require', 'require'],
    ['logger', 'logger.info'],
    ['context', 'context'],
    ['console', 'console.log'],
    ['identityServer', 'identityServer.getProperty'],
    ['an error of its own', '(function () { try { null.x } catch (e) { return e } })()'],
    ['an overflown stack', '(function () { function f() { f() } try { f() } catch (e) { return e } })()'],
    ['a bounded built-in', '"x".repeat'],
    ['a generator', '(function* () {})'],
    ['an async function', '(async function () {})'],
  ])('through the constructors of %s', async (_what, expression) => {
    const walk = `
      var found = []
      for (var o = ${expression}; o !== null && o !== undefined; o = Object.getPrototypeOf(Object(o))) {
        var F = o.constructor && o.constructor.constructor
        if (typeof F === 'function') {
          var types = F('return typeof process + typeof require("fs")')
          try { found.push(types()) } catch (e) { found.push(e.code === 404 || typeof e.next) }
          found.push(F('return typeof process')().toString())
        }
      }
      found.every(function (f) { return f === true || f === 'undefined' || f === '[object Generator]' || f === '[object Promise]' })`
    expect(await test.value(walk, { source: { a: [1] } })).toBe(true)
  })

  it('through its callers', async () => {
    const callers = `
      (function f() {
        var seen = []
        for (var c = f.caller, i = 0; c && i < 20; i++) { seen.push(c); try { c = c.caller } catch (e) { break } }
        return seen.map(function (c) { return String(c).slice(0, 19) })
      })()`
    // The function around its own code, and no further.
    expect(await test.value(callers)).toEqual(['function(){return ('])
  })

  it('through a formatter of stack traces', async () => {
    const format = `
      var frames = null
      Error.prepareStackTrace = function (error, sites) { frames = sites; return 'x' }
      try { Object.defineProperty(Error, 'prepareStackTrace', { value: function (e, sites) { frames = sites } }) } catch (e) {}
      new Error('x').stack; try { openidm.read('') } catch (e) { e.stack }
      frames`
    expect(await test.value(format)).toBeNull()
  })

  it('through dynamic import', async () => {
    const [message] = (await test
      .value('var m = []; import("node:fs").then(function () { m.push("in") }, function () {}); m')
      .then((value) => value as string[])) as [string?]
    expect(message).toBeUndefined()
  })

  it('by breaking out of the function that its code becomes', async () => {
    for (const source of [
      '1)}); globalThis.out = 1; (function(){return (1',
      '*/ 1',
      '1 //# sourceURL=x\n',
      '}) ; (function () {',
    ]) {
      await test.value(source).catch(() => {})
    }
    expect(await test.value('typeof out')).toBe('undefined')
  })
})

describe('what a script returns is plain data', () => {
  it.each([
    [
      'a proxy',
      'new Proxy({ a: 1 }, { get: function (t, k) { return k === "toJSON" ? undefined : 7 } })',
      { a: 7 },
    ],
    ['a getter', '({ get a() { return 3 } })', { a: 3 }],
    ['toJSON', '({ toJSON: function () { return "j" } })', 'j'],
    ['a function inside', '({ f: function () {}, a: 1 })', { a: 1 }],
    ['a symbol', 'Symbol("x")', undefined],
    ['a class instance', 'class A { constructor() { this.x = 1 } }; new A()', { x: 1 }],
    ['a map', 'new Map([[1, 2]])', {}],
    ['an object without prototype', 'var o = Object.create(null); o.a = 1; o', { a: 1 }],
  ])('%s', async (_what, source, value) => {
    expect(await test.value(source)).toEqual(value)
  })

  it('a cycle is an error of that script', async () => {
    expect(await test.failure('var o = {}; o.o = o; o')).toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringMatching(/circular/i),
    })
  })

  it.each([
    'JSON.parse(\'{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}\')',
    'throw { code: 400, message: "x", detail: JSON.parse(\'{"__proto__": {"polluted": 1}}\') }',
    'openidm.create("managed/user", "p", JSON.parse(\'{"__proto__": {"polluted": 1}}\'))',
    'openidm.query("managed/user", JSON.parse(\'{"_queryFilter": "true", "__proto__": {"polluted": 1}}\'))',
    'logger.info("{}", JSON.parse(\'{"__proto__": {"polluted": 1}}\'))',
  ])('%s pollutes nothing', async (source) => {
    await test.value(source).catch(() => {})
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(Object.getPrototypeOf({})).toBe(Object.prototype)
  })

  it('a key __proto__ arrives as a key', async () => {
    const value = (await test.value('JSON.parse(\'{"__proto__": {"a": 1}}\')')) as object
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })
})

describe('a script that breaks the built-ins', () => {
  it.each([
    'JSON.stringify = JSON.parse = function () { return "[]" }',
    'Date.now = function () { return 0 }',
    'Array.prototype.map = Array.prototype.push = Array.prototype[Symbol.iterator] = undefined',
    'Function.prototype.call = Function.prototype.apply = Function.prototype.bind = function () { throw 1 }',
    'Reflect.apply = Object.keys = Object.defineProperty = Object.create = undefined',
    'String.prototype.slice = RegExp.prototype.exec = function () { return null }',
    'Object.prototype.value = 1; Object.prototype.error = { code: 1 }; Object.prototype.broken = 1',
    'Object.prototype.timeout = 1; Object.prototype.reference = true; Object.prototype.copy = true',
    'Object.prototype.toJSON = function () { return 666 }',
    'Object.defineProperty(Object.prototype, "value", { set: function () { throw 1 }, configurable: true })',
    'Promise = Error = RangeError = String = undefined',
    'Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.preventExtensions(globalThis)',
    'for (var name of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[name] } catch (e) {}',
  ])('%s: the runner and other scripts go on', async (source) => {
    await using own = await testEngine({ isolates: 1, timeout: 1000 })
    const program = own.engine.load(procedures, {
      scripts: {
        breaks: script(`try { ${source} } catch (e) {} 1`),
        after: script('var n = 41; n + 1'),
        fails: script('nope'),
      },
    })
    const inputs = ['breaks', 'after', 'fails', 'after'].map((name) => ({ script: name, variables: {} }))
    const outcomes = await program.run('one', inputs, system)
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, false, true])
    expect(outcomes[2]).toMatchObject({ error: { code: 'SCRIPT_FAILED' } })
    if (!source.includes('toJSON')) expect(outcomes[1]).toEqual({ ok: true, value: 42 })
    expect(await own.value('[1, 2].map(function (n) { return n * 2 }).concat(typeof Date.now())')).toEqual([
      2,
      4,
      'number',
    ])
  })
})
