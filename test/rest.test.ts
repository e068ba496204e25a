import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../src/model/json.ts'
import { TestProject } from './support/project.ts'
import { password, type Server, serve } from './support/server.ts'

/** The server as a process, called as by administrators' scripts. */
const users = 'hrAccount_managedUser'

let project: TestProject
let server: Server
const call: Server['call'] = (...request) => server.call(...request)
const get = (path: string) => call('GET', path)
const filter = (text: string) => `_queryFilter=${encodeURIComponent(text)}`
const recon = (parameters: string, body?: unknown) =>
  call('POST', `recon?_action=recon&mapping=${users}&waitForCompletion=true${parameters}`, { body })

beforeAll(async () => {
  project = TestProject.example()
  server = await serve(project)
})

afterAll(async () => {
  expect(await server.stop()).toBe(0)
  project[Symbol.dispose]()
})

describe('access to the server', () => {
  it('everybody may ask whether it is alive, and only on this machine', async () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1')
    expect(await call('GET', 'info/ping', { as: '' })).toMatchObject({
      status: 200,
      body: { state: 'ACTIVE_READY' },
    })
  })

  it('everything else wants the administrator', async () => {
    expect(await call('GET', `managed/user?${filter('true')}`, { as: '' })).toMatchObject({
      status: 401,
      body: { code: 401, reason: 'Unauthorized' },
    })
    expect((await call('GET', 'info/login', { as: 'wrong' })).status).toBe(401)
    const basic = `Basic ${Buffer.from(`openidm-admin:${password}`).toString('base64')}`
    const { status, body } = await call('GET', 'info/login', { as: '', headers: { authorization: basic } })
    expect([status, body.authenticationId]).toEqual([200, 'openidm-admin'])
  })
})

describe('recon', () => {
  it('runs a mapping and shows its run object', async () => {
    const { status, body } = await recon('')
    expect([status, body]).toEqual([200, { _id: expect.any(String), state: 'SUCCESS', outcome: 'COMPLETED' }])
    expect((await get(`recon/${body._id}`)).body).toMatchObject({
      _id: body._id,
      mapping: users,
      state: 'SUCCESS',
      stage: 'COMPLETED_SUCCESS',
      progress: {
        source: { existing: { processed: 500, total: '500' } },
        target: { created: 458 },
        links: { created: 458 },
      },
      situationSummary: { ABSENT: 458, SOURCE_IGNORED: 42, ALL_GONE: 0 },
      statusSummary: { SUCCESS: 500, FAILURE: 0 },
      durationSummary: { sourceQuery: { count: 1 } },
      parameters: {
        sourceQuery: { resourceName: 'system/hr/account' },
        targetQuery: { resourceName: 'managed/user' },
      },
    })
    expect((await get('recon')).body.reconciliations.at(-1)._id).toBe(body._id)
    const audited = await get(`audit/recon?${filter(`reconId eq "${body._id}" and entryType eq "summary"`)}`)
    expect(audited.body.result).toMatchObject([{ status: 'SUCCESS', messageDetail: { _id: body._id } }])
  })

  describe('with associations', () => {
    let id: string
    beforeAll(async () => {
      id = (await recon('&persistAssociations=true')).body._id
    })
    const entries = (parameters: string) => get(`recon/assoc/${id}/entry?${parameters}`)

    it('has a header, found by its run', async () => {
      const header = {
        _id: id,
        reconId: id,
        mapping: users,
        sourceResourceCollection: 'system/hr/account',
        targetResourceCollection: 'managed/user',
        isAnalysis: 'false',
        finishTime: expect.stringMatching(/^\d{4}-/),
      }
      expect((await get(`recon/assoc/${id}`)).body).toEqual(header)
      expect((await get(`recon/assoc?${filter(`reconId eq "${id}"`)}`)).body.result).toEqual([header])
      expect((await get(`recon/assoc?${filter(`mapping eq "none"`)}`)).body.result).toEqual([])
    })

    it('has an entry an operation, filtered, sorted and paged', async () => {
      const found = await entries(
        `${filter('situation eq "SOURCE_IGNORED"')}&_totalPagedResultsPolicy=EXACT&_pageSize=40`,
      )
      expect([found.body.resultCount, found.body.totalPagedResults]).toEqual([40, 42])
      const rest = await entries(
        `${filter('situation eq "SOURCE_IGNORED"')}&_pageSize=40&_pagedResultsCookie=${encodeURIComponent(found.body.pagedResultsCookie)}`,
      )
      expect(rest.body.resultCount).toBe(2)
      const sorted = await entries(
        `${filter('true')}&_sortKeys=-sourceObjectId&_pageSize=1&_fields=sourceObjectId,action`,
      )
      expect(sorted.body.result).toEqual([
        { _id: expect.any(String), sourceObjectId: '1500', action: expect.any(String) },
      ])
    })

    it('shows the objects themselves where they are asked for', async () => {
      const one = filter('sourceObjectId eq "1001"')
      expect((await entries(one)).body.result[0]).not.toHaveProperty('source')
      const [entry] = (await entries(`${one}&queryMissingSide=true`)).body.result
      expect(entry).toMatchObject({
        source: { familyName: 'Prévost' },
        target: { _id: entry.targetObjectId, sn: 'Prévost' },
      })
      const named = (text: string) => `${filter('true')}&sourceQueryFilter=${encodeURIComponent(text)}`
      expect((await entries(named('familyName eq "Prévost"'))).body.result.length).toBeGreaterThan(0)
      expect((await entries(named('familyName eq "Nobody"'))).body.result).toEqual([])
    })

    it.each([
      ['GET', 'recon/assoc/unknown', 404],
      ['GET', 'recon/assoc/unknown/entry?_queryFilter=true', 404],
      ['GET', 'recon/assoc/unknown/other?_queryFilter=true', 501],
    ])('%s %s is %i', async (method, path, status) => {
      expect((await call(method, path)).status).toBe(status)
    })

    it('loses them to newer runs, and when the run is deleted', async () => {
      const newer = (await recon('&persistAssociations=true')).body._id
      expect((await get(`recon/assoc/${id}`)).status).toBe(404)
      expect((await get(`recon/assoc/${newer}`)).status).toBe(200)
      await call('DELETE', `recon/${newer}`)
      expect((await get(`recon/assoc/${newer}`)).status).toBe(404)
    })
  })

  describe('of a plan', () => {
    const action = (path: string, parameters: string, body?: unknown) =>
      call('POST', `${path}?waitForCompletion=true&_action=${parameters}`, { body })

    it('is made, looked at, and performed, in part and as a whole', async () => {
      const made = await action('recon', 'plan&mapping=managedUser_directoryAccount')
      expect(made.body).toMatchObject({
        state: 'SUCCESS',
        plan: { entries: 464, writes: { creates: 405, updates: 52 } },
      })
      const path = `recon/${made.body._id}`
      expect((await get(`${path}/plan`)).body).toMatchObject({
        mapping: 'managedUser_directoryAccount',
        entries: 464,
      })
      const { body: summary } = await get(`${path}/plan/summary?format=html`)
      expect(summary).toMatchObject({ writes: 457, format: 'html', header: { entries: 464 } })
      expect(summary.document).toContain('<h1>Plan of managedUser_directoryAccount</h1>')
      expect(summary.groups.map(({ action }: { action: string }) => action)).toEqual(['CREATE', 'UPDATE'])
      const found = await get(`${path}/plan?${filter('situation eq "FOUND"')}&_pageSize=50`)
      expect(found.body).toMatchObject({ resultCount: 50, pagedResultsCookie: expect.any(String) })
      expect(found.body.result[0]).toMatchObject({
        action: 'UPDATE',
        reason: expect.stringContaining('finds'),
      })
      const alike = await get(`${path}/plan?${filter('action eq "UPDATE"')}&_sortKeys=action&_fields=_id`)
      const places = alike.body.result.map(({ _id }: { _id: string }) => Number(_id))
      expect(places).toEqual(places.toSorted((one: number, other: number) => one - other))
      const part = await action(path, 'apply&onlyAction=UPDATE&limit=2')
      expect(part.body).toMatchObject({ state: 'SUCCESS', plan: { performed: 2, stale: 0 } })
      const rest = await action(path, 'apply')
      expect(rest.body.plan).toMatchObject({ done: 2, stale: 0 })
      const undone = await action(`recon/${part.body._id}`, 'undo')
      expect(undone.body).toMatchObject({ plan: { undoes: part.body._id, entries: 4 } })
      const { body: back } = await get(`recon/${undone.body._id}/plan/summary`)
      expect(back.refusals.length + back.groups.length).toBeGreaterThan(0)
      expect((await action('recon/unknown', 'undo')).status).toBe(404)
      expect((await action('recon', 'plan&mapping=managedUser_directoryAccount')).body.plan.writes).toEqual({
        creates: 0,
        updates: 0,
        deletes: 0,
        others: 0,
      })
    })

    it('is listed with all others that are kept, the newest first', async () => {
      const made: string[] = []
      for (const mapping of [users, 'managedUser_directoryAccount'])
        made.push((await action('recon', `plan&mapping=${mapping}`)).body._id)
      const listed = async (more = '') =>
        (await get(`recon/plans?${filter('true')}${more}`)).body.result.map(({ _id }: { _id: string }) => _id)
      expect((await listed()).slice(0, 2)).toEqual(made.toReversed())
      expect(await listed('&_sortKeys=created')).toEqual((await listed()).toReversed())
      expect(await listed('&_pageSize=1&_pagedResultsOffset=1')).toEqual([made[0]])
      const ofUsers = await get(`recon/plans?${filter(`mapping eq "${users}"`)}`)
      expect(ofUsers.body.result).toMatchObject([{ _id: made[0], createdBy: 'openidm-admin' }])
      expect((await get(`recon/plans/${made[1]}`)).body).toMatchObject({
        mapping: 'managedUser_directoryAccount',
      })
      const { out } = project.syncline(['plans', '--limit', '1'])
      expect(out).toContain(made[1])
      expect(out).not.toContain(made[0])
      expect(project.json('plans', '--mapping', users)).toMatchObject([{ _id: made[0] }])
    })

    it.each([
      ['GET', 'recon/plans/unknown', 404],
      ['POST', 'recon?_action=plan', 400],
      ['POST', 'recon/unknown?_action=apply', 404],
      ['GET', 'recon/unknown/plan', 404],
      ['GET', 'recon/unknown/plan?_queryFilter=true', 404],
      ['GET', 'recon/unknown/plan/summary', 404],
      ['POST', `recon?_action=plan&mapping=${users}&limit=none`, 400],
    ])('%s %s is %i', async (method, path, status) => {
      expect((await call(method, path)).status).toBe(status)
    })
  })

  it('answers at once unless told to wait', async () => {
    const { body } = await call('POST', `recon?_action=recon&mapping=${users}`)
    expect(body.state).toBe('ACTIVE')
    await expect.poll(async () => (await get(`recon/${body._id}`)).body.state).toBe('SUCCESS')
  })

  it('takes overrides for one run in its body', async () => {
    const { body } = await recon('', {
      sourceQuery: { _queryFilter: 'employeeNumber eq "1001"' },
      runTargetPhase: false,
    })
    const run = (await get(`recon/${body._id}`)).body
    expect([run.state, run.situationSummary.CONFIRMED, run.progress.source.existing.processed]).toEqual([
      'SUCCESS',
      1,
      1,
    ])
  })

  it('assesses only, where asked to analyze', async () => {
    const before = (await get(`managed/user?${filter('true')}&_totalPagedResultsPolicy=EXACT&_pageSize=1`))
      .body.totalPagedResults
    const { body } = await recon('&analyze=true')
    expect((await get(`recon/${body._id}`)).body.situationSummary.CONFIRMED).toBe(458)
    const entries = await get(`audit/recon?${filter(`reconId eq "${body._id}" and entryType eq "entry"`)}`)
    expect([before, entries.body.resultCount]).toEqual([458, 0])
  })

  it('works one object by its id', async () => {
    const { body } = await call(
      'POST',
      `recon?_action=reconById&mapping=${users}&id=1001&waitForCompletion=true`,
    )
    expect((await get(`recon/${body._id}`)).body.situationSummary.CONFIRMED).toBe(1)
  })

  it('answers 200 with FAILED for an empty source', async () => {
    const { status, body } = await recon('', { sourceQuery: { _queryFilter: 'false' } })
    expect([status, body.state]).toEqual([200, 'FAILED'])
  })

  it.each([
    ['POST', 'recon?_action=recon', 400],
    ['POST', `recon?_action=explode&mapping=${users}`, 400],
    ['POST', 'recon?_action=recon&mapping=nobody', 409],
    ['POST', `recon?_action=reconById&mapping=${users}`, 400],
    ['POST', `recon?_action=recon&mapping=${users}&waitForCompletion=perhaps`, 400],
    ['GET', 'recon/unknown', 404],
    ['POST', 'recon/unknown?_action=cancel', 404],
    ['PUT', 'recon/unknown', 501],
  ])('%s %s is %i', async (method, path, status) => {
    const { body, ...answer } = await call(method, path, method === 'PUT' ? { body: {} } : {})
    expect([answer.status, body.code, typeof body.message]).toEqual([status, status, 'string'])
  })
})

describe('objects', () => {
  const person: JsonObject = {
    userName: 'rest1',
    employeeNumber: '9001',
    givenName: 'Rest',
    sn: 'Test',
    displayName: 'Rest Test',
    accountStatus: 'active',
  }

  it('are created, read, changed under their revision, patched and deleted', async () => {
    const created = await call('POST', 'managed/user?_action=create', { body: person })
    expect(created.status).toBe(201)
    const { _id, _rev } = created.body
    expect(created.headers.get('location')).toContain(_id)
    expect(created.headers.get('etag')).toBe(`"${_rev}"`)
    const path = `managed/user/${_id}`
    const updated = await call('PUT', path, {
      body: { ...person, sn: 'Changed' },
      headers: { 'If-Match': `"${_rev}"` },
    })
    expect([updated.status, updated.body.sn, updated.body._rev === _rev]).toEqual([200, 'Changed', false])
    expect((await call('PUT', path, { body: person, headers: { 'If-Match': `"${_rev}"` } })).status).toBe(412)
    const patched = await call('PATCH', path, {
      body: [{ operation: 'replace', field: '/sn', value: 'Patched' }],
    })
    expect([patched.status, patched.body.sn]).toEqual([200, 'Patched'])
    expect((await call('DELETE', path)).status).toBe(200)
    expect((await get(path)).status).toBe(404)
  })

  it('keep an id chosen by the client, which may hold any character', async () => {
    const path = `managed/user/${encodeURIComponent('a/b c,ü%')}`
    expect((await call('PUT', path, { body: person, headers: { 'If-None-Match': '*' } })).status).toBe(201)
    expect((await get(path)).body._id).toBe('a/b c,ü%')
    expect((await call('PUT', path, { body: person, headers: { 'If-None-Match': '*' } })).status).toBe(412)
    expect((await call('DELETE', path)).status).toBe(200)
  })

  it('are refused with the policies that they fail', async () => {
    expect(await call('POST', 'managed/user?_action=create', { body: { userName: 'x' } })).toMatchObject({
      status: 403,
      body: {
        message: 'Policy validation failed',
        detail: { result: false, failedPolicyRequirements: expect.any(Array) },
      },
    })
  })

  it.each([
    ['cookies', 'managed/user'],
    ['cookies', 'system/hr/account'],
  ])('are paged by %s: %s', async (_how, set) => {
    const seen = new Set<string>()
    let cookie: string | null = ''
    while (cookie !== null) {
      const paging = cookie === '' ? '' : `&_pagedResultsCookie=${encodeURIComponent(cookie)}`
      const { body } = await get(`${set}?${filter('true')}&_fields=_id&_sortKeys=-_id&_pageSize=99${paging}`)
      for (const { _id } of body.result) {
        expect(seen.has(_id)).toBe(false)
        seen.add(_id)
      }
      cookie = body.pagedResultsCookie
    }
    expect(seen.size).toBe(set === 'managed/user' ? 458 : 500)
  })

  it('of a CSV file are created, changed and deleted in the file', async () => {
    const created = await call('POST', 'system/directory/account?_action=create', {
      body: { uid: 'rest9', cn: 'Rest', sn: 'Nine' },
    })
    expect([created.status, created.body._id]).toEqual([201, 'rest9'])
    expect(project.read('data/directory.csv')).toContain('"rest9"')
    const patched = await call('PATCH', 'system/directory/account/rest9', {
      body: [{ operation: 'replace', field: '/sn', value: 'Ten' }],
    })
    expect(patched.body.sn).toBe('Ten')
    expect((await call('DELETE', 'system/directory/account/rest9')).status).toBe(200)
    expect(project.read('data/directory.csv')).not.toContain('rest9')
  })

  it('say where a filter is wrong', async () => {
    expect(await get(`managed/user?${filter('sn eq')}`)).toMatchObject({ status: 400, body: { code: 400 } })
    expect(await get(`managed/user?${filter('sn like "x"')}`)).toMatchObject({
      status: 400,
      body: { code: 400 },
    })
  })
})

describe('configuration and links', () => {
  it('are there to read', async () => {
    expect((await get('config')).body.configurations).toContainEqual(expect.objectContaining({ _id: 'sync' }))
    expect((await get('config/sync')).body.mappings).toHaveLength(2)
    const mappings = await get(
      `sync/mappings?${filter('true')}&_fields=name,sourceRouteReady,targetRouteReady`,
    )
    expect(mappings.body.result).toMatchObject([
      { name: users, sourceRouteReady: true, targetRouteReady: true },
      {},
    ])
    const links = await get(
      `repo/link?${filter(`linkType eq "${users}"`)}&_pageSize=1&_totalPagedResultsPolicy=EXACT`,
    )
    expect(links.body).toMatchObject({
      totalPagedResults: 458,
      result: [{ linkQualifier: 'default', firstId: expect.any(String) }],
    })
    const test = await call('POST', 'system?_action=test')
    expect(test.body).toMatchObject([
      { name: 'directory', ok: true },
      { name: 'hr', ok: true },
    ])
  })
})
