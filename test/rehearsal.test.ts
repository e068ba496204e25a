import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { PlanLine } from '../src/plan/plan-line.ts'
import { script } from '../src/testing/script.ts'
import { behind, notAtOnce, open, planned, text, told, town } from './support/flowing-town.ts'
import { csvConnector } from './support/project.ts'
import { serve } from './support/server.ts'

/**
 * What follows from a plan: people of an HR file become managed users, and these accounts in a directory, at once or by a
 * reconciliation of their own. A rehearsal says beforehand what the mappings behind will do.
 */
describe('a plan with what follows from it', () => {
  it('says what the mapping behind will do: how many, which, and which would fail there', async () => {
    using project = town({
      hr: ['1,a@x.org,Ann', '2,b@x.org,Bob', '3,c@x.org,Cid'],
      dir: ['2,old@x.org,Robert'],
      dirMapping: { onCreate: script(`if (source.name === 'Cid') { throw 'no Cid' }`) },
    })
    await using application = await open(project)
    const { facts, lines } = await planned(application, 'hr_user')
    expect(facts?.flowsOn).toMatchObject([
      {
        ...{ mapping: 'user_dir', target: 'system/dir/account', changes: 3 },
        decided: {
          ...{ counts: { ABSENT: { CREATE: 2 }, FOUND: { UPDATE: 1 } }, failed: 1 },
          writes: { creates: 1, updates: 1, deletes: 0 },
          failures: [
            {
              ...{ count: 1, message: expect.stringContaining('no Cid') },
              // Nobody will ever have the id that it has here.
              example: '(new target of 3 by hr_user)',
            },
          ],
        },
      },
    ])
    expect(behind(lines).map(({ sourceId, targetId, name }) => [sourceId, targetId, name])).toEqual([
      ['(new target of 1 by hr_user)', '1', '1'],
      ['(new target of 2 by hr_user)', '2', '2'],
      ['(new target of 3 by hr_user)', null, '3'],
    ])
    expect(behind(lines)[1]?.changes).toMatchObject([
      { pointer: ['mail'], before: 'old@x.org', after: 'b@x.org' },
      { pointer: ['name'], before: 'Robert', after: 'Bob' },
    ])
  })

  it('is what the run then does, and says in its summary', async () => {
    using project = town({
      hr: ['1,a@x.org,Ann', '2,b@x.org,Bob', '3,c@x.org,Cid'],
      dir: ['2,old@x.org,Robert'],
      dirMapping: { onCreate: script(`if (source.name === 'Cid') { throw 'no Cid' }`) },
    })
    const plan = project.json<{ behind: PlanLine[] }>('plan', 'hr_user', '--flows')
    const { code, out } = project.syncline(['recon', 'hr_user', '--json'])
    expect(code).toBe(3)
    expect(JSON.parse(out)).toMatchObject({
      ...{ state: 'SUCCESS', outcome: 'COMPLETED_WITH_FAILURES' },
      flows: [
        {
          ...{ mapping: 'user_dir', target: 'system/dir/account', changes: 3, created: 1, updated: 1 },
          ...{ failed: 1, failures: [{ count: 1, message: expect.stringContaining('no Cid') }] },
        },
      ],
    })
    expect(plan.behind.filter(({ writes }) => writes).map(told)).toEqual(['CREATE → 1', 'UPDATE → 2'])
    expect(project.read('data/dir.csv')).toBe('login,mail,name\n"2","b@x.org","Bob"\n"1","a@x.org","Ann"\n')
  })

  it('names in the summary of the run which accounts failed, and how they are brought up to date', () => {
    using project = town({
      hr: ['1,a@x.org,Ann'],
      dirMapping: { onCreate: script(`throw 'the directory is closed'`) },
    })
    const { out } = project.syncline(['recon', 'hr_user'])
    expect(out).toMatch(
      /Flowed on to system\/dir\/account by user_dir: 1 changes .*\n +Failed there: 1\n +1 × /,
    )
    const [, query = ''] = out.match(/syncline query audit\/sync '(.*)'/) ?? []
    expect(project.json<{ result: unknown[] }>('query', 'audit/sync', query).result).toHaveLength(1)
    project.edit('conf/sync.json', (conf) => conf.replace(`throw 'the directory is closed'`, ''))
    expect(out).toContain('syncline recon user_dir')
    expect(project.syncline(['recon', 'user_dir']).code).toBe(0)
    expect(project.read('data/dir.csv')).toContain('"1","a@x.org","Ann"')
  })

  it('changes nothing here, and leaves nothing behind', async () => {
    using project = town({
      hr: ['1,a@x.org,Ann'],
      user: {
        postCreate: script(
          `if (object.userName === '1') { openidm.create('managed/user', 'more', { userName: 'more' }) }`,
        ),
      },
    })
    const before = project.stamp('data/dir.csv')
    await using application = await open(project)
    const { facts, lines } = await planned(application, 'hr_user')
    expect(behind(lines).map(told)).toEqual(['CREATE → more', 'CREATE → 1'])
    expect(facts?.rehearsed).toEqual({ unexpected: [], stale: 0, notDone: {} })
    expect(project.stamp('data/dir.csv')).toEqual(before)
    expect(await application.repository.objects.count('managed/user')).toBe(0)
    expect(await application.repository.links.count('hr_user')).toBe(0)
    expect(readdirSync(project.path('.syncline')).filter((name) => name.startsWith('rehearsal'))).toEqual([])
  })

  it('leaves alone what liveSync has seen, files of the audit and of scripts, and runs what is evaluated', async () => {
    const asks = [
      `openidm.action('system/hr/account', 'liveSync', {})`,
      `openidm.action('audit', 'rotate', {})`,
      `openidm.update('script/files/more.js', null, { content: '1' })`,
    ]
    const tries = asks.map((ask) => `try { ${ask} } catch (refused) {}`).join('\n')
    const evaluated = `openidm.action('script', 'eval', { type: 'text/javascript', source: '1' })`
    using project = town({ hr: ['1,a@x.org,Ann'], user: { postCreate: script(`${tries}\n${evaluated}`) } })
    project.write('audit/access.csv', 'of the server\n')
    project.write('conf/audit.json', {
      eventHandlers: [
        {
          class: 'org.forgerock.audit.handlers.csv.CsvAuditEventHandler',
          config: { name: 'csv', logDirectory: 'audit', topics: ['access', 'activity'] },
        },
      ],
    })
    await using application = await open(project)
    const { facts } = await planned(application, 'hr_user')
    expect(facts?.rehearsed).toMatchObject({
      unexpected: [],
      notDone: { 'system/hr/account': 1, audit: 1, 'script/files/more.js': 1 },
    })
    for (const [folder, files] of [
      ['data', ['dir.csv', 'hr.csv']],
      ['audit', ['access.csv']],
    ] as const)
      expect(readdirSync(project.path(folder)).toSorted()).toEqual(files)
  })

  it('says of accounts that take the ids of each other what the run does with them', () => {
    const properties = [
      { source: 'mail', target: 'login' },
      { source: 'name', target: 'name' },
    ]
    using project = town({ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'], dirMapping: { properties } })
    expect(project.syncline(['recon', 'hr_user']).code).toBe(0)
    project.write('data/hr.csv', 'id,mail,name\n1,b@x.org,Ann\n2,a@x.org,Bob\n')
    const plan = project.json<{ behind: PlanLine[] }>('plan', 'hr_user', '--flows')
    expect(plan.behind.map(told)).toEqual(['UPDATE → a@x.org', 'UPDATE → b@x.org'])
    expect(project.syncline(['recon', 'hr_user']).code).toBe(0)
    expect(project.read('data/dir.csv')).toContain('"b@x.org","","Ann"')
  })

  it('follows from what was written, although another object of the page was refused', () => {
    using project = town({
      ...{ hr: ['5,a@x.org,Ann'], mail: { ...text, searchable: true, policies: [{ policyId: 'unique' }] } },
      // Scripts of the type: its objects are not written in one transaction with their links.
      user: { onCreate: script(`object.made = true`) },
    })
    expect(project.syncline(['recon', 'hr_user']).code).toBe(0)
    project.write('data/hr.csv', 'id,mail,name\n1,a@x.org,Bob\n5,a@x.org,Anne\n')
    expect(project.syncline(['recon', 'hr_user']).code).toBe(3)
    expect(project.read('data/dir.csv')).toContain('"5","a@x.org","Anne"')
  })

  it('shows of each mapping as many lines as are asked for', () => {
    using project = town({ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'] })
    const { out } = project.syncline(['plan', 'hr_user', '--flows', '--limit', '1'])
    expect(out.match(/^(\+ CREATE .*? {2}ABSENT|Behind it.*)/gm)).toEqual([
      '+ CREATE  1 → (new)  ABSENT',
      'Behind it, by user_dir:',
      '+ CREATE  (new target of 1 by hr_user) → 1  ABSENT',
    ])
  })

  it('goes on through every mapping that is behind another', async () => {
    using project = town({ hr: ['1,a@x.org,Ann'] })
    project.write('data/pay.csv', 'login\n')
    project.write('conf/provisioner.openicf-pay.json', csvConnector('pay', ['login']))
    project.edit('conf/managed.json', (conf) => {
      const { objects } = JSON.parse(conf)
      const schema = { type: 'object', properties: { login: text } }
      return JSON.stringify({ objects: [...objects, { name: 'employee', schema }] })
    })
    project.edit('conf/sync.json', (conf) => {
      const { mappings } = JSON.parse(conf)
      const employee = {
        ...{ name: 'user_employee', source: 'managed/user', target: 'managed/employee' },
        properties: [{ source: 'userName', target: 'login' }],
      }
      const pay = {
        ...{ name: 'employee_pay', source: 'managed/employee', target: 'system/pay/account' },
        properties: [{ source: 'login', target: 'login' }],
      }
      return JSON.stringify({ mappings: [...mappings, employee, pay] })
    })
    await using application = await open(project)
    const { facts, lines } = await planned(application, 'hr_user')
    expect(facts?.flowsOn?.map(({ mapping, changes }) => [mapping, changes]).toSorted()).toEqual([
      ['employee_pay', 1],
      ['user_dir', 1],
      ['user_employee', 1],
    ])
    expect(behind(lines, 'employee_pay').map(told)).toEqual(['CREATE → 1'])
  })

  it('counts what goes through a queue, as it will be done', async () => {
    using project = town({
      hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'],
      dirMapping: { queuedSync: { enabled: true, pollingInterval: 100, pageSize: 10 } },
    })
    await using application = await open(project)
    const { facts, lines } = await planned(application, 'hr_user')
    expect(facts?.flowsOn).toMatchObject([{ mapping: 'user_dir', queued: true, changes: 2 }])
    expect(behind(lines).map(told).toSorted()).toEqual(['CREATE → 1', 'CREATE → 2'])
  })

  it('through a queue is counted in the summary of the run, and named what still waits', () => {
    using project = town({
      hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'],
      dirMapping: { queuedSync: { enabled: true } },
    })
    const { out } = project.syncline(['recon', 'hr_user'])
    expect(out).toMatch(/Queued for system\/dir\/account by user_dir: 2 changes[\s\S]*\n +syncline queue\b/)
    const [run] = project.json<{ result: { _id: string }[] }>('query', 'recon', 'true').result
    expect(run).toMatchObject({ flows: [{ mapping: 'user_dir', queued: 2, changes: 0 }] })
    expect(project.json<unknown[]>('queue')).toHaveLength(2)
  })

  it('is not done where the guard of the mapping behind holds it back, which plan and run both say', () => {
    using project = town({
      ...{ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob', '3,c@x.org,Cid'] },
      dirMapping: { guard: { maxDeletes: 1 } },
    })
    expect(project.syncline(['recon', 'hr_user']).code).toBe(0)
    project.write('data/hr.csv', 'id,mail,name\n1,a@x.org,Ann\n')
    const plan = project.syncline(['plan', 'hr_user', '--flows']).out
    expect(plan).toContain('2 changes, 1 deletes, 1 that its guard would hold back')
    const { out } = project.syncline(['recon', 'hr_user'])
    expect(out).toMatch(
      /deleted 1\)\n +Held back by its guard: 1\n[\s\S]*\n +syncline issues --mapping user_dir\b/,
    )
  })

  it('does not ask what is outside, and says what would have been asked', async () => {
    using project = town({
      hr: ['1,a@x.org,Ann'],
      user: {
        postCreate: script(
          `openidm.action('external/rest', 'call', { url: 'http://127.0.0.1:9/', method: 'GET' })`,
        ),
      },
    })
    const { out } = project.syncline(['plan', 'hr_user', '--flows'])
    expect(out).toContain('Scripts ask external/rest 1 time: that is not done in a rehearsal')
    expect(out).toMatch(/In the rehearsal 1 failed: .*external\/rest is not asked/)
  })

  it('ends with an error where the rehearsal breaks off, for what follows is not known then', () => {
    using project = town({
      ...{ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'], hrMapping: { maxFailures: 0 } },
      user: { postCreate: script(`throw 'no more'`) },
    })
    expect(project.syncline(['plan', 'hr_user']).code).toBe(0)
    const { code, out } = project.syncline(['plan', 'hr_user', '--flows'])
    expect([code, out]).toEqual([1, expect.stringContaining('The rehearsal broke off: ')])
  })

  it('is kept in a file, of which only the lines of its own mapping are performed', () => {
    using project = town({ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'] })
    const file = project.path('plan.ndjson')
    expect(project.syncline(['plan', 'hr_user', '--flows', '--out', file]).code).toBe(0)
    const shown = project.syncline(['show', file]).out
    expect(shown).toContain('Behind it, by user_dir: CREATE 2 (ABSENT)')
    expect(shown).toContain('Flows on to system/dir/account by user_dir, at once: 2 changes, 2 creates')
    const applied = JSON.parse(project.syncline(['apply', file, '--json']).out)
    expect(applied).toMatchObject({ plan: { performed: 2, failed: 0, stale: 0 }, flows: [{ created: 2 }] })
    expect(project.read('data/dir.csv').trim().split('\n')).toHaveLength(3)
  })

  it('is made over REST, kept, and read like any other', async () => {
    using project = town({ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'] })
    await using server = await serve(project)
    const made = await server.call(
      'POST',
      'recon?_action=plan&mapping=hr_user&flows=true&waitForCompletion=true',
    )
    expect(made.body.plan.flowsOn).toMatchObject([
      { mapping: 'user_dir', decided: { writes: { creates: 2 } } },
    ])
    const lines = await server.call(
      'GET',
      `recon/${made.body._id}/plan?_queryFilter=${encodeURIComponent('mapping eq "user_dir"')}`,
    )
    expect(lines.body.result.map(told)).toEqual(['CREATE → 1', 'CREATE → 2'])
    const summary = await server.call('GET', `recon/${made.body._id}/plan/summary`)
    expect(summary.body.behind).toMatchObject([{ mapping: 'user_dir', writes: 2 }])
    const applied = await server.call('POST', `recon/${made.body._id}?_action=apply&waitForCompletion=true`)
    expect(applied.status).toBe(200)
    expect(project.read('data/dir.csv').trim().split('\n')).toHaveLength(3)
  })
})

describe('a plan that nobody waits for', () => {
  it('is being made until it is kept, which is after the end of its run', async () => {
    using project = town({ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'] })
    await using server = await serve(project)
    const { body } = await server.call('POST', 'recon?_action=plan&mapping=hr_user&flows=true')
    const plan = () => server.call('GET', `recon/${body._id}/plan`)
    const early = await plan()
    expect([early.status, early.body.message]).toEqual([404, expect.stringContaining('is being made')])
    await expect.poll(async () => (await plan()).body.behind).toBe(2)
  })
})

describe('a plan of all mappings', () => {
  it('plans each on what those before it would leave', () => {
    using project = town({ hr: ['1,a@x.org,Ann', '2,b@x.org,Bob'], dir: ['2,,'], dirMapping: notAtOnce })
    const { plans } = project.json<{ plans: { entries: PlanLine[]; run: { mapping: string } }[] }>(
      'plan',
      '--all',
    )
    expect(plans.map(({ run: { mapping }, entries }) => [mapping, entries.map(told)])).toEqual([
      ['hr_user', ['CREATE → null', 'CREATE → null']],
      ['user_dir', ['CREATE → null', 'UPDATE → 2']],
    ])
    expect(project.syncline(['recon', 'hr_user']).code).toBe(0)
    const alone = project.json<{ entries: PlanLine[] }>('plan', 'user_dir')
    expect(alone.entries.map(told)).toEqual(['CREATE → null', 'UPDATE → 2'])
  })

  it('keeps a file of each; one that depends on others is not performed before them', () => {
    using project = town({ hr: ['1,a@x.org,Ann'], dirMapping: notAtOnce })
    const { out } = project.syncline(['plan', '--all', '--out', project.path('plans')])
    expect(out).toContain('It can be performed when hr_user has been: make it again then.')
    const second = project.path('plans/2-user_dir.ndjson')
    expect(project.syncline(['show', second]).out).toContain('As it would be when hr_user had been performed')
    const refused = project.syncline(['apply', second])
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringContaining('holds only when hr_user had been performed'),
    ])
    expect(project.syncline(['apply', project.path('plans/1-hr_user.ndjson')]).code).toBe(0)
    expect(project.syncline(['recon', 'user_dir']).code).toBe(0)
    expect(project.read('data/dir.csv')).toContain('"1","a@x.org","Ann"')
  })

  it('goes on with the others where one cannot be planned, and says so by its code', () => {
    using project = town({ hr: [], dir: ['9,,'], dirMapping: notAtOnce })
    const { code, out } = project.syncline(['plan', '--all'])
    expect(code).toBe(1)
    expect(out).toMatch(/1 of 2: hr_user[\s\S]*FAILED[\s\S]*returned nothing[\s\S]*2 of 2: user_dir/)
  })

  it('takes no mapping and no id', () => {
    using project = town({ hr: [] })
    expect(project.syncline(['plan', 'hr_user', '--all']).err).toContain('--all plans every mapping whole')
    expect(project.syncline(['plan', '--all', '--id', '1']).err).toContain('it takes no --id')
  })

  it('takes no mapping and no id over REST, either', async () => {
    using project = town({ hr: [] })
    await using server = await serve(project)
    const { status, body } = await server.call('POST', 'recon?_action=planAll&mapping=hr_user')
    expect([status, body.message]).toEqual([400, 'planAll plans every mapping whole: it takes no mapping'])
  })

  it('is made over REST, one kept plan a mapping', async () => {
    using project = town({ hr: ['1,a@x.org,Ann'], dirMapping: notAtOnce })
    await using server = await serve(project)
    const { body } = await server.call('POST', 'recon?_action=planAll')
    expect(body.plans).toMatchObject([
      { mapping: 'hr_user', state: 'SUCCESS', plan: { entries: 1 } },
      { mapping: 'user_dir', state: 'SUCCESS', plan: { entries: 1, after: ['hr_user'] } },
    ])
    const second = body.plans[1]._id
    const lines = await server.call('GET', `recon/${second}/plan?_queryFilter=true`)
    expect(lines.body.result.map(told)).toEqual(['CREATE → null'])
    expect((await server.call('GET', `recon/${second}`)).body).toMatchObject({
      kind: 'plan',
      mapping: 'user_dir',
    })
    expect((await server.call('POST', `recon/${second}?_action=apply`)).status).toBe(409)
  })
})
