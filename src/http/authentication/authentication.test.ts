import { describe, expect, it } from 'vitest'
import type { Json } from '../../model/json.ts'
import type { Settings } from '../../repository/settings.ts'
import { administratorAuthentication, ensureAdministrator } from './authentication.ts'
import { login } from './login.ts'

function emptySettings(): Settings & { readonly values: Map<string, Json> } {
  const values = new Map<string, Json>()
  return {
    values,
    read: async (key) => values.get(key),
    write: async (key, value) => void values.set(key, value),
  }
}

const admin = (password: string) => ({ username: 'openidm-admin', password })

async function started(
  settings: Settings,
  environment: Record<string, string> = {},
): Promise<string | undefined> {
  let announced: string | undefined
  await ensureAdministrator({
    settings,
    environment,
    announce: (_username, password) => (announced = password),
  })
  return announced
}

describe('the administrator', () => {
  it('gets a random password on the first start, announced once and stored only as a hash', async () => {
    const settings = emptySettings()
    const password = (await started(settings)) as string
    expect(password.length).toBeGreaterThanOrEqual(24)
    expect(JSON.stringify([...settings.values])).not.toContain(password)
    expect(await administratorAuthentication(settings).authenticate(admin(password))).toMatchObject({
      userId: 'openidm-admin',
      roles: expect.arrayContaining(['openidm-admin']),
    })
    expect(await started(settings)).toBeUndefined()
  })
  it('gets the password of the environment, which is not announced', async () => {
    const settings = emptySettings()
    await started(settings)
    expect(await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })).toBeUndefined()
    const authentication = administratorAuthentication(settings)
    expect(await authentication.authenticate(admin('chosen'))).toMatchObject({ userId: 'openidm-admin' })
  })
  it('keeps the hash while the environment says the same', async () => {
    const settings = emptySettings()
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })
    const before = [...settings.values]
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })
    expect([...settings.values]).toEqual(before)
  })
  it.each([admin('wrong'), admin(''), { username: 'root', password: 'chosen' }])(
    'is not %j',
    async (credentials) => {
      const settings = emptySettings()
      await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })
      await expect(administratorAuthentication(settings).authenticate(credentials)).rejects.toMatchObject({
        code: 'UNAUTHORIZED',
      })
    },
  )
  it('is no user before the first start', async () => {
    await expect(administratorAuthentication(emptySettings()).authenticate(admin(''))).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    })
  })
})

describe('a success', () => {
  const authenticated = async () => {
    const settings = emptySettings()
    let time = 0
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })
    const authentication = administratorAuthentication(settings, () => time)
    await authentication.authenticate(admin('chosen'))
    return { settings, authentication, pass: (milliseconds: number) => (time += milliseconds) }
  }
  it('is remembered for these credentials only', async () => {
    const { authentication } = await authenticated()
    expect(await authentication.recall(admin('chosen'))).toMatchObject({ userId: 'openidm-admin' })
    expect(await authentication.recall(admin('other'))).toBeUndefined()
    expect(await authentication.recall({ username: 'root', password: 'chosen' })).toBeUndefined()
  })
  it('is forgotten after some minutes', async () => {
    const { authentication, pass } = await authenticated()
    pass(6 * 60_000)
    expect(await authentication.recall(admin('chosen'))).toBeUndefined()
  })
  it('is forgotten when the password changes', async () => {
    const { authentication, settings } = await authenticated()
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'new' })
    expect(await authentication.recall(admin('chosen'))).toBeUndefined()
  })
})

describe('guessing', () => {
  const headers = (password: string) => ({
    'x-openidm-username': 'openidm-admin',
    'x-openidm-password': password,
  })
  it('is made to wait after some failures, even when the guess is right; others are not', async () => {
    const settings = emptySettings()
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })
    const identify = login(administratorAuthentication(settings))
    for (let guess = 0; guess < 5; guess++) {
      await expect(identify(headers('wrong'), 'there', 'x')).rejects.toMatchObject({ status: 401 })
    }
    const waiting = { status: 429, detail: { retryAfter: expect.any(Number) } }
    await expect(identify(headers('chosen'), 'there', 'x')).rejects.toMatchObject(waiting)
    expect(await identify(headers('chosen'), 'here', 'x')).toMatchObject({ userId: 'openidm-admin' })
    // Known by now: the same address may speak although it still has to wait with guesses.
    expect(await identify(headers('chosen'), 'there', 'x')).toMatchObject({ userId: 'openidm-admin' })
    await expect(identify(headers('wrong'), 'there', 'x')).rejects.toMatchObject(waiting)
  })
  it('all at once counts one after the other', async () => {
    const settings = emptySettings()
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })
    const identify = login(administratorAuthentication(settings))
    const guesses = Array.from({ length: 20 }, (_, guess) =>
      identify(headers(`guess ${guess}`), 'there', 'x'),
    )
    const statuses = (await Promise.allSettled(guesses)).map((one) =>
      one.status === 'rejected' ? one.reason.status : 200,
    )
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(15).fill(429)])
  })
})
