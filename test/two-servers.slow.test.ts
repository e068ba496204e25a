/** Slow: servers that end, one after the other, and the time after which another notices. */
import { describe, expect, it } from 'vitest'
import { TestProject } from './support/project.ts'
import { serve } from './support/server.ts'

function project(): TestProject {
  const made = new TestProject()
  made.write('conf/managed.json', { objects: [{ name: 'user' }] })
  return made
}

const warning = /another server works on this data folder: process \d+/

describe('a server on a folder that another one serves', () => {
  it('says so, names the other, and works', async () => {
    using folder = project()
    await using first = await serve(folder)
    await using second = await serve(folder)
    expect(second.log()).toMatch(warning)
    expect(second.log()).toContain(`process ${first.pid}.`)
    expect(first.log()).not.toMatch(warning)
    expect((await second.call('PUT', 'managed/user/a', { body: { userName: 'a' } })).status).toBe(201)
    expect((await first.call('GET', 'managed/user/a')).status).toBe(200)
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'has nothing to say after the other ended by %s',
    async (signal) => {
      using folder = project()
      const before = await serve(folder)
      await before.stop(signal)
      await using after = await serve(folder)
      expect(after.log()).not.toMatch(warning)
    },
  )

  it('is the other of a third, once the first has ended', async () => {
    using folder = project()
    const first = await serve(folder)
    await using second = await serve(folder)
    await first.stop()
    await expect.poll(() => second.log() + second.out(), { timeout: 60_000 }).toContain('no other server')
    await using third = await serve(folder)
    expect(third.log()).toContain(`process ${second.pid}.`)
  })

  it('has nothing to say to commands', async () => {
    using folder = project()
    await using _server = await serve(folder)
    const { code, err } = folder.syncline(['runs'])
    expect([code, err]).toEqual([0, expect.not.stringMatching(warning)])
  })
})
