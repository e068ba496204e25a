import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ScriptHost } from './script-host.ts'
import { script, summary, system, type TestEngine, testEngine } from './testing/engine.ts'
import { program as procedures } from './testing/procedures.ts'

/** Scripts that use up a limit of time or memory, each of them to its end; some take the process in which they run with them. */
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
  it.each([
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

describe('a host that ends at any moment', () => {
  it('does not fail the scripts of others: what only computes has its value, however often that is', async () => {
    const page = load('source + 1')
    const each = async (from: number) => {
      for (let value = from; value < from + 20; value++) {
        // Each source is new: it is analysed and loaded while the hosts end that others use as well.
        expect(await test.value(`${value} + 1`)).toBe(value + 1)
        if (value % 3 === 0) setTimeout(() => ScriptHost.current().kill(), value % 11)
        expect(summary(await page.run('each', [value], system))).toEqual([value + 1])
      }
    }
    await Promise.all([each(0), each(1_000), each(2_000)])
  })
})
