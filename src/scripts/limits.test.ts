import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ScriptOutcome } from './engine.ts'
import { ScriptHost } from './script-host.ts'
import { script, system, type TestEngine, testEngine } from './testing/engine.ts'
import { program as procedures } from './testing/procedures.ts'

/** Every script here would run for ever or fill the memory if the engine let it. */
let test: TestEngine
beforeEach(async () => {
  test = await testEngine({ timeout: 300, memory: 32 })
})
afterEach(() => test[Symbol.asyncDispose]())

function load(source: string, { engine } = test) {
  return engine.load(procedures, {
    settings: ['script'],
    scripts: { script: script(source, {}, 'mapping hr, transform') },
  })
}

const summary = (outcomes: readonly ScriptOutcome<unknown>[]) =>
  outcomes.map((outcome) => (outcome.ok ? (outcome.value as unknown[])[0] : outcome.error.code))

const hoard = 'var all = []; while (true) all.push(new Array(1000).fill(source));'

describe('a script that does not end', () => {
  it.each([
    ['a loop', 'for (;;) {}'],
    ['a loop that catches', 'for (;;) { try { for (;;) {} } catch (e) {} finally { for (;;) {} } }'],
    ['a regular expression', '/^(a+)+$/.test("a".repeat(50) + "b")'],
    ['a getter of its result', '({ get a() { for (;;) {} } })'],
    ['a toJSON of its result', '({ toJSON: function () { for (;;) {} } })'],
    ['a thrown object’s message', 'throw { get message() { for (;;) {} } }'],
    [
      'a loop over a filled array',
      'var a = []; for (;;) { if (a.length > 1e5) a = []; a.push(new Array(10)) }',
    ],
  ])('is stopped: %s', async (_what, source) => {
    expect(await test.failure(source)).toMatchObject({
      code: 'SCRIPT_TIMEOUT',
      message: expect.stringContaining('300 ms'),
    })
    expect(await test.value('1 + 1')).toBe(2)
  })

  it('is stopped where a promise’s continuation does not end', async () => {
    await test.value('(function again() { Promise.resolve().then(again) })(); 1').catch(() => {})
    expect(await test.value('1 + 1')).toBe(2)
  })

  it('fails alone on its page, by name, and nothing runs twice', async () => {
    const program = load('openidm.create("seen", String(source), {}); if (source === 2) for (;;) {} source')
    const outcomes = await program.run('each', [0, 1, 2, 3, 4], system)
    expect(summary(outcomes)).toEqual([0, 1, 'SCRIPT_TIMEOUT', 3, 4])
    expect(outcomes[2]).toMatchObject({
      error: { message: expect.stringContaining('mapping hr, transform script') },
    })
    expect(test.requests.map(({ path }) => path)).toEqual(Array(5).fill('seen'))
  })

  it('is not mistaken for a page that takes long', async () => {
    await using patient = await testEngine({ timeout: 1000 })
    const program = load('var end = Date.now() + 100; while (Date.now() < end); source', patient)
    const inputs = Array.from({ length: 12 }, (_, i) => i)
    expect(summary(await program.run('each', inputs, system))).toEqual(inputs)
  })

  it('is not mistaken for one that waits for the host', async () => {
    await using slow = await testEngine({
      timeout: 1000,
      resources: () =>
        ({
          read: (path: string) => new Promise((done) => setTimeout(() => done({ _id: path }), 1500)),
        }) as never,
    })
    expect(await slow.value('openidm.read("a")._id')).toBe('a')
  })

  it('keeps neither the event loop nor another program from going on', async () => {
    const [endless, other] = [load('for (;;) {}'), load('source + 1')]
    await other.run('each', [1], system)
    let ended = false
    const stopped = endless.run('each', [1, 2, 3], system).finally(() => {
      ended = true
    })
    let turns = 0
    let served = 0
    while (!ended) {
      const [outcome] = await other.run('each', [turns], system)
      if (outcome?.ok && !ended) served++
      await new Promise((resolve) => setTimeout(resolve, 1))
      turns++
    }
    expect(summary(await stopped)).toEqual(Array(3).fill('SCRIPT_TIMEOUT'))
    expect(served).toBeGreaterThan(20)
  })
})

describe('a script that hoards', () => {
  beforeEach(async () => {
    await test[Symbol.asyncDispose]()
    test = await testEngine({ timeout: 30_000, memory: 32 })
  })

  it.each([
    ['arrays', 'var a = []; while (true) a.push(new Array(1000).fill(7))'],
    ['objects', 'var a = []; while (true) a.push({ n: a.length, text: "x" + a.length })'],
    ['strings', 'var s = []; for (var i = 0; ; i++) s.push("x".repeat(1000) + i)'],
    ['closures', 'var f = []; for (;;) f.push(function () { return f })'],
  ])('is stopped: %s', async (_what, source) => {
    expect(await test.failure(source)).toMatchObject({
      code: 'SCRIPT_MEMORY',
      message: expect.stringContaining('test script'),
    })
    expect(await test.value('1 + 1')).toBe(2)
  })

  it.each([
    ['a string that doubles', 'var s = "x"; while (true) s += s'],
    ['one that splits it', 'var s = "x"; try { while (true) s += s } catch (e) {} s.split("")'],
    ['buffers', 'var a = []; while (true) a.push(new ArrayBuffer(1e6))'],
    ['a huge array that is filled', 'new Array(1e9).fill(1)'],
    ['a long string that is repeated', '"x".repeat(2 ** 29)'],
    ['the same, with a Number of its own', 'Number = function () { return 0 }; new Array(1e9).fill(1)'],
    ['a huge array that is joined', 'new Array(2 ** 31).join("x")'],
  ])('gets an error: %s', async (_what, source) => {
    expect(await test.failure(source)).toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringContaining('RangeError'),
    })
    expect(await test.value('1 + 1')).toBe(2)
  })

  it('fails alone on its page; those before it that only computed run again unnoticed', async () => {
    const program = load(`if (source === 2) { ${hoard} } source`)
    expect(summary(await program.run('each', [0, 1, 2, 3, 4], system))).toEqual([0, 1, 'SCRIPT_MEMORY', 3, 4])
  })

  it('never makes a write happen twice: the outcome of an input before it that wrote is unknown', async () => {
    const program = load(
      `if (source < 2) openidm.create("seen", "s" + source, {}); if (source === 3) { ${hoard} } source`,
    )
    const outcomes = await program.run('each', [0, 1, 2, 3, 4], system)
    expect(summary(outcomes)).toEqual(['SCRIPT_MEMORY', 'SCRIPT_MEMORY', 2, 'SCRIPT_MEMORY', 4])
    expect(outcomes[0]).toMatchObject({ error: { message: expect.stringContaining('outcome unknown') } })
    expect(test.requests).toHaveLength(2)
  })

  it('does not hold back other programs', async () => {
    const [hoarding, other] = [load(hoard), load('source + 1')]
    const [stopped, served] = await Promise.all([
      hoarding.run('each', [1, 2], system),
      other.run('each', [1, 2], system),
    ])
    expect(summary(stopped)).toEqual(['SCRIPT_MEMORY', 'SCRIPT_MEMORY'])
    expect(summary(served)).toEqual([2, 3])
    expect(summary(await other.run('each', [5], system))).toEqual([6])
  })
})

describe('a script that V8 loses control of', () => {
  beforeEach(async () => {
    await test[Symbol.asyncDispose]()
    test = await testEngine({ timeout: 5_000, memory: 32 })
  })

  it.each([
    ['an object that grows for ever', 'var all = {}; for (var i = 0; ; i++) all["key" + i] = i'],
    ['a huge array made of nothing', 'Array.from({ length: 2 ** 32 - 1 })'],
  ])('costs its process, and neither the server nor other scripts: %s', async (_what, source) => {
    const before = process.memoryUsage.rss()
    // Whichever limit it meets first.
    expect((await test.failure(source)).code).toMatch(/^SCRIPT_(MEMORY|TIMEOUT)$/)
    expect(await test.value('1 + 1')).toBe(2)
    // The memory is that of another process, and gone with it.
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(100)
  })

  /** Every read of a script ends the process in which it runs, `times` times in all. */
  async function killing(times: number, source: string) {
    const seen: string[] = []
    const resources = {
      read: async (path: string) => {
        if (times-- > 0) process.kill(ScriptHost.current().pid ?? 0, 'SIGKILL')
        return { _id: path }
      },
      create: async (path: string) => {
        seen.push(path)
        return { _id: path }
      },
    }
    await using engine = await testEngine({ resources: () => resources as never })
    const outcomes = await load(source, engine).run('each', [0, 1, 2, 3, 4], system)
    return { outcomes, seen }
  }

  it('takes with it the objects of its page that wrote; the others run again', async () => {
    const { outcomes, seen } = await killing(
      1,
      'if (source === 1) openidm.create("seen", "s", {}); if (source === 3) openidm.read("a"); source',
    )
    expect(summary(outcomes)).toEqual([0, 'SCRIPT_MEMORY', 2, 3, 4])
    expect(seen).toEqual(['seen'])
  })

  it('fails if the process ends with it again and again', async () => {
    const { outcomes } = await killing(99, 'if (source === 1) openidm.read("a"); source')
    expect(summary(outcomes)).toEqual([0, 'SCRIPT_MEMORY', 2, 3, 4])
    expect(outcomes[1]).toMatchObject({ error: { message: expect.stringContaining('ended the process') } })
  })
})

describe('a script that asks too much of the server', () => {
  it('is stopped after so many calls', async () => {
    await using own = await testEngine({ limits: { calls: 5 } })
    own.store.set('a/1', { _id: '1' })
    const problem = await own.failure('for (;;) { openidm.read("a/1") }')
    expect(problem).toMatchObject({ message: expect.stringContaining('more than 5 calls') })
    expect(own.requests).toHaveLength(5)
  })

  it('is stopped when its calls have taken too long in all', async () => {
    const read = (path: string) => new Promise((done) => setTimeout(() => done({ _id: path }), 50))
    await using slow = await testEngine({ limits: { total: 200 }, resources: () => ({ read }) as never })
    expect(await slow.failure('for (;;) openidm.read("a")')).toMatchObject({
      message: expect.stringContaining('more than 200 ms'),
    })
    expect(await slow.value('1 + 1')).toBe(2)
  })

  it('is stopped while it waits for a call that is never answered', async () => {
    const read = () => new Promise(() => {})
    await using silent = await testEngine({ limits: { total: 200 }, resources: () => ({ read }) as never })
    expect(await silent.failure('openidm.read("a")')).toMatchObject({
      message: expect.stringContaining('more than 200 ms'),
    })
  })

  it('logs so much and no more, and the next object logs again', async () => {
    await using own = await testEngine({ limits: { log: 100 } })
    const program = load('for (var i = 0; i < 50; i++) logger.info("0123456789"); source', own)
    await program.run('each', [0, 1], system)
    expect(own.logged.length).toBe(22)
    expect(own.logged[10]?.[2]).toContain('the rest is left out')
  })
})

describe('what a script makes', () => {
  const nested = (levels: number, list = false) =>
    `(function () { var x = ${list ? '[]' : '{}'}; for (var i = 1; i < ${levels}; i++) x = ${list ? '[x]' : '{ "a{": x }'}; return x })()`
  const depthOf = (value: unknown): number =>
    typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf))

  it('may be nested as deep as what comes from outside, and wide without limit', async () => {
    expect(depthOf(await test.value(nested(256)))).toBe(256)
    const wide = 'var all = []; for (var i = 0; i < 2000; i++) all.push({ text: "[[[{\\"" }); all'
    expect(await test.value(wide)).toHaveLength(2000)
  })

  it.each([
    ['objects', nested(257)],
    ['lists', nested(257, true)],
    ['more objects than the stack bears', nested(100_000)],
    ['by its toJSON', `({ toJSON: function () { return ${nested(257)} } })`],
  ])('is refused as a call would be, if it is nested deeper: %s', async (_what, source) => {
    await using patient = await testEngine({ timeout: 60_000 })
    const problem = await patient.failure(source)
    expect(problem).toMatchObject({ code: 'SCRIPT_FAILED', status: 400 })
    expect(problem.message).toContain('the value is nested more than 256 levels deep')
  })

  it('is refused in what it was given to change', async () => {
    const program = load(`target.x = target.deep ? ${nested(300)} : 1; target.x === 1`)
    const outcomes = await program.run('mutated', [{}, { deep: true }, {}], system)
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.value : outcome.error.code))).toEqual([
      ...[{ x: 1 }, 'BAD_REQUEST', { x: 1 }],
    ])
  })

  it('is left out of the details of what it throws', async () => {
    const problem = await test.failure(`throw { code: 409, message: 'no', detail: ${nested(300)} }`)
    expect(problem).toMatchObject({ status: 409, cause: { message: 'no', detail: undefined } })
  })
})
