/** Slow: servers that begin afresh, or are killed. */
import { describe, expect, it } from 'vitest'
import { TestProject } from './support/project.ts'
import { password, serve } from './support/server.ts'

const users = 'hrAccount_managedUser'

describe('a server of its own', () => {
  it('makes a password at its first start, shows it once and keeps only a hash', async () => {
    using own = TestProject.example()
    const first = await serve(own, {})
    const shown = /shown this once: (\S+)/.exec(first.log())?.[1] as string
    expect(shown.length).toBeGreaterThan(15)
    const login = await fetch(`${first.url}/info/login`, {
      headers: { 'X-OpenIDM-Username': 'openidm-admin', 'X-OpenIDM-Password': shown },
    })
    expect(login.status).toBe(200)
    await first.stop()
    const second = await serve(own, {})
    expect(second.log()).not.toContain('shown this once')
    await second.stop()
    for (const file of ['syncline.db', 'syncline.db-wal']) {
      try {
        expect(own.read(`.syncline/${file}`)).not.toContain(shown)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
  })

  it('goes on answering while a script loops, and stops gracefully in the middle of a run', async () => {
    using own = TestProject.example()
    own.edit('script/worksHere.js', () => 'while (true) {}')
    const looping = await serve(own)
    const headers = { 'X-OpenIDM-Username': 'openidm-admin', 'X-OpenIDM-Password': password }
    const started = await fetch(`${looping.url}/recon?_action=recon&mapping=${users}`, {
      method: 'POST',
      headers,
    })
    const { _id } = (await started.json()) as { _id: string }
    expect((await fetch(`${looping.url}/info/ping`)).status).toBe(200)
    expect(await (await fetch(`${looping.url}/recon/${_id}`, { headers })).json()).toMatchObject({
      state: 'ACTIVE',
    })
    await looping.stop('SIGKILL')
    const again = await serve(own)
    expect(await (await fetch(`${again.url}/recon/${_id}`, { headers })).json()).toMatchObject({
      state: 'FAILED',
    })
    expect(await again.stop()).toBe(0)
  })
})
