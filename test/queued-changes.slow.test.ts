import { existsSync, renameSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Slow: changes through the queue, while the target goes away and comes back and the server is killed (engine §8.5). */
const mapping = 'user_dir'
const people = 60
const rounds = 8

let project: TestProject
let server: Server

async function open(queuedSync: object): Promise<void> {
  project = new TestProject()
  project.write('data/dir.csv', 'login,mail\n')
  project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'mail']))
  const text = { type: 'string' }
  const schema = { type: 'object', properties: { userName: text, mail: text } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  project.write('conf/sync.json', {
    mappings: [
      {
        name: mapping,
        source: 'managed/user',
        target: 'system/dir/account',
        queuedSync: { enabled: true, pollingInterval: 20, retryDelay: 20, ...queuedSync },
        properties: [
          { source: 'userName', target: 'login' },
          { source: 'mail', target: 'mail' },
        ],
        policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
      },
    ],
  })
  server = await serve(project)
}

afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  project?.[Symbol.dispose]()
})

const rows = () => project.read('data/dir.csv').trim().split('\n').slice(1).toSorted()
/** A page that was just being put into place is the file with the page in it: what was moved away is older then. */
function bringBack(away: string, here: string): void {
  if (!existsSync(here)) renameSync(away, here)
}

const queue = async () => (await server.call('GET', 'sync/queue?_queryFilter=true')).body.result as unknown[]
const put = (id: number, round: number) =>
  server.call('PUT', `managed/user/u${id}`, { body: { userName: `u${id}`, mail: `${round}@x` } })

/** Every person is changed again and again, many at once; each request waits for its own response only. */
async function changeEverybody(from: number, to: number): Promise<void> {
  const everybody = Array.from({ length: people }, async (_, id) => {
    for (let round = from; round < to; round++) {
      const { status } = await put(id, round)
      expect([200, 201]).toContain(status)
    }
  })
  await Promise.all(everybody)
}

describe('changes through a queue', () => {
  it('are answered at once, arrive in order, none lost and none doubled, despite failures of target and server', async () => {
    await open({})
    await changeEverybody(0, 2)
    const [here, away] = [project.path('data/dir.csv'), project.path('data/dir.away')]
    renameSync(here, away)
    await changeEverybody(2, 4)
    expect((await queue()).length).toBeGreaterThan(0)
    await server.stop('SIGKILL')
    bringBack(away, here)
    server = await serve(project)
    await changeEverybody(4, 6)
    renameSync(here, away)
    await changeEverybody(6, rounds)
    await server.stop('SIGKILL')
    server = await serve(project)
    bringBack(away, here)
    await expect.poll(queue).toEqual([])
    const expected = Array.from({ length: people }, (_, id) => `"u${id}","${rounds - 1}@x"`).toSorted()
    expect(rows()).toEqual(expected)
    const links = project.json<{ total: number }>('links', mapping)
    expect(links.total).toBe(people)
    // In order: what was written to an object never went back.
    for (const id of [0, people - 1]) {
      const { result } = (
        await server.call(
          'GET',
          `audit/sync?_queryFilter=${encodeURIComponent(`sourceObjectId eq "managed/user/u${id}"`)}`,
        )
      ).body
      const written = result.flatMap(({ changes }: { changes?: Record<string, { after: string }> }) =>
        changes?.['/mail'] ? [Number(changes['/mail'].after.replace('@x', ''))] : [],
      )
      expect(written).toEqual(written.toSorted((a: number, b: number) => a - b))
      expect(written.at(-1)).toBe(rounds - 1)
    }
  })

  it('become dead letters that the command line lists, shows, retries and discards', async () => {
    await open({ maxRetries: 1, postRetryAction: 'dead-letter-queue' })
    const [here, away] = [project.path('data/dir.csv'), project.path('data/dir.away')]
    renameSync(here, away)
    await put(1, 0)
    await put(2, 0)
    const dead = () => project.json<{ _id: string; resourceId: string; state: string }[]>('queue', '--dead')
    await expect.poll(() => dead().length).toBe(2)
    bringBack(away, here)
    const [first, second] = dead()
    expect(project.syncline(['queue', '--dead']).out).toMatch(
      /DEAD +user_dir +notifyCreate +managed\/user\/u1/,
    )
    expect(project.syncline(['queue', '--show', String(first?._id)]).out).toContain('"mail": "0@x"')
    await server.call('POST', `sync/queue/${first?._id}?_action=retry`)
    await expect.poll(rows).toEqual([`"${first?.resourceId}","0@x"`])
    expect(project.syncline(['queue', '--discard', String(second?._id)]).code).toBe(0)
    expect(dead()).toEqual([])
    expect(project.syncline(['queue']).out).toContain('Nothing waits')
  })
})
