import { ok } from 'node:assert/strict'
import { inspect } from 'node:util'
import { Secret } from '../values.ts'
import { type Bench, creating, deleting, type Laws, requireEqual, requireFailure } from './bench.ts'

export const accounts: Laws = {
  async 'authenticates the right password and nothing else'(bench) {
    const id = await bench.createOne(1)
    await bench.createOne(2)
    const { username, password } = bench.given(bench.facts.credentials)(1)
    requireEqual(await authenticated(bench, username, password), id, 'the id of the account')
    for (const [name, word] of [
      [username, `${password}x`],
      [username, ''],
      ['nobody', password],
      ['*', password],
    ] as const)
      await requireFailure(authenticated(bench, name, word), 'wrongCredentials', 'a wrong login')
  },
  async 'sets a password: the new one is right from then on, the old one wrong'(bench) {
    const { username, password } = bench.given(bench.facts.credentials)(1)
    const attribute = bench.given(bench.connector.agreedNames?.(bench.facts.objectClass).__PASSWORD__)
    const id = await bench.createOne(1)
    const value = new Secret('n3w Pässword, "quoted"')
    await bench.update(id, { [attribute]: value })
    requireEqual(await authenticated(bench, username, value.reveal()), id, 'the id of the account')
    await requireFailure(authenticated(bench, username, password), 'wrongCredentials', 'the old password')
  },
  async 'finds the account of a login name'(bench) {
    const id = await bench.createOne(1)
    const { username } = bench.given(bench.facts.credentials)(1)
    const connector = bench.need('resolveUsername')
    const resolved = (name: string) => connector.resolveUsername(bench.facts.objectClass, name)
    requireEqual(await resolved(username), id, 'the id of the account')
    await requireFailure(resolved('nobody'), 'unknownId', 'a login name that there is not')
  },
  async 'prints no password, neither in an object nor in an error'(bench) {
    const { username, password } = bench.given(bench.facts.credentials)(1)
    const id = await bench.createOne(1)
    const failure = await authenticated(bench, username, `${password}x`).catch((error: unknown) => error)
    const [, again] = await bench.write(deleting('nobody'), creating(bench.facts.account(1)))
    for (const shown of [await bench.readOne(id), failure, again]) {
      const text = `${JSON.stringify(shown)} ${inspect(shown, { depth: 8 })}`
      ok(!text.includes(password), 'what is printed holds the password')
    }
  },
}

async function authenticated(bench: Bench, username: string, password: string): Promise<string> {
  return bench.need('authenticate').authenticate(bench.facts.objectClass, username, new Secret(password))
}
