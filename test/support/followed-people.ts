import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { ChangingPeople, type PeoplePlace, type Person } from './changing-people.ts'
import type { TestProject } from './project.ts'
import { type Server, serve } from './server.ts'

/** People of a system, and the copy of them that a server keeps by liveSync, every second. */
export interface Followed {
  readonly project: TestProject
  readonly place: PeoplePlace
  /** The resource that says how far liveSync has come. */
  readonly stage: string
  copied(server: Server): Promise<readonly Person[]>
}

export interface Chances {
  readonly changes: number
  readonly kills: number
  /** So many people are there when the changes begin. */
  readonly population?: number
  /** Between two changes, in milliseconds. */
  readonly pause?: number
  /** Nobody changes again before the last change is carried over: then two-way mappings have nothing to disagree about. */
  readonly resting?: boolean
}

const byNumber = (people: readonly Person[]) => people.toSorted((a, b) => Number(a.number) - Number(b.number))

/** Changes people by chance while the server is killed again and again, requires the copy to be right all the time, and says how it went. */
export async function followWhileKilled(followed: Followed, chances: Chances): Promise<string> {
  const { project, place, stage } = followed
  const { changes, kills, population = 0, pause = 0, resting = false } = chances
  let server = await serve(project)
  let isUp = true
  let carried = 0
  let longest = 0
  let started = 0
  const told = async () => {
    const { body } = await server.call('GET', stage)
    carried = Date.parse(body.completeAsOf)
    return carried
  }
  const changing = new ChangingPeople(place, { settled: () => (resting ? carried : undefined) })
  await expect.poll(async () => (await server.call('GET', stage)).status).toBe(200)
  for (let number = 0; number < population; number++) await changing.step('create')
  const begun = Date.now()
  await expect.poll(told).toBeGreaterThan(begun)
  for (let kill = 0; kill < kills; kill++) {
    const part = Math.ceil(changes / kills)
    const moment = Math.floor(Math.random() * part)
    let restarted: Promise<unknown> = Promise.resolve()
    for (let step = 0; step < part; step++) {
      await changing.step()
      if (pause > 0) await sleep(pause)
      // While it is down nothing is carried over; from the first liveSync after it, an interval has to do.
      if (isUp && step % 10 === 0 && (await told()) > started)
        longest = Math.max(longest, Date.now() - carried)
      if (step !== moment) continue
      // Anywhere within an interval: what came before is being carried on, or waits.
      await sleep(Math.random() * 1_000)
      isUp = false
      await server.stop('SIGKILL')
      restarted = serve(project).then((again) => {
        server = again
        started = Date.now()
        isUp = true
      })
    }
    await restarted
    await requireComplete(followed, server, changing)
    const now = Date.now()
    await expect.poll(told).toBeGreaterThan(now)
    await requireComplete(followed, server, changing)
  }
  const last = Date.now()
  await expect.poll(told).toBeGreaterThan(last)
  const took = Date.now() - last
  await requireComplete(followed, server, changing)
  const there = byNumber(await place.people())
  expect(there).toEqual(byNumber(changing.people))
  expect(byNumber(await followed.copied(server))).toEqual(there)
  const record = (await server.call('GET', stage)).body
  expect([record.lastException, record.compared]).toEqual([undefined, undefined])
  await server[Symbol.asyncDispose]()
  const said = [...changing.counts].map(([kind, number]) => `${number} ${kind}`).join(', ')
  const seconds = ((last - begun) / 1000).toFixed(0)
  return `${changes} changes (${said}), ${kills} kills, ${seconds} s; at most ${longest} ms behind, complete ${took} ms after the last one`
}

/** Up to when the server says that it knows everything, and what it has then must be so. */
async function requireComplete(
  { stage, copied }: Followed,
  server: Server,
  changing: ChangingPeople,
): Promise<void> {
  const { completeAsOf } = (await server.call('GET', stage)).body
  const expected = changing.before(Date.parse(completeAsOf))
  const found = Map.groupBy(await copied(server), ({ number }) => number)
  const now = changing.before(Number.POSITIVE_INFINITY)
  for (const [number, person] of expected) {
    // It may have changed since `expected` was looked at.
    if (now.get(number) !== person) continue
    expect(found.get(number) ?? [], `${number}, as of ${completeAsOf}`).toEqual(person ? [person] : [])
  }
}
