import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Problem } from '../model/problem.ts'
import type { ScriptSource } from './engine.ts'
import { script, system, type TestEngine, testEngine } from './testing/engine.ts'
import { program as impureProgram } from './testing/impure.ts'
import { program as procedures } from './testing/procedures.ts'

let test: TestEngine
beforeAll(async () => {
  test = await testEngine()
})
afterAll(() => test[Symbol.asyncDispose]())

function load(scripts: Record<string, ScriptSource>, settings: readonly string[] = []) {
  return test.engine.load(procedures, { settings, scripts })
}

describe('the value of a script is its completion value', () => {
  it.each([
    ['an expression', 'a + 1', 2],
    ['an expression with semicolon and comment', 'a + 1; // one more', 2],
    ['a branch', 'if (a) { "yes" } else { "no" }', 'yes'],
    ['the last of several statements', 'var q = { x: a }; q', { x: 1 }],
    ['a loop', 'for (var i = 0; i < 3; i++) { i * 10 }', 20],
    ['an object literal in a variable', 'var q = {x: 1}\nq', { x: 1 }],
    ['braces, which are a block', '{ x: 1 }', 1],
    ['a called function', '(function () { return a * 7 })()', 7],
    ['a function declared later', 'f(); function f() { return 9 }', 9],
    ['a declaration, which has none', 'var x = 1', undefined],
    ['nothing', '', undefined],
    ['null', 'null', null],
    ['a date', 'new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['a number that JSON lacks', '0 / 0', null],
    ['a function', '(function () {})', undefined],
    [
      'strict code',
      '"use strict"; var r; try { undeclared = 1; r = "sloppy" } catch (e) { r = e.name } r',
      'ReferenceError',
    ],
    ['with, in sloppy code', 'var r; with ({ b: 5 }) { r = b } r', 5],
  ])('of %s', async (_what, source, value) => {
    expect(await test.value(source, { a: 1 })).toEqual(value)
  })

  it('and a promise is refused, since nothing would wait for it', async () => {
    expect((await test.failure('Promise.resolve(1)')).message).toMatch(/promise.*synchronous/)
    expect((await test.failure('(async () => 1)()')).message).toMatch(/promise/)
  })

  it('and neither a rejection without a handler nor a late continuation spoils it', async () => {
    expect(await test.value('Promise.reject(new Error("late")); 7')).toBe(7)
    expect(await test.value('Promise.resolve().then(() => { throw new Error("late") }); 8')).toBe(8)
  })
})

describe('an error in a script', () => {
  const label = 'mapping hrAccount_managedUser, mail transform'
  const failing = async (source: string, file?: string) =>
    (await test.engine.evaluate({ label, source, file, globals: {} }, {}, system).catch((e) => e)) as Problem

  it.each([
    ['an expression', 'missing.mail', 1, 1],
    ['an expression after blanks', '\n\n  missing + 1', 3, 3],
    ['an expression over lines', '1 +\n   missing.mail', 2, 4],
    ['statements', 'var a = 1;\n  a.b.c;\n', 2, 7],
    ['a function of a script', 'function f() {\n  throw new Error("x")\n}\nf()', 2, 9],
    ['a nested eval', 'var x = 1;\neval("missing")', 2, 1],
    ['a callback', '[1].map(function (n) {\n return n.x.y\n})', 2, 13],
  ])('names line and column in %s', async (_where, source, line, column) => {
    const problem = await failing(source)
    expect(problem).toMatchObject({ code: 'SCRIPT_FAILED', status: 500, detail: { line, column } })
    expect(problem.message).toContain(`${label} script encountered exception: `)
    expect(problem.message).toContain(`(line ${line}, column ${column})`)
  })

  it('names the file it came from', async () => {
    const problem = await failing('missing', 'script/mail lower.js')
    expect(problem.message).toContain(
      'ReferenceError: missing is not defined (script/mail lower.js, line 1, column 1)',
    )
    expect(problem.detail).toEqual({ file: 'script/mail lower.js', line: 1, column: 1 })
  })

  it('of syntax names its place, when checked and when called', async () => {
    const broken = script('var a = 1;\n  a b', {}, label)
    const checked = await test.engine.check(broken)
    expect(checked).toMatchObject({ code: 'SCRIPT_FAILED', detail: { line: 2, column: 5 } })
    expect(await test.engine.check(script('a + 1'))).toBeUndefined()
    expect(await failing(broken.source)).toMatchObject({
      message: checked?.message,
      detail: { line: 2, column: 5 },
    })
  })

  it('of syntax fails only who calls that script', async () => {
    const program = load({ good: script('1'), bad: script('(') })
    const outcomes = await program.run(
      'one',
      [
        { script: 'bad', variables: {} },
        { script: 'good', variables: {} },
      ],
      system,
    )
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true])
  })

  it('thrown with an integer code has that status, names the place, and is caused by what the script said', async () => {
    const problem = await failing('var a;\nthrow { code: 403, message: "not you", detail: { who: "me" } }')
    expect(problem).toMatchObject({
      code: 'SCRIPT_FAILED',
      status: 403,
      message: expect.stringMatching(/script encountered exception: not you/),
      cause: { status: 403, message: 'not you', detail: { who: 'me' } },
    })
    const thrown = await failing('var e = new Error("no");\ne.code = 409; throw e')
    expect(thrown).toMatchObject({ status: 409, cause: { status: 409, message: 'no' } })
    expect(thrown.message).toContain('line 1, column 9')
  })

  it.each([
    ['a string', 'throw "oops"', 'oops'],
    ['an object without code', 'throw { message: "oops" }', 'oops'],
    ['a code that is no HTTP error', 'throw { code: 7, message: "oops" }', 'oops'],
    ['a code that is a string', 'throw { code: "403", message: "oops" }', 'oops'],
    ['null', 'throw null', 'null'],
    ['something that cannot be shown', 'throw { get message() { throw 1 } }', 'cannot be shown'],
    ['a proxy that resists', 'throw new Proxy({}, { get() { throw 1 } })', 'cannot be shown'],
    ['an endless recursion', '(function f() { f() })()', 'Maximum call stack size exceeded'],
    ['a BigInt', '10n', 'BigInt'],
  ])('%s is a 500', async (_what, source, message) => {
    expect(await failing(source)).toMatchObject({
      code: 'SCRIPT_FAILED',
      status: 500,
      message: expect.stringContaining(message),
    })
  })

  it('reaches a procedure as a problem, which may add to it', async () => {
    const program = load({ script: script('source.mail.toLowerCase()', {}, label) })
    const [outcome] = await program.run('wrapped', [{}], system)
    const error = outcome?.ok === false ? outcome.error : undefined
    expect(error).toBeInstanceOf(Problem)
    expect(error).toMatchObject({
      code: 'SYNC_FAILED',
      status: 409,
      message: 'transforming attribute /mail failed',
    })
    expect(error?.cause).toMatchObject({ code: 'SCRIPT_FAILED', message: expect.stringContaining(label) })
  })
})

describe('variables', () => {
  it('of a call win over globals of the same name, whichever a call brings', async () => {
    const program = load({ script: script('a + "," + (typeof b)', { a: 'global' }) })
    const inputs = [{}, { a: 'call' }, { b: 1, a: 'call' }, { a: 'call', b: 1 }, { b: 1 }].map(
      (variables) => ({ script: 'script', variables }),
    )
    const outcomes = await program.run('one', inputs, system)
    expect(outcomes.map((outcome) => outcome.ok && outcome.value)).toEqual([
      'global,undefined',
      'call,undefined',
      'call,number',
      'call,number',
      'global,number',
    ])
  })

  it('that are no identifiers, or would break the script, are left out', async () => {
    const variables = { 'a-b': 1, eval: 2, arguments: 3, class: 4, ok: 5, '}){': 6, ünï: 7 }
    expect(await test.value('ok + ünï', variables)).toBe(12)
    expect(await test.value('var x = ok; x', variables)).toBe(5)
  })

  it('may be called like members of every object', async () => {
    const program = load({
      script: script('[toString, constructor, a].join()', { toString: 1, constructor: 2, a: 3 }),
    })
    const inputs = [{}, { constructor: 5 }].map((variables) => ({ script: 'script', variables }))
    const outcomes = await program.run('one', inputs, system)
    expect(outcomes.map((outcome) => outcome.ok && outcome.value)).toEqual(['1,2,3', '1,5,3'])
  })

  it('from globals are fresh for every call', async () => {
    const program = load({ a: script('tree.n++; tree', { tree: { n: 1 } }) }, ['a'])
    expect(await program.run('each', [1, 2], system)).toEqual([
      { ok: true, value: [{ n: 2 }] },
      { ok: true, value: [{ n: 2 }] },
    ])
  })

  it('that a script changes in place are changed for the procedure', async () => {
    const program = load({ script: script('target.mail = "a@b"; delete target.old; 7') })
    const input = { old: 1 }
    expect(await program.run('mutated', [input], system)).toEqual([{ ok: true, value: { mail: 'a@b' } }])
    expect(input).toEqual({ old: 1 })
  })

  it('assigned without declaration are gone after the call', async () => {
    const program = load(
      { a: script('leaked = 1; this.other = 2; leaked'), b: script('typeof leaked + typeof other') },
      ['a', 'b'],
    )
    expect(await program.run('each', [1, 2], system)).toEqual(
      Array(2).fill({ ok: true, value: [1, 'undefinedundefined'] }),
    )
  })

  it('of the platform cannot be replaced for the next script', async () => {
    await test.value('openidm = 1; logger = 2; require = 3; openidm.read = 4; eval = 5; context = 6; 0')
    const types =
      '[typeof openidm.read, typeof logger.info, typeof require, typeof eval, typeof context].join()'
    expect(await test.value(types)).toBe('function,function,function,function,object')
  })
})

describe('context', () => {
  it('says who asks and how', async () => {
    const request = { external: true, userId: 'bjensen', roles: ['internal/role/x'], transactionId: 'tx-2' }
    const extra = { http: { method: 'GET', path: 'endpoint/x' } }
    expect(await test.value('context', {}, { request, extra })).toMatchObject({
      security: { authenticationId: 'bjensen', authorization: { id: 'bjensen', roles: ['internal/role/x'] } },
      caller: { external: true },
      http: { method: 'GET', path: 'endpoint/x' },
    })
  })

  it('is a copy for each input', async () => {
    const program = load({ a: script('context.n = (context.n || 0) + 1; context.n') }, ['a'])
    expect(await program.run('each', [1, 2], system)).toEqual(Array(2).fill({ ok: true, value: [1] }))
  })
})

describe('a program', () => {
  it('answers thousands of inputs in their order', async () => {
    const program = load({ a: script('source * 2') }, ['a'])
    const outcomes = await program.run(
      'each',
      Array.from({ length: 3000 }, (_, i) => i),
      system,
    )
    expect(outcomes.map((outcome) => outcome.ok && (outcome.value as number[])[0])).toEqual(
      Array.from({ length: 3000 }, (_, i) => i * 2),
    )
  })

  it('leaves nothing of its outcomes behind in the memory of the server', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage: () => void = runInNewContext('gc')
    const used = async () => {
      // More than once: some garbage is known to be that only when other garbage is gone, which earlier tests may have left.
      for (let round = 0; round < 4; round++) {
        collectGarbage()
        await setImmediate()
      }
      // Node keeps long texts outside of the heap.
      const { heapUsed, external } = process.memoryUsage()
      return (heapUsed + external) / 2 ** 20
    }
    const program = load({ long: script("source.repeat(1 << 20) + 'end'") }, ['long'])
    const run = async () => {
      const [outcome] = await program.run('each', ['-'], system)
      expect(outcome?.ok && JSON.stringify(outcome.value).length).toBeGreaterThan(1 << 20)
    }
    await run()
    const before = await used()
    const pages = 40
    for (let page = 0; page < pages; page++) await run()
    // Half of one outcome a page. Whoever kept them would keep at least one, and more with the text that it came in.
    expect((await used()) - before).toBeLessThan(pages / 2)
  })

  it('may use the pure modules', async () => {
    const program = load({})
    expect(await program.run('pointer', ['/name/given%2FName'], system)).toEqual([
      { ok: true, value: ['name', 'given/Name'] },
    ])
    expect(await program.run('pointer', [], system)).toEqual([])
  })

  it('runs no more once it is disposed of', async () => {
    const program = load({ a: script('1') }, ['a'])
    await program.run('each', [1], system)
    await program[Symbol.asyncDispose]()
    await expect(program.run('each', [1], system)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('is refused if it has no such procedure, or reaches beyond the pure core', async () => {
    const none = load({})
    // @ts-expect-error The compiler refuses it, too.
    await expect(none.run('nothing', [1], system)).rejects.toThrow(/no procedure "nothing"/)
    const impure = test.engine.load(impureProgram, { scripts: {} })
    await expect(impure.run('impure', [undefined as never], system)).rejects.toThrow(
      /"node:fs", which is not pure/,
    )
  })

  it('stops at the next portion when it is cancelled', async () => {
    const program = load({ a: script('1') }, ['a'])
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(program.run('each', [1], { ...system, signal })).rejects.toThrow('enough')
  })
})

it('an engine that is shut down stops what runs and refuses the rest', async () => {
  const other = await testEngine({ isolates: 2 })
  const program = other.engine.load(procedures, {
    settings: ['endless'],
    scripts: { endless: script('for (;;) {}') },
  })
  const running = program.run('each', [1, 2], system)
  const stopped = expect(running).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await other.value('1')
  await other[Symbol.asyncDispose]()
  await stopped
  await expect(other.value('1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
