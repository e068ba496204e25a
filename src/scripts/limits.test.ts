import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { script, summary, system, type TestEngine, testEngine } from './testing/engine.ts'
import { program as procedures } from './testing/procedures.ts'

/** Scripts that would run for ever, fill the memory or ask for more than they may, if the engine let them. */
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

const hoard = 'var all = []; while (true) all.push(new Array(1000).fill(source));'

describe('a script that does not end', () => {
  it('is stopped: a loop', async () => {
    expect(await test.failure('for (;;) {}')).toMatchObject({
      code: 'SCRIPT_TIMEOUT',
      message: expect.stringContaining('300 ms'),
    })
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
})

describe('a script that hoards', () => {
  beforeEach(async () => {
    await test[Symbol.asyncDispose]()
    test = await testEngine({ timeout: 30_000, memory: 32 })
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
