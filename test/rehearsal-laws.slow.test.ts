import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseFilter } from '../src/model/filter/parse.ts'
import type { PlanLine } from '../src/plan/plan-line.ts'
import type { Application } from '../src/server/application.ts'
import type { Flowed } from '../src/sync/changes/run-flows.ts'
import { type Applied, planEntry } from '../src/sync/page/operation.ts'
import { makePlan, type PlannedMapping } from '../src/sync/plans/planned-mapping.ts'
import { runs } from '../src/testing/runs.ts'
import { script } from '../src/testing/script.ts'
import { behind, email, notAtOnce, open, planned, text, town } from './support/flowing-town.ts'

const person = fc.record({
  id: fc.constantFrom('1', '2', '3', '4', '5'),
  mail: fc.constantFrom('a@x.org', 'b@x.org', 'wrong', ''),
  name: fc.constantFrom('Ann', 'Bob', 'Cid', ''),
})
const people = fc.uniqueArray(person, { selector: ({ id }) => id, maxLength: 5 })
const world = fc.record({
  before: people,
  after: people.filter((all) => all.length > 0),
  accounts: people,
  mail: fc.constantFrom({ ...text, searchable: true }, email, {
    ...text,
    searchable: true,
    policies: [{ policyId: 'unique' }],
  }),
  user: fc.constantFrom<object[]>(
    {},
    { onCreate: script(`if (!object.name) { throw { code: 400, message: 'no name' } }`) },
    { onUpdate: script(`object.name = object.name + '!'`) },
    { onSync: script(`if (syncResults.success === false) { throw 'not synchronized' }`) },
    { onDelete: script(`if (object.name === 'Bob') { throw 'Bob stays' }`) },
    {
      postCreate: script(
        `if (object.name !== 'Copy') { openidm.create('managed/user', null, { userName: 'copy-' + object.userName, name: 'Copy' }) }`,
      ),
    },
  ),
  dirMapping: fc.constantFrom<object[]>(
    {},
    notAtOnce,
    {
      onCreate: script(`if (source.name === 'Cid') { throw 'no Cid' }; target.name = target.name || 'made'`),
    },
    { validSource: script(`source.name !== 'Ann'`) },
    { queuedSync: { enabled: true, pollingInterval: 50 } },
    { enableLinking: true, triggerSyncProperties: ['mail'] },
  ),
})
type World = typeof world extends fc.Arbitrary<infer T> ? T : never

const rowsOf = (all: World['before']) => all.map(({ id, mail, name }) => `${id},${mail},${name}`)

/** A line without the ids of managed users, which nobody knows beforehand. */
function comparable({ mapping, situation, action, targetId, refusal, changes, writes }: PlanLine): string {
  const id = mapping === 'user_dir' ? targetId : undefined
  const why = refusal
    ?.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|\(new target of [^)]*\)/g, '…')
    .replace(/; .*/, '')
  return JSON.stringify([mapping, situation, action, id, why, writes, changes])
}

function entriesOf({ mapping, done, sync }: Flowed): readonly string[] {
  if (!sync) return []
  return done.map((operation: Applied) =>
    comparable(JSON.parse(JSON.stringify(planEntry(mapping, operation, sync.targets.isSecret)))),
  )
}

async function performed(application: Application, mapping: string) {
  const flowed: string[] = []
  using _ = application.flows.listen((told) => void flowed.push(...entriesOf(told)))
  const { run, done } = await application.reconciliations.start({ mapping }, application.administrator)
  await done
  await application.changes.idle()
  const { result } = await application.repository.audit.query('recon', {
    filter: parseFilter(`reconId eq "${run.id}" and entryType eq "entry"`),
  })
  return { run, flowed, failed: result.filter(({ status }) => status === 'FAILURE').length }
}

describe('for any people, policies, scripts and ways of synchronization', () => {
  it('what follows from a run is what its plan said would follow', async () => {
    let followed = 0
    await fc.assert(
      fc.asyncProperty(world, async ({ before, after, accounts, ...given }) => {
        using project = town({ hr: rowsOf(before), dir: rowsOf(accounts), ...given })
        await using application = await open(project)
        await application.changes.start()
        if (before.length > 0) await performed(application, 'hr_user')
        project.write('data/hr.csv', `id,mail,name\n${rowsOf(after).join('\n')}\n`)
        const { lines, facts } = await planned(application, 'hr_user')
        expect(facts?.rehearsed).toMatchObject({ stale: 0, notDone: {} })
        const { flowed, run } = await performed(application, 'hr_user')
        expect(
          behind(lines)
            .map((line) => comparable(JSON.parse(JSON.stringify(line))))
            .toSorted(),
        ).toEqual(flowed.toSorted())
        expect(facts?.flowsOn?.map(({ mapping, decided }) => [mapping, decided?.failed]) ?? []).toEqual(
          facts?.flowsOn?.[0]?.queued
            ? [['user_dir', facts.flowsOn[0].decided?.failed]]
            : run.flows.map(({ mapping, statistics }) => [mapping, statistics.failed]),
        )
        followed += flowed.length
      }),
      runs(60),
    )
    expect(followed).toBeGreaterThan(0)
  })

  it('what all mappings do in a row is what the plan of all said', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ before, after, accounts, ...given }) => {
        using project = town({
          hr: rowsOf(after),
          dir: rowsOf(accounts),
          ...given,
          dirMapping: { ...given.dirMapping, ...notAtOnce },
        })
        await using application = await open(project)
        const plans = await planOfAll(application)
        for (const { mapping, lines } of plans) {
          const { run } = await performed(application, mapping)
          const { FAILURE } = run.statistics.status
          const would = lines.filter(({ refusal, action }) => refusal !== undefined && action !== 'EXCEPTION')
          expect([mapping, FAILURE]).toEqual([mapping, would.length])
          const { created, updated, deleted } = run.statistics.written
          const counted = (wanted: string) =>
            lines.filter(
              ({ action, writes, refusal }) => writes && refusal === undefined && action === wanted,
            ).length
          expect([created, deleted]).toEqual([counted('CREATE'), counted('DELETE')])
          expect(updated).toBeLessThanOrEqual(counted('UPDATE'))
        }
      }),
      runs(40),
    )
  })
})

async function planOfAll(application: Application) {
  await using rehearsal = await application.rehearse()
  const plans: { mapping: string; lines: PlanLine[]; made: PlannedMapping }[] = []
  for (const mapping of application.mappings) {
    const lines: PlanLine[] = []
    const made = await makePlan(rehearsal.reconciliations, { mapping }, application.administrator, {
      ...{ rehearsal, onLine: (line) => void (line.mapping === mapping && lines.push(line)) },
    })
    plans.push({ mapping, lines, made })
  }
  return plans
}
