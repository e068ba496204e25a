import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { contents, people, peopleProject, wholeRow } from './support/people.ts'
import type { RunObject, TestProject } from './support/project.ts'

/**
 * A real process is killed at moments chosen at random, first in the middle of its work and then in the middle of
 * repairing that; the end state is compared with that of an undisturbed run.
 */
const rounds = 5
/** More rounds are played until a kill has hit the writing, but not for ever. */
const patience = 20

/** Kills a run after so many milliseconds; false if it was over before. */
async function killed(project: TestProject, mapping: string, after: number): Promise<boolean> {
  const child = project.start(['recon', mapping])
  const ended = once(child, 'exit')
  await Promise.race([sleep(after), ended])
  child.kill('SIGKILL')
  const [, signal] = await ended
  return signal === 'SIGKILL'
}

function newBeginning(project: TestProject): void {
  rmSync(project.path('.syncline'), { recursive: true, force: true })
  project.write('out/out.csv', 'login,name,mail\n')
}

interface Trial {
  readonly mapping: string
  /** Looks at what a kill left; true if it was in the middle of writing. */
  readonly afterKill: (project: TestProject) => Promise<boolean>
  /** What must be the same as without a kill. */
  readonly endState: (project: TestProject) => Promise<unknown>
}

async function play({ mapping, afterKill, endState }: Trial): Promise<void> {
  using project = peopleProject()
  // A process of its own, as those that are killed: to begin takes it longer than the run.
  const started = performance.now()
  expect(await once(project.start(['recon', mapping]), 'exit')).toEqual([0, null])
  const duration = performance.now() - started
  const undisturbed = await endState(project)
  let hits = 0
  for (let round = 0; round < rounds || (hits === 0 && round < patience); round++) {
    newBeginning(project)
    for (let kill = 0; kill < 2; kill++) {
      const moment = duration * (0.3 + 0.7 * Math.random())
      if ((await killed(project, mapping, moment)) && (await afterKill(project))) hits++
    }
    const { state, statusSummary } = project.json<RunObject>('recon', mapping)
    expect([state, statusSummary.FAILURE]).toEqual(['SUCCESS', 0])
    expect(await endState(project)).toEqual(undisturbed)
  }
  expect(hits).toBeGreaterThan(0)
}

describe('a run that is killed, started again, killed again and completed', () => {
  it('into managed objects: every object has its link at every moment, and the end is that of an undisturbed run', async () => {
    await play({
      mapping: 'inside',
      async afterKill(project) {
        const { users, links } = await contents(project, 'inside')
        expect(links.map(([, targetId]) => targetId).toSorted()).toEqual([...users.keys()].toSorted())
        return users.size > 0 && users.size < people
      },
      async endState(project) {
        const { users, links } = await contents(project, 'inside')
        // Ids are made anew; who is linked to what content is not.
        return {
          users: [...users.values()].map(({ userName, name, mail }) => [userName, name, mail]).toSorted(),
          links: links
            .map(([sourceId, targetId]) => [sourceId, users.get(targetId)?.userName ?? 'nothing'])
            .toSorted(),
        }
      },
    })
  })

  it('into a file: it is whole at every moment, no link is dangling, and the end is that of an undisturbed run', async () => {
    const rowsOf = (project: TestProject) => project.read('out/out.csv').split('\n').slice(1, -1)
    await play({
      mapping: 'outside',
      async afterKill(project) {
        const rows = rowsOf(project)
        const logins = new Set(rows.map((row) => wholeRow.exec(row)?.[1]))
        expect(logins).not.toContain(undefined)
        expect(logins.size).toBe(rows.length)
        const { links } = await contents(project, 'outside')
        expect(
          links.filter(([sourceId, targetId]) => sourceId !== targetId || !logins.has(targetId)),
        ).toEqual([])
        return rows.length > 0 && rows.length < people
      },
      async endState(project) {
        const { links } = await contents(project, 'outside')
        return {
          files: readdirSync(project.path('out')),
          rows: rowsOf(project).toSorted(),
          links: links.toSorted(),
        }
      },
    })
  })
})

describe('accounts whose links were lost with a run', () => {
  it('are found by correlation and linked; the file is not written', () => {
    using project = peopleProject()
    project.json('recon', 'outside')
    rmSync(project.path('.syncline'), { recursive: true })
    const file = project.stamp('out/out.csv')
    const { situationSummary, progress } = project.json<RunObject>('recon', 'outside')
    expect(situationSummary).toMatchObject({ FOUND: people, ABSENT: 0 })
    expect(progress.links.created).toBe(people)
    expect(project.stamp('out/out.csv')).toEqual(file)
  })
})
