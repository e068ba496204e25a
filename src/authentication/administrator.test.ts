import { describe, expect, it } from 'vitest'
import type { Settings } from '../repository/settings.ts'
import { administratorLogin, ensureAdministrator } from './administrator.ts'
import { emptySettings } from './testing/logins.ts'

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
    expect(await administratorLogin(settings).check(admin(password))).toMatchObject({
      identity: { userId: 'openidm-admin', roles: expect.arrayContaining(['openidm-admin']) },
    })
    expect(await started(settings)).toBeUndefined()
  })
  it('gets the password of the environment, which is not announced', async () => {
    const settings = emptySettings()
    await started(settings)
    expect(await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })).toBeUndefined()
    const authentication = administratorLogin(settings)
    expect(await authentication.check(admin('chosen'))).toMatchObject({
      identity: { userId: 'openidm-admin' },
    })
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
      expect(await administratorLogin(settings).check(credentials)).toBeUndefined()
    },
  )
  it('is no user before the first start', async () => {
    expect(await administratorLogin(emptySettings()).check(admin(''))).toBeUndefined()
  })
})

describe('a success', () => {
  const authenticated = async () => {
    const settings = emptySettings()
    let time = 0
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'chosen' })
    const authentication = administratorLogin(settings, () => time)
    await authentication.check(admin('chosen'))
    return { settings, authentication, pass: (milliseconds: number) => (time += milliseconds) }
  }
  it('is remembered for these credentials only', async () => {
    const { authentication } = await authenticated()
    expect(await authentication.recall?.(admin('chosen'))).toMatchObject({
      identity: { userId: 'openidm-admin' },
    })
    expect(await authentication.recall?.(admin('other'))).toBeUndefined()
    expect(await authentication.recall?.({ username: 'root', password: 'chosen' })).toBeUndefined()
  })
  it('is forgotten after some minutes', async () => {
    const { authentication, pass } = await authenticated()
    pass(6 * 60_000)
    expect(await authentication.recall?.(admin('chosen'))).toBeUndefined()
  })
  it('is forgotten when the password changes', async () => {
    const { authentication, settings } = await authenticated()
    await started(settings, { SYNCLINE_ADMIN_PASSWORD: 'new' })
    expect(await authentication.recall?.(admin('chosen'))).toBeUndefined()
  })
})
