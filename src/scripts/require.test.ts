import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { script, system, type TestEngine, testEngine } from './testing/engine.ts'
import { program as procedures } from './testing/procedures.ts'

let test: TestEngine
beforeEach(async () => {
  test = await testEngine({ isolates: 1 })
})
afterEach(() => test[Symbol.asyncDispose]())

async function write(path: string, text: string): Promise<string> {
  const file = join(test.folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

describe('require', () => {
  it.each([
    ['a name from the script folder', 'names', 'script/names.js'],
    ['a name with extension', 'names.js', 'script/names.js'],
    ['a relative name', './names', 'script/names.js'],
    ['a name in a folder', 'lib/lodash', 'script/lib/lodash.js'],
    ['a folder', 'lib', 'script/lib/index.js'],
  ])('loads %s', async (_how, name, path) => {
    await write(path, 'exports.upper = function (s) { return s.toUpperCase() }')
    expect(await test.value('require(name).upper("a")', { name })).toBe('A')
  })

  it('brings lodash along, under the name that OpenIDM gives it', async () => {
    const code = 'var _ = require("lib/lodash"); [_.camelCase("first name"), _.uniq([1, 1, 2]).length]'
    expect(await test.value(code)).toEqual(['firstName', 2])
  })

  it('brings Handlebars along, too', async () => {
    const code =
      'require("lib/handlebars").compile("{{#each all}}<{{name}}>{{/each}}")({ all: [{ name: "A & B" }] })'
    expect(await test.value(code)).toBe('<A &amp; B>')
  })

  it('prefers the project’s own file of such a name', async () => {
    await write('script/lib/lodash.js', 'exports.camelCase = function () { return "mine" }')
    expect(await test.value('require("lib/lodash").camelCase("x")')).toBe('mine')
  })

  it.each([
    [
      'that probe for define and module',
      'if (typeof define === "function" && define.amd) define(f); else if (typeof module === "object" && module.exports) module.exports = f(); else root.lib = f()',
      'require("umd").one',
    ],
    [
      'that only know exports',
      'if (typeof exports === "object") f2(exports); else f2(root.lib = {})',
      'require("umd").one',
    ],
    ['that only know the top-level this', 'root.lib = f()', 'require("umd").lib.one'],
    [
      'that find the built-ins in global',
      'module.exports = { one: new (typeof global === "object" && global && global.Array)(1).length }',
      'require("umd").one',
    ],
  ])('loads libraries %s', async (_which, body, use) => {
    const code = `(function (root, f) { function f2(o) { o.one = f().one } ${body} }(this, function () { return { one: 1 } }))`
    await write('script/umd.js', code)
    expect(await test.value(use)).toBe(1)
  })

  it('understands module.exports and JSON', async () => {
    await write('script/fn.js', 'module.exports = function () { return 5 }')
    await write('script/data.json', '{"a": [1]}')
    expect(await test.value('[require("fn")(), require("./data").a[0]]')).toEqual([5, 1])
  })

  it('resolves a relative name from the module that asks', async () => {
    await write('script/a/one.js', 'exports.two = require("./two").value + require("../top").value')
    await write('script/a/two.js', 'exports.value = 2')
    await write('script/top.js', 'exports.value = 10')
    expect(await test.value('require("a/one").two')).toBe(12)
  })

  it('runs a module once, also if two require each other', async () => {
    await write('script/a.js', 'exports.n = 1; exports.b = require("./b").n')
    await write('script/b.js', 'exports.n = 2; exports.a = require("./a").n')
    expect(await test.value('var a = require("a"); [a.n, a.b, require("b").a, require("a") === a]')).toEqual([
      1,
      2,
      1,
      true,
    ])
  })

  it('keeps what a library puts into the global object', async () => {
    await write(
      'script/lib.js',
      'this_is_a_library = { f: function () { return 3 } }; exports.f = function () { return this_is_a_library.f() }',
    )
    const program = test.engine.load(procedures, {
      settings: ['a'],
      scripts: { a: script('require("lib").f()') },
    })
    expect(await program.run('each', [1, 2], system)).toEqual(Array(2).fill({ ok: true, value: [3] }))
  })

  it('reads a file again once it has changed', async () => {
    const file = await write('script/v.js', 'exports.v = 1')
    expect(await test.value('require("v").v')).toBe(1)
    await write('script/v.js', 'exports.v = 2')
    await utimes(file, new Date(), new Date(Date.now() + 10_000))
    expect(await test.value('require("v").v')).toBe(2)
  })

  it('names the module, the line and the column of an error in it', async () => {
    await write('script/lib/bad.js', 'exports.f = function (o) {\n  return o.a.b\n}')
    const problem = await test.failure('var bad = require("lib/bad")\nbad.f({})')
    expect(problem).toMatchObject({ detail: { file: 'script/lib/bad.js', line: 2, column: 14 } })
    await write('script/lib/syntax.js', 'var a = 1\nvar b = (')
    expect((await test.failure('require("lib/syntax")')).message).toMatch(
      /script\/lib\/syntax\.js.*line [23]/,
    )
  })

  it('may be tried again after a module has failed', async () => {
    await write(
      'script/moody.js',
      'if (!globalThis.tried) { globalThis.tried = true; throw new Error("first") } exports.ok = 1',
    )
    expect(
      await test.value('var r; try { require("moody") } catch (e) { r = e.message } r + require("moody").ok'),
    ).toBe('first1')
  })
})

describe('require stays within the script folder', () => {
  it.each([
    'fs',
    'node:fs',
    'child_process',
    '../conf/secret',
    '../../../etc/passwd',
    '/etc/passwd',
    './../conf/secret.json',
    '',
    '.',
    'lib/../../conf/secret',
  ])('and refuses "%s"', async (name) => {
    await write('conf/secret.json', '{"secret": "s3cret"}')
    await write('script/x.js', '1')
    const problem = await test.failure('require(name)', { name })
    expect(problem).toMatchObject({ status: 404, message: expect.stringContaining('require(') })
  })

  it('and refuses what a symbolic link leads to outside', async () => {
    const secret = await write('conf/secret.js', 'exports.secret = 1')
    await write('script/x.js', '1')
    await symlink(secret, join(test.folder, 'script/link.js'))
    await symlink(dirname(secret), join(test.folder, 'script/folder'))
    for (const name of ['link', './link.js', 'folder/secret']) {
      expect(await test.failure('require(name)', { name })).toMatchObject({
        message: expect.stringContaining('outside'),
      })
    }
  })

  it('and a folder with a similar name is not it', async () => {
    await write('script/x.js', '1')
    await write('script-private/secret.js', 'exports.secret = 1')
    expect(await test.failure('require("../script-private/secret")')).toMatchObject({ status: 404 })
  })

  it('and refuses what is no name', async () => {
    expect(await test.failure('require({})')).toMatchObject({ status: 404 })
    expect(await test.failure('require()')).toMatchObject({ status: 404 })
  })

  it('and says so if the project has no scripts', async () => {
    expect((await test.failure('require("x")')).message).toContain('no folder script/')
  })
})
