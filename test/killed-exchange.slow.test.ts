import { once } from 'node:events'
import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { contents } from './support/people.ts'
import { csvConnector, type RunObject, TestProject } from './support/project.ts'

/**
 * People whose accounts in a file take each other's ids, in a process that is killed just when it has written the file, or a little later. `home` is not the
 * mapping's: it says whose account a row is, whatever its id.
 */
const people = 900
const rounds = 6
/** More rounds are played until a kill has hit the writing, but not for ever. */
const patience = 20

const rowOf = (person: number, login: string) => `"${login}","Person ${person}","home ${person}"`

function exchangeProject(): TestProject {
  const project = new TestProject()
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'login', 'name']))
  project.write('conf/provisioner.openicf-out.json', csvConnector('out', ['login', 'name', 'home']))
  project.write('conf/managed.json', { objects: [{ name: 'user' }] })
  project.write('conf/sync.json', {
    mappings: [
      {
        name: 'exchange',
        source: 'system/hr/account',
        target: 'system/out/account',
        guard: false,
        properties: [
          { source: 'login', target: 'login' },
          { source: 'name', target: 'name' },
        ],
      },
    ],
  })
  return project
}

function writeSource(project: TestProject, logins: readonly string[]): void {
  const rows = logins.map((login, person) => `${person},${login},Person ${person}`)
  project.write('data/hr.csv', `${['uid,login,name', ...rows].join('\n')}\n`)
}

/** Neighbours swap, some of them over the border of a page; a part goes round in a circle; the last ones hand on what they have. */
function passedOn(logins: readonly string[], round: number): readonly string[] {
  const third = people / 3
  const next = [...logins]
  for (let at = round % 2; at + 1 < third; at += 2) {
    next[at] = logins[at + 1] ?? ''
    next[at + 1] = logins[at] ?? ''
  }
  for (let at = third; at < 2 * third; at++) next[at] = logins[at + 1 < 2 * third ? at + 1 : third] ?? ''
  for (let at = 2 * third; at < people; at++) next[at] = logins[at + 1] ?? `new${round}`
  return next
}

/** Kills a run so many milliseconds after it has replaced the file for the n-th time; false if it was over before. */
async function killed(project: TestProject, replacements: number, after: number): Promise<boolean> {
  const child = project.start(['recon', 'exchange'])
  const ended = once(child, 'exit')
  const file = project.path('data/out.csv')
  let { ino } = statSync(file)
  for (let left = replacements; left > 0 && child.exitCode === null; await sleep(1)) {
    const now = statSync(file).ino
    if (now !== ino) left--
    ino = now
  }
  await sleep(after)
  child.kill('SIGKILL')
  const [, signal] = await ended
  return signal === 'SIGKILL'
}

it('no account becomes that of another person, and the end is that of an undisturbed run', async () => {
  using project = exchangeProject()
  let logins: readonly string[] = Array.from({ length: people }, (_, person) => `l${person}`)
  writeSource(project, logins)
  const rows = logins.map((login, person) => rowOf(person, login))
  project.write('data/out.csv', 'login,name,home\n')
  project.json('recon', 'exchange')
  project.write('data/out.csv', `login,name,home\n${rows.join('\n')}\n`)
  let hits = 0
  for (let round = 0; round < rounds || (hits === 0 && round < patience); round++) {
    logins = passedOn(logins, round)
    writeSource(project, logins)
    if (await killed(project, 1 + Math.floor(4 * Math.random()), 6 * Math.random())) hits++
    await killed(project, 1, 6 * Math.random())
    const { state, statusSummary } = project.json<RunObject>('recon', 'exchange')
    expect([state, statusSummary.FAILURE]).toEqual(['SUCCESS', 0])
    const [, ...lines] = project.read('data/out.csv').trimEnd().split('\n')
    expect(lines.toSorted()).toEqual(logins.map((login, person) => rowOf(person, login)).toSorted())
    const { links } = await contents(project, 'exchange')
    expect(links.toSorted()).toEqual(logins.map((login, person) => [String(person), login]).toSorted())
  }
  expect(hits).toBeGreaterThan(0)
})
