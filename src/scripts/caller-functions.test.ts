import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { CallerFunction } from './engine.ts'
import { script, system, type TestEngine, testEngine } from './testing/engine.ts'
import { apart, program } from './testing/procedures.ts'

/** Procedures that ask the caller of their run, as those of connectors do. */
let test: TestEngine
beforeEach(async () => {
  test = await testEngine({ timeout: 300, memory: 32 })
})
afterEach(() => test[Symbol.asyncDispose]())

function run(
  source: string,
  inputs: readonly Json[],
  functions: Readonly<Record<string, CallerFunction>>,
  secretsOf?: (input: number) => readonly Json[],
) {
  const scripts = { script: script(source) }
  const loaded = test.engine.load(program, { settings: ['script'], scripts })
  return loaded.run('asking', inputs, { ...system, functions, ...(secretsOf && { secretsOf }) })
}

describe('a function of the caller', () => {
  it('gets the arguments and the place of the input on its page, also beyond a portion', async () => {
    const inputs = Array.from({ length: 260 }, (_, n) => n)
    const asked: (readonly [number, Json | undefined])[] = []
    const outcomes = await run('ask("twice", source).twice', inputs, {
      async twice([value], input) {
        asked.push([input, value])
        return { twice: Number(value) * 2 }
      },
    })
    expect(asked).toEqual(inputs.map((n) => [n, n]))
    expect(outcomes.map((outcome) => outcome.ok && outcome.value)).toEqual(inputs.map((n) => n * 2))
  })

  it('refuses with an error that the script can catch', async () => {
    const source = 'try { ask("fail") } catch (e) { [e.code, e.message, e.detail.kind] }'
    const [outcome] = await run(source, [0], {
      async fail() {
        throw new Problem('PRECONDITION_FAILED', 'taken', { detail: { kind: 'alreadyExists' } })
      },
    })
    expect(outcome).toMatchObject({ ok: true, value: [412, 'taken', 'alreadyExists'] })
  })

  it('is only one that was given', async () => {
    const [outcome] = await run('ask("constructor")', [0], {})
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('the caller has no function "constructor"') },
    })
  })

  it('may take longer than scripts may run', async () => {
    const [outcome] = await run('ask("slow")', [0], {
      slow: () => new Promise((resolve) => setTimeout(resolve, 600, 'done')),
    })
    expect(outcome).toMatchObject({ ok: true, value: 'done' })
  })
})

it('runs no input again that has asked, when the memory of another is exhausted', async () => {
  const asked: number[] = []
  const hoard = 'var all = []; while (true) all.push(new Array(1000).fill(source));'
  const outcomes = await run(`ask("note"); if (source === 1) { ${hoard} } source`, [0, 1, 2], {
    async note(_args, input) {
      asked.push(input)
      return null
    },
  })
  expect(asked).toEqual([0, 1, 2])
  // Whether the first was told of before the memory was gone is up to the moment.
  expect(outcomes.slice(1).map((outcome) => outcome.ok)).toEqual([false, true])
})

it('says nothing that the caller calls secret, in errors and in the log', async () => {
  const source = 'logger.info("has {}", source); throw new Error("not " + source)'
  const secrets = ['correct horse', 'battery staple']
  const outcomes = await run(source, secrets, {}, (input) => [secrets[input] ?? ''])
  const said = JSON.stringify([outcomes.map((one) => !one.ok && one.error.message), test.logged])
  for (const secret of secrets) expect(said).not.toContain(secret)
  expect(said).toContain('not ')
})

it('keeps scripts apart from the server where the program says so', async () => {
  const loaded = test.engine.load(apart, {
    settings: ['script'],
    scripts: { script: script('[typeof openidm, typeof identityServer, typeof logger.info]') },
  })
  expect(await loaded.one('asking', null, system)).toEqual(['undefined', 'undefined', 'function'])
})
