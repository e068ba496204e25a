import { expect, it } from 'vitest'
import type { Success } from './login-module.ts'
import { Sessions, standardSessions } from './sessions.ts'
import { emptySettings, plainSecrets } from './testing/logins.ts'

const account = { component: 'managed/user', id: 'a1' }
const ann: Success = { identity: { userId: 'ann', roles: ['openidm-authorized'], account }, basis: 'b' }
const minute = 60_000

function opened(settings = emptySettings()) {
  let time = Date.parse('2026-01-31T08:00:00Z')
  const open = () => new Sessions({ settings, secrets: plainSecrets, log: () => {}, now: () => time })
  return { settings, open, sessions: open(), pass: (milliseconds: number) => (time += milliseconds) }
}
const begun = (sessions: Sessions) => sessions.begin('MANAGED_USER', ann, standardSessions)

it('a token says who has logged in, and how', async () => {
  const { sessions } = opened()
  expect(await sessions.read(await begun(sessions))).toMatchObject({ module: 'MANAGED_USER', ...ann })
})

it('two logins are two sessions', async () => {
  const { sessions } = opened()
  const [one, other] = [
    await sessions.read(await begun(sessions)),
    await sessions.read(await begun(sessions)),
  ]
  expect(one?.id).not.toBe(other?.id)
})

it('a session survives a restart, and its key is nowhere in clear', async () => {
  const { sessions, open } = opened()
  const token = await begun(sessions)
  expect(await open().read(token)).toMatchObject(ann)
})

it('a session ends without requests, and at its longest however many there are', async () => {
  const { sessions, pass } = opened()
  let token = await begun(sessions)
  for (let spent = 0; spent < 119; spent += 17) {
    const session = await sessions.read(token)
    expect(session, `after ${spent} minutes`).toMatchObject(ann)
    if (session) token = await sessions.prolong(session, standardSessions)
    pass(17 * minute)
  }
  pass(2 * minute)
  expect(await sessions.read(token), 'after two hours').toBeUndefined()

  const unused = await begun(sessions)
  pass(29 * minute)
  expect(await sessions.read(unused)).toMatchObject(ann)
  pass(2 * minute)
  expect(await sessions.read(unused)).toBeUndefined()
})

it('a logout ends all tokens of the session, also after a restart, and no other session', async () => {
  const { sessions, open } = opened()
  const [token, other] = [await begun(sessions), await begun(sessions)]
  const session = await sessions.read(token)
  if (!session) return expect.unreachable('the session is valid')
  const longer = await sessions.prolong(session, standardSessions)
  await sessions.end(session)
  for (const one of [sessions, open()]) {
    expect(await one.read(token)).toBeUndefined()
    expect(await one.read(longer)).toBeUndefined()
    expect(await one.read(other)).toMatchObject(ann)
  }
})

it('what was ended long ago is not kept for ever', async () => {
  const { sessions, settings, pass } = opened()
  await sessions.end({ id: 'long ago' })
  pass(31 * 24 * 60 * minute)
  await sessions.end({ id: 'now' })
  expect(Object.keys(settings.values.get('sessions.ended') ?? {})).toEqual(['now'])
})

const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString('base64url')
it.each<[string, (token: string) => string]>([
  ['of another server', () => `${part({ alg: 'HS256' })}.${part({ sub: 'ann' })}.${'A'.repeat(43)}`],
  ['without a signature', (token) => `${part({ alg: 'none' })}.${token.split('.')[1]}.`],
  ['with another content', (token) => token.replace(/\.[^.]+\./, `.${part({ sub: 'openidm-admin' })}.`)],
  ['cut short', (token) => token.slice(0, -2)],
  ['that is empty', () => ''],
  ['that is no token', () => 'ann'],
])('a token %s is none', async (_which, forge) => {
  const { sessions } = opened()
  expect(await sessions.read(forge(await begun(sessions)))).toBeUndefined()
})

it('sessions end when their key does not open any more, and new ones begin', async () => {
  const settings = emptySettings()
  const { sessions } = opened(settings)
  const token = await begun(sessions)
  const logged: string[] = []
  const decrypt = async () => {
    throw new Error('the key is another one')
  }
  const after = new Sessions({
    ...{ settings, secrets: { ...plainSecrets, decrypt } },
    log: (_level, message) => logged.push(message),
  })
  expect(await after.read(token)).toBeUndefined()
  expect(logged).toEqual([expect.stringContaining('all sessions have ended')])
  expect(await after.read(await begun(after))).toMatchObject(ann)
})
