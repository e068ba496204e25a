import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestEngine, testEngine } from './testing/engine.ts'

let test: TestEngine
beforeAll(async () => {
  test = await testEngine()
})
afterAll(() => test[Symbol.asyncDispose]())

describe('the function dn of scripts', () => {
  it('writes the name of an entry from values', async () => {
    const source = 'dn({ cn: source.name }, "ou=people", "dc=example,dc=com")'
    expect(await test.value(source, { source: { name: 'Smith, Ann + co' } })).toBe(
      'cn=Smith\\2c Ann \\2b co,ou=people,dc=example,dc=com',
    )
  })

  it('fails with a sentence that names the attribute and the place in the script', async () => {
    const failure = await test.failure('var name = null\ndn({ cn: name }, "dc=x")')
    expect(failure.message).toMatch(/cn has no value that is a text.*line 2/)
  })

  it('gives way to a variable of its name, declared or not, which the next script does not see', async () => {
    expect(await test.value('var dn = "a"; dn')).toBe('a')
    expect(await test.value('dn = "b"; dn')).toBe('b')
    expect(await test.value('typeof dn')).toBe('function')
  })

  it('cannot be changed for the next script', async () => {
    await test.value('dn.more = 1; Object.defineProperty(dn, "call", { value: 1 })').catch(() => undefined)
    expect(await test.value('[typeof dn.more, typeof dn.call]')).toEqual(['undefined', 'function'])
  })
})
