import { describe, expect, it } from 'vitest'
import { administratorLogin, ensureAdministrator } from '../../authentication/administrator.ts'
import type { LoginModule } from '../../authentication/login-module.ts'
import { authenticating, emptySettings } from '../../authentication/testing/logins.ts'
import { login } from './login.ts'

/** Asks from an address with a password, as the administrator. */
async function opened() {
  const settings = emptySettings()
  await ensureAdministrator({
    settings,
    environment: { SYNCLINE_ADMIN_PASSWORD: 'chosen' },
    announce: () => {},
  })
  const identify = login(authenticating([administratorLogin(settings)]))
  return (password: string, address = 'there', username = 'openidm-admin') =>
    identify({
      headers: { 'x-openidm-username': username, 'x-openidm-password': password },
      ...{ address, method: 'GET', path: 'x' },
    })
}
const known = { identity: { userId: 'openidm-admin' } }

describe('guessing', () => {
  it('is made to wait after some failures, even when the guess is right; others are not', async () => {
    const guess = await opened()
    for (let failure = 0; failure < 5; failure++) {
      await expect(guess('wrong')).rejects.toMatchObject({ status: 401 })
    }
    const waiting = { status: 429, detail: { retryAfter: expect.any(Number) } }
    await expect(guess('chosen')).rejects.toMatchObject(waiting)
    expect(await guess('chosen', 'here')).toMatchObject(known)
    // Known by now: the same address may speak although it still has to wait with guesses.
    expect(await guess('chosen')).toMatchObject(known)
    await expect(guess('wrong')).rejects.toMatchObject(waiting)
  })
  it.each<[string, (number: number) => readonly [string, string, string]]>([
    ['of one user', (number) => [`guess ${number}`, 'there', 'openidm-admin']],
    ['of many users', (number) => ['1234', 'there', `user ${number}`]],
  ])('all at once counts one after the other, %s', async (_what, of) => {
    const guess = await opened()
    const guesses = Array.from({ length: 20 }, (_, number) => guess(...of(number)))
    const statuses = (await Promise.allSettled(guesses)).map((one) =>
      one.status === 'rejected' ? one.reason.status : 200,
    )
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(15).fill(429)])
  })
  it('of somebody else does not keep a user waiting whose password a slow system checks', async () => {
    let answer: (() => void) | undefined
    const slow: LoginModule = {
      name: 'PASSTHROUGH',
      check: ({ username }) =>
        new Promise((resolve) => {
          if (username === 'slow') answer = () => resolve(undefined)
          else resolve({ identity: { userId: username, roles: [] } })
        }),
    }
    const identify = login(authenticating([slow]))
    const ask = (username: string, address: string) =>
      identify({
        headers: { 'x-openidm-username': username, 'x-openidm-password': 'x' },
        ...{ address, method: 'GET', path: 'x' },
      })
    const waiting = ask('slow', 'there').catch((error) => error)
    expect(await ask('quick', 'here')).toMatchObject({ identity: { userId: 'quick' } })
    answer?.()
    expect(await waiting).toMatchObject({ status: 401 })
  })
})
