import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../src/model/json.ts'
import type { PlanHeader, PlanLine } from '../src/plan/plan-line.ts'
import { startPlan } from '../src/sync/plans/make-plan.ts'
import type { PlanSource } from '../src/sync/plans/plan-source.ts'
import { administrator, openWorld, source, target, type World } from '../src/sync/testing/world.ts'
import { runs } from '../src/testing/runs.ts'
import { type RunObject, TestProject } from './support/project.ts'
import { endState, type State, state, worldIn } from './support/states.ts'

const users = 'hrAccount_managedUser'
const accounts = 'managedUser_directoryAccount'

/** A plan in memory, as it would come back from a file. */
async function planOf(
  world: World,
  overrides: JsonObject = {},
): Promise<PlanSource & { readonly all: readonly PlanLine[] }> {
  const texts: string[] = []
  const sink = { add: (line: PlanLine) => void texts.push(JSON.stringify(line)), async flush() {} }
  const { header } = await startPlan(
    world.reconciliations,
    { mapping: 'person_user', overrides },
    administrator,
    () => sink,
  )
  const facts = (await header) as PlanHeader
  const all = texts.map((text) => JSON.parse(text) as PlanLine)
  return {
    header: facts,
    all,
    async *lines(phase) {
      yield all.filter((line) => line.phase === phase)
    },
  }
}

const writing = ({ all }: { readonly all: readonly PlanLine[] }) => all.filter(({ writes }) => writes)

/** What another user does between the plan and its execution. */
type Change = readonly [kind: 'source' | 'target' | 'gone' | 'link', index: number]
const changes = fc.array(
  fc.tuple(fc.constantFrom('source', 'target', 'gone', 'link'), fc.nat(5)) as fc.Arbitrary<Change>,
  { minLength: 1, maxLength: 3 },
)

async function make(world: World, { persons, users: accounts }: State, [kind, index]: Change): Promise<void> {
  const person = persons[index % persons.length] as JsonObject
  const user = accounts[index % Math.max(1, accounts.length)]
  if (kind === 'source') await world.change(`${source}/${person._id}`, { ...person, name: 'Changed' })
  else if (kind === 'link') {
    const links = await world.repository.links.query({ filter: { kind: 'literal', value: true } })
    const link = links.result[index % Math.max(1, links.result.length)]
    if (link) await world.repository.links.delete([link])
  } else if (user && (await world.all(target))[String(user._id)]) {
    if (kind === 'gone') await world.remove(`${target}/${user._id}`)
    else await world.change(`${target}/${user._id}`, { ...user, note: 'changed' })
  }
}

describe('a plan that is performed', () => {
  it('comes to what the run would have come to, and a second plan to what a second run would do', async () => {
    let stale = 0
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        await using planned = await worldIn(given)
        await using direct = await worldIn(given)
        const plan = await planOf(planned)
        const { run } = await planned.run({ plan })
        await direct.run()
        expect(run.state).toBe('SUCCESS')
        expect(await endState(planned)).toEqual(await endState(direct))
        stale += run.planned?.stale ?? 0
        const [second, wanted] = [await planOf(planned), await planOf(direct)]
        expect(writing(second).length).toBe(writing(wanted).length)
        if (given.links.length === 0) expect(writing(second)).toEqual([])
      }),
      runs(1000),
    )
    expect(stale).toBe(0)
  })

  it('a second time changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(state, async (given) => {
        await using world = await worldIn(given)
        const plan = await planOf(world)
        await world.run({ plan })
        const before = [await world.all(target), await world.links()]
        await world.run({ plan })
        expect(world.writes).toEqual([])
        expect([await world.all(target), await world.links()]).toEqual(before)
      }),
      runs(50),
    )
  })

  it('as a whole, for a reason, ends the case that the guard has made of it; in part it does not', async () => {
    const properties = [{ source: 'mail', target: 'mail' }]
    await using world = await openWorld({ mapping: { properties, guard: { maxCreates: 1 } } })
    await world.persons({ _id: 'p1', mail: '1@x' }, { _id: 'p2', mail: '2@x' })
    const plan = await planOf(world)
    const kinds = async () => {
      const { result } = await world.repository.issues.query({ filter: { kind: 'literal', value: true } })
      return result.map(({ kind }) => kind)
    }
    expect((await world.run({ plan })).run.problem?.hint).toContain('--override-guard --reason')
    expect(await kinds()).toEqual(['GUARD'])
    const overrides = { overrideGuard: true, reason: 'two have come' }
    await world.run({ plan, overrides, planFilters: { ids: ['p1'] } })
    expect(await kinds()).toEqual(['GUARD'])
    const { run } = await world.run({ plan, overrides })
    expect([run.planned, await kinds()]).toEqual([
      { performed: 1, failed: 0, stale: 0, done: 1, unchanged: 0 },
      [],
    ])
  })

  it('remembers what the source has, so that a column that is lost later stops the next run', () => {
    using project = TestProject.example()
    project.edit('data/hr.csv', (text) => `${text.split('\n').slice(0, 20).join('\n')}\n`)
    project.syncline(['plan', users, '--out', project.path('plan.ndjson')])
    expect(project.syncline(['apply', project.path('plan.ndjson')]).code).toBe(0)
    project.edit('data/hr.csv', (text) => text.replace('job_title', 'position'))
    for (const command of [
      ['recon', users],
      ['plan', users],
      ['apply', project.path('plan.ndjson')],
    ]) {
      const { code, out } = project.syncline(command)
      expect([code, out]).toEqual([1, expect.stringMatching(/no longer has \S* ?\(?job/)])
    }
  })

  it('leaves out what has changed since, and touches nothing that it does not name', async () => {
    let left = 0
    await fc.assert(
      fc.asyncProperty(state, changes, async (given, made) => {
        await using world = await worldIn(given)
        const plan = await planOf(world)
        for (const change of made) await make(world, given, change)
        const before = await world.all(target)
        const linksBefore = await world.links()
        const { run } = await world.run({ plan })
        left += run.planned?.stale ?? 0
        const changed = new Set(
          made
            .filter(([kind]) => kind === 'source')
            .map(([, index]) => given.persons[index % given.persons.length]?._id),
        )
        const mayWrite = writing(plan).filter(({ sourceId }) => !changed.has(sourceId))
        const named = new Set(mayWrite.flatMap(({ targetId }) => targetId ?? []))
        const after = await world.all(target)
        for (const [id, object] of Object.entries(before)) {
          if (!named.has(id)) expect(after[id]).toEqual(object)
          // Another user's change is never reverted.
          else if (object.note === 'changed') expect(after[id]).toEqual(object)
        }
        const created = Object.keys(after).filter((id) => !before[id]).length
        expect(created).toBeLessThanOrEqual(mayWrite.filter(({ action }) => action === 'CREATE').length)
        for (const link of await world.links()) {
          if (linksBefore.includes(link)) continue
          expect(mayWrite.map(({ sourceId }) => sourceId)).toContain(link.split(' ')[0])
        }
      }),
      runs(150),
    )
    expect(left).toBeGreaterThan(0)
  })
})

it('a plan has no lines about link clean-up, which needs no decision', async () => {
  const given: State = { persons: [{ _id: 'p0', mail: 'a@x' }], users: [], links: [['gone', 'lost']] }
  await using world = await worldIn(given)
  const { all } = await planOf(world, { cleanUpLinks: true })
  expect(all.map(({ sourceId }) => sourceId)).toEqual(['p0'])
})

describe('a plan file', () => {
  let template: TestProject | undefined
  afterAll(() => template?.[Symbol.dispose]())
  /** Of all that the first mapping has to do. */
  function planned(): TestProject {
    template ??= make()
    return template.copy()
  }
  function make(...more: string[]): TestProject {
    const project = TestProject.example()
    const { code, err, out } = project.syncline([
      'plan',
      users,
      '--out',
      project.path('plan.ndjson'),
      ...more,
    ])
    expect(code, err + out).toBe(0)
    return project
  }
  const apply = (project: TestProject, ...more: string[]) =>
    project.syncline(['apply', project.path('plan.ndjson'), ...more])
  const header = (project: TestProject) => JSON.parse(project.read('plan.ndjson').split('\n')[0] as string)

  it('names the scripts that run when it is performed, of the mapping and of the target', () => {
    using project = TestProject.example()
    const later = { type: 'text/javascript', source: '1' }
    project.edit('conf/managed.json', (text) => {
      const { objects, ...more } = JSON.parse(text)
      const withScript = objects.map((one: object) => ({ ...one, postCreate: later, postDelete: later }))
      return JSON.stringify({ ...more, objects: withScript })
    })
    project.edit('conf/sync.json', (text) => {
      const { mappings, ...more } = JSON.parse(text)
      const [first, ...others] = mappings
      return JSON.stringify({ ...more, mappings: [{ ...first, onLink: later }, ...others] })
    })
    project.edit('data/hr.csv', (text) => `${text.split('\n').slice(0, 20).join('\n')}\n`)
    const fact =
      'Scripts that run when it is performed: onLink, postCreate of managed/user. What they do is not'
    const file = project.path('plan.ndjson')
    expect(project.syncline(['plan', users, '--out', file]).out).toContain(fact)
    expect(project.syncline(['show', file]).out).toContain(fact)
    project.syncline(['apply', file])
    project.syncline(['plan', users, '--out', file])
    expect(project.syncline(['show', file]).out).not.toContain('postCreate')
  })

  it('says what it holds, is performed as it says, and has nothing left to do the second time', () => {
    using project = planned()
    expect(header(project)).toMatchObject({
      plan: 1,
      mapping: users,
      entries: 500,
      counts: { ABSENT: { CREATE: 458 }, SOURCE_IGNORED: { REPORT: 42 } },
      writes: { creates: 458, updates: 0, deletes: 0, others: 0 },
      guard: { passes: true, exceeded: [] },
    })
    const first = project.json<RunObject & { plan: object }>('apply', project.path('plan.ndjson'))
    expect([first.progress.target.created, first.plan]).toEqual([
      458,
      { performed: 458, failed: 0, stale: 0, done: 0, unchanged: 42 },
    ])
    const second = apply(project)
    expect(second.code, second.err).toBe(0)
    expect(second.out).toContain('0 entries performed, 42 with nothing to do, 458 done already, 0 left out')
  })

  it('is shown on one screen, in three formats, without the project', () => {
    using project = planned()
    const show = (...more: string[]) => project.syncline(['show', project.path('plan.ndjson'), ...more])
    const text = show()
    expect(text.code, text.err).toBe(0)
    expect(text.out).toContain('500 entries, 458 to write, 42 with nothing to do')
    expect(text.out).toMatch(/\+ accountStatus +458 {2}"active"\n/)
    expect(text.out.split('\n').length).toBeLessThan(50)
    expect(show('--format', 'markdown').out).toContain('## CREATE 458 (ABSENT)')
    expect(show('--format', 'html').out).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
    expect(JSON.parse(show('--json', '--only-id', '1001').out)).toMatchObject({ writes: 1 })
    expect(project.syncline(['show', 'nowhere.ndjson'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('cannot be read'),
    })
  })

  it('undoes a run, from what is on record', () => {
    using project = planned()
    const { _id } = project.json<RunObject & { _id: string }>('recon', users)
    const back = project.syncline(['undo', _id, '--out', project.path('back.ndjson')])
    expect(back.code, back.err).toBe(0)
    expect(back.out).toContain('DELETE 458 (ABSENT)')
    const released = ['--override-guard', '--reason', 'wrong export']
    const undone = project.syncline(['apply', project.path('back.ndjson'), ...released])
    expect(undone.code, undone.out + undone.err).toBe(0)
    expect(project.json<{ result: unknown[] }>('query', 'managed/user').result).toEqual([])
    expect(project.syncline(['undo', 'nobody'])).toMatchObject({
      err: expect.stringContaining('Nothing is on record'),
    })
  })

  it('has a reason and the exact changes in every line', () => {
    using project = TestProject.loaded(users)
    project.syncline(['plan', accounts, '--out', project.path('plan.ndjson')])
    const lines = project
      .read('plan.ndjson')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line) as PlanLine)
    expect(lines).toHaveLength(464)
    const found = lines.find(({ situation }) => situation === 'FOUND')
    expect(found?.reason).toMatch(/^no link, and correlation \(.* eq ".*"\) finds \S+, which has no link$/)
    expect(lines.find(({ situation }) => situation === 'AMBIGUOUS')?.reason).toMatch(/finds 2 targets$/)
    expect(lines.find(({ situation }) => situation === 'UNASSIGNED')?.reason).toBe(
      'no source leads to it, and it has no link',
    )
    expect(found?.changes.length).toBeGreaterThan(0)
    expect(found?.read).toEqual({ source: expect.any(String), target: expect.any(String), link: null })
  })

  it('leaves out what has changed since, names it, and ends with exit code 1', () => {
    using project = planned()
    project.edit('data/hr.csv', (text) => text.replace('Prévost', 'Prevost'))
    const { code, out } = apply(project)
    expect(code).toBe(1)
    expect(out).toContain('457 entries performed, 42 with nothing to do, 0 done already, 1 left out')
    expect(out).toMatch(/CREATE {2}1001 → \(new\): the source has changed/)
    expect(project.json('query', 'managed/user', 'employeeNumber eq "1001"')).toMatchObject({
      resultCount: 0,
    })
  })

  it.each([
    ['only some actions', ['--only-action', 'report'], '0 entries performed, 42 with nothing to do'],
    ['only some objects', ['--only-id', '1001', '--only-id', '1002'], '2 entries performed'],
    ['only so many', ['--limit', '7'], '7 entries performed'],
  ])('may be performed in part: %s', (_what, options, says) => {
    using project = planned()
    const { code, out } = apply(project, ...options)
    expect([code, out]).toEqual([0, expect.stringContaining(says)])
  })

  it('may be made in part', () => {
    using project = make('--only-action', 'CREATE', '--limit', '5')
    expect(header(project)).toMatchObject({
      entries: 5,
      counts: { ABSENT: { CREATE: 5 } },
      filters: { actions: ['CREATE'], limit: 5 },
    })
    expect(apply(project).out).toContain('5 entries performed')
  })

  it.each<[string, (project: TestProject) => void, RegExp]>([
    [
      'another configuration',
      (project) => project.edit('script/telephoneNumber.js', (text) => `${text}\n// other`),
      /another configuration of the mapping/,
    ],
    [
      'an edited line',
      (project) => project.edit('plan.ndjson', (text) => text.replace('"after":"active"', '"after":"gone"')),
      /an entry was changed/,
    ],
    [
      'a missing end',
      (project) => project.edit('plan.ndjson', (text) => text.slice(0, -5000)),
      /line \d+: (the line is no JSON|it has \d+ entries)/,
    ],
    [
      'an end between two lines',
      (project) => project.edit('plan.ndjson', (text) => `${text.split('\n').slice(0, 9).join('\n')}\n`),
      /line 9: it has 8 entries; the header counts 500/,
    ],
    [
      'no header',
      (project) => project.edit('plan.ndjson', (text) => text.slice(text.indexOf('\n') + 1)),
      /line 1: the first line is no header/,
    ],
    ['nothing in it', (project) => project.write('plan.ndjson', ''), /line 1: it is empty/],
    [
      'another format',
      (project) => project.edit('plan.ndjson', (text) => text.replace('{"plan":1', '{"plan":2')),
      /format 2; this program knows 1/,
    ],
  ])('of %s is refused before anything is done', (_what, spoil, says) => {
    using project = planned()
    spoil(project)
    const { code, err } = apply(project)
    expect(err).toMatch(says)
    expect(code).toBe(2)
    expect(project.json('query', 'managed/user')).toMatchObject({ resultCount: 0 })
  })

  it('that the guard would stop says so, and is performed only if that is allowed', () => {
    using project = TestProject.loaded(users)
    project.edit('conf/sync.json', (text) =>
      text.replace('"policies": [', '"policies": [{ "situation": "SOURCE_MISSING", "action": "DELETE" },'),
    )
    project.edit('data/hr.csv', (text) => `${text.split('\n').slice(0, 250).join('\n')}\n`)
    const made = project.syncline(['plan', users, '--out', project.path('plan.ndjson')])
    expect(made.out).toMatch(/The guard would stop this run: \d+ deletes for 458 linked targets/)
    expect(header(project).guard.passes).toBe(false)
    const refused = apply(project)
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining('nothing was written')])
    const unexplained = apply(project, '--guard', 'off')
    expect([unexplained.code, unexplained.err]).toEqual([2, expect.stringContaining('needs a reason')])
    expect(apply(project, '--override-guard', '--reason', 'a branch closed').code).toBe(0)
  })

  it('says to which mappings behind its target its writes flow on', () => {
    using project = TestProject.example()
    project.syncline(['plan', users, '--out', project.path('plan.ndjson')])
    expect(header(project)).not.toHaveProperty('flowsOn')
    project.edit('conf/sync.json', (text) => text.replace('"enableSync": false', '"enableSync": true'))
    const made = project.syncline(['plan', users, '--out', project.path('plan.ndjson')])
    expect(header(project)).toMatchObject({
      flowsOn: [{ mapping: accounts, target: 'system/directory/account', changes: 458 }],
    })
    expect(made.out).toContain(accounts)
  })

  it('that cannot be written leaves nothing behind', () => {
    using project = TestProject.example()
    const { code, err } = project.syncline([
      'plan',
      users,
      '--out',
      project.path('no/such/folder/plan.ndjson'),
    ])
    expect([code, err]).toEqual([2, expect.stringContaining('cannot be written')])
  })
})
