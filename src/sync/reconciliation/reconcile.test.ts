import { describe, expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { administrator, openWorld, source, target, type World } from '../testing/world.ts'
import type { ReconciliationRequest } from './request.ts'

const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'name', target: 'name' },
]
const correlationQuery = script("var q = { _queryFilter: 'mail eq \"' + source.mail + '\"' }; q")
const byMail = { properties, correlationQuery }
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann' }
const bob = { _id: 'p2', mail: 'bob@x', name: 'Bob' }

describe('a run', () => {
  it('creates and links what is missing; a second one confirms all of it and writes nothing', async () => {
    await using world = await openWorld({ mapping: byMail })
    await world.persons(ann, bob)
    const first = await world.run()
    expect(first.situations).toEqual(['source p1: ABSENT CREATE', 'source p2: ABSENT CREATE'])
    const second = await world.run()
    expect(second.situations).toEqual(['source p1: CONFIRMED UPDATE', 'source p2: CONFIRMED UPDATE'])
    expect(world.writes).toEqual([])
    expect(second.run.toJSON()).toMatchObject({
      state: 'SUCCESS',
      stage: 'COMPLETED_SUCCESS',
      progress: {
        source: { existing: { processed: 2, total: '2' } },
        target: { existing: { processed: 2, total: '2' }, created: 0, unchanged: 2, updated: 0, deleted: 0 },
        links: { existing: { processed: 2, total: '2' }, created: 0 },
      },
      statusSummary: { SUCCESS: 2, FAILURE: 0 },
    })
  })

  it('visits the targets that no source led to, last', async () => {
    await using world = await openWorld({
      mapping: { ...byMail, policies: [{ situation: 'UNASSIGNED', action: 'DELETE' }] },
    })
    await world.persons(ann)
    await world.users({ _id: 'u9', mail: 'nobody@x', name: 'No' })
    expect((await world.run()).situations).toEqual([
      'source p1: ABSENT CREATE',
      'target u9: UNASSIGNED DELETE',
    ])
    expect(Object.keys(await world.all(target))).not.toContain('u9')
  })

  it('leaves the target phase out where the mapping or the caller says so', async () => {
    await using world = await openWorld({ mapping: { ...byMail, runTargetPhase: false } })
    await world.persons(ann)
    await world.users({ _id: 'u9', mail: 'nobody@x', name: 'No' })
    expect((await world.run()).situations).toEqual(['source p1: ABSENT CREATE'])
    expect((await world.run({ overrides: { runTargetPhase: true } })).situations).toContain(
      'target u9: UNASSIGNED EXCEPTION',
    )
  })

  it('reconciles only what the source query returns, and the caller may ask another one', async () => {
    await using world = await openWorld({
      mapping: { ...byMail, sourceQuery: { _queryFilter: 'mail eq "bob@x"' } },
    })
    await world.persons(ann, bob)
    expect((await world.run()).situations).toEqual(['source p2: ABSENT CREATE'])
    const { situations } = await world.run({
      overrides: { sourceQuery: { _queryFilter: 'mail eq "ann@x"' } },
    })
    expect(situations).toEqual([
      'source p1: ABSENT CREATE',
      expect.stringMatching(/^target .*: CONFIRMED UPDATE$/),
    ])
  })

  it('takes a linked target outside a restricting target query for gone', async () => {
    await using world = await openWorld({
      mapping: { ...byMail, targetQuery: { _queryFilter: 'note eq "mine"' } },
    })
    await world.persons(ann)
    await world.users(
      { _id: 'u1', mail: 'ann@x', name: 'Ann' },
      { _id: 'u2', mail: 'z@x', name: 'Zed', note: 'mine' },
    )
    await world.link('p1', 'u1')
    expect((await world.run()).situations).toContain('source p1: MISSING EXCEPTION')
  })

  it('reads entries again that the source query returned in part', async () => {
    await using world = await openWorld({
      mapping: { ...byMail, sourceQuery: { _queryFilter: 'true', _fields: '_id,mail' } },
    })
    await world.persons(ann)
    await world.run()
    expect(Object.values(await world.all(target))).toEqual([
      expect.objectContaining({ mail: 'ann@x', name: 'Ann' }),
    ])
  })

  it('takes an entry for whole if the mapping says so', async () => {
    const mapping = {
      ...byMail,
      sourceQuery: { _queryFilter: 'true', _fields: '_id,mail' },
      sourceQueryFullEntry: true,
    }
    await using world = await openWorld({ mapping })
    await world.persons(ann)
    await world.run()
    expect(Object.values(await world.all(target))[0]).toMatchObject({ name: null })
  })
})

/** Sources outside the source query leave their targets to the target phase (engine §3.4). */
it('a run says how long its steps took, as far as they were taken', async () => {
  await using world = await openWorld({
    mapping: { ...byMail, validSource: script('true'), onCreate: script('1'), postMapping: script('1') },
  })
  await world.persons(ann, bob)
  await world.users({ _id: 'u9', mail: 'nobody@x', name: 'No' })
  const { run } = await world.run()
  const durations = run.toJSON().durationSummary as JsonObject
  expect(Object.keys(durations).toSorted()).toEqual([
    'auditLog',
    'correlationQuery',
    'onCreateScript',
    'postMappingScript',
    'sourceLinkQuery',
    'sourcePagePhase',
    'sourcePhase',
    'sourceQuery',
    'targetLinkQuery',
    'targetObjectQuery',
    'targetPhase',
    'targetQuery',
    'updateTargetObject',
    'validSourceScript',
  ])
  expect(durations.sourcePhase).toEqual({
    count: 1,
    sum: expect.any(Number),
    min: expect.any(Number),
    max: expect.any(Number),
    mean: expect.any(Number),
    stdDev: 0,
  })
})

describe('the target phase', () => {
  const onlyBob = { sourceQuery: { _queryFilter: 'name eq "Bob"' } }
  const visited = async (mapping: object, arrange: (world: World) => Promise<void>) => {
    await using world = await openWorld({ mapping: { ...byMail, ...onlyBob, ...mapping } })
    await world.persons({ ...ann, kind: 'staff' }, bob)
    await world.users({ _id: 'u1', mail: 'old@x', name: 'Old' })
    await arrange(world)
    const { situations } = await world.run()
    return {
      situation: situations.find((line) => line.startsWith('target u1')),
      user: (await world.all(target)).u1,
    }
  }
  const linked = (world: World) => world.link('p1', 'u1')
  const unlinked = async () => {}

  it('finds TARGET_IGNORED what validTarget refuses, linked or not', async () => {
    const validTarget = script("target.name !== 'Old'")
    expect((await visited({ validTarget }, linked)).situation).toBe('target u1: TARGET_IGNORED REPORT')
    expect((await visited({ validTarget }, unlinked)).situation).toBe('target u1: TARGET_IGNORED REPORT')
  })

  it('finds UNASSIGNED what has no link', async () => {
    expect((await visited({}, unlinked)).situation).toBe('target u1: UNASSIGNED EXCEPTION')
  })

  it('finds SOURCE_MISSING what is linked to a source that is gone', async () => {
    const { situation } = await visited({}, async (world) => {
      await world.link('p0', 'u1')
    })
    expect(situation).toBe('target u1: SOURCE_MISSING EXCEPTION')
  })

  it.each([
    ['validSource', { validSource: script("source.kind !== 'staff'") }],
    ['sourceCondition', { sourceCondition: '!(/source/kind eq "staff")' }],
  ])('finds UNQUALIFIED what is linked to a source that %s refuses', async (_rule, rules) => {
    expect(
      (await visited({ ...rules, policies: [{ situation: 'UNQUALIFIED', action: 'UNLINK' }] }, linked))
        .situation,
    ).toBe('target u1: UNQUALIFIED UNLINK')
  })

  it('finds CONFIRMED what is linked to a source that qualifies, and updates it', async () => {
    const { situation, user } = await visited({}, linked)
    expect([situation, user?.name]).toEqual(['target u1: CONFIRMED UPDATE', 'Ann'])
  })
})

describe('an empty source', () => {
  it('ends the run as FAILED before anything is written', async () => {
    await using world = await openWorld({
      mapping: { ...byMail, policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }] },
    })
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' })
    await world.link('p1', 'u1')
    const { run, situations } = await world.run()
    expect(run.state).toBe('FAILED')
    expect(run.problem?.code).toBe('EMPTY_SOURCE')
    expect(situations).toEqual([])
    expect((await world.audit(run.id)).map(({ entryType, status }) => [entryType, status])).toEqual([
      ['start', 'SUCCESS'],
      ['summary', 'FAILURE'],
    ])
  })

  it('is worked where the caller allows it', async () => {
    await using world = await openWorld({
      mapping: { ...byMail, policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }] },
    })
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' })
    await world.link('p1', 'u1')
    expect(
      (await world.run({ overrides: { allowEmptySourceSet: true, reason: 'all have left' } })).situations,
    ).toEqual(['target u1: SOURCE_MISSING DELETE'])
    expect(await world.links()).toEqual([])
  })
})

describe('correlation', () => {
  it('links a target that is there already', async () => {
    await using world = await openWorld({ mapping: byMail })
    await world.persons(ann)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Annie' })
    expect((await world.run()).situations).toEqual(['source p1: FOUND UPDATE'])
    expect(await world.links()).toEqual(['p1 → u1'])
  })

  it('compares exactly, as the target itself would', async () => {
    await using world = await openWorld({ mapping: byMail })
    await world.persons(ann)
    await world.users({ _id: 'u1', mail: 'ANN@x', name: 'Ann' })
    expect((await world.run()).situations).toContain('source p1: ABSENT CREATE')
  })

  it('sees what the objects before it on the same page did: two people of one mail address', async () => {
    await using world = await openWorld({ mapping: { ...byMail, correlateEmptyTargetSet: true } })
    await world.persons(ann, { ...bob, mail: 'ann@x' })
    expect((await world.run()).situations).toEqual([
      'source p1: ABSENT CREATE',
      'source p2: FOUND_ALREADY_LINKED EXCEPTION',
    ])
  })

  it('lets the first of two people have the account that both match', async () => {
    await using world = await openWorld({ mapping: byMail })
    await world.persons(ann, { ...bob, mail: 'ann@x' })
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' })
    expect((await world.run()).situations).toEqual([
      'source p1: FOUND UPDATE',
      'source p2: FOUND_ALREADY_LINKED EXCEPTION',
    ])
  })

  it('is skipped when the target query returned nothing', async () => {
    await using world = await openWorld({
      mapping: { ...byMail, targetQuery: { _queryFilter: 'note eq "none"' } },
    })
    await world.persons(ann)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' })
    expect((await world.run()).situations).toEqual(['source p1: ABSENT CREATE'])
  })

  it.each([
    [
      'an expression tree',
      {
        correlationQuery: [
          {
            linkQualifier: 'default',
            expressionTree: { any: ['mail', 'phone'] },
            type: 'text/javascript',
            file: 'ui/correlateTreeToQueryFilter.js',
          },
        ],
      },
    ],
    [
      'a script that queries itself',
      {
        correlationScript: script(
          "openidm.query('managed/user', { _queryFilter: 'mail eq \"' + source.mail + '\"' }).result",
        ),
      },
    ],
    [
      'a filter that is no join',
      { correlationQuery: script("var q = { _queryFilter: 'mail sw \"' + source.mail + '\"' }; q") },
    ],
  ])('by %s finds the same', async (_what, correlation) => {
    await using world = await openWorld({
      mapping: { properties: [...properties, { source: 'phone', target: 'phone' }], ...correlation },
    })
    await world.persons(ann, bob)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' }, { _id: 'u2', mail: 'z@x', name: 'Zed' })
    const { situations } = await world.run()
    expect(situations.slice(0, 2)).toEqual(['source p1: FOUND UPDATE', 'source p2: ABSENT CREATE'])
  })
})

describe.each<[string, JsonObject]>([
  ['worked in pages', {}],
  ['worked object by object', { sourceCondition: script("openidm.read('managed/user/x') === null") }],
])('an empty target set, %s,', (_how, settings) => {
  const twins = [ann, { ...bob, mail: 'ann@x' }]

  it('is not correlated against, and what the run itself creates does not count', async () => {
    await using world = await openWorld({ mapping: { ...byMail, ...settings } })
    await world.persons(...twins)
    expect((await world.run()).situations).toEqual(['source p1: ABSENT CREATE', 'source p2: ABSENT CREATE'])
  })

  it('is correlated against where the mapping says so', async () => {
    const mapping = { ...byMail, ...settings, correlateEmptyTargetSet: true }
    await using world = await openWorld({ mapping })
    await world.persons(...twins)
    expect((await world.run()).situations).toEqual([
      'source p1: ABSENT CREATE',
      'source p2: FOUND_ALREADY_LINKED EXCEPTION',
    ])
  })
})

describe('reconById', () => {
  it('works one source object and leaves the targets of others alone', async () => {
    await using world = await openWorld({ mapping: byMail })
    await world.persons(ann, bob)
    await world.users({ _id: 'u9', mail: 'nobody@x', name: 'No' })
    expect((await world.run({ sourceId: 'p2' })).situations).toEqual(['source p2: ABSENT CREATE'])
  })

  it('takes an absent source for an empty source set', async () => {
    await using world = await openWorld({ mapping: byMail })
    expect((await world.run({ sourceId: 'p9' })).run.problem?.code).toBe('EMPTY_SOURCE')
  })

  it.each([
    ['and a linked target is SOURCE_MISSING', ['u1'], ['p9 → u1'], 'source p9: SOURCE_MISSING EXCEPTION'],
    ['and a linked target that is gone is LINK_ONLY', [], ['p9 → u1'], 'source p9: LINK_ONLY EXCEPTION'],
    ['and without link it is ALL_GONE', [], [], 'source p9: ALL_GONE NOREPORT'],
  ])(
    'takes it for a deleted object where an empty source is allowed, %s',
    async (_what, users, links, situation) => {
      await using world = await openWorld({ mapping: byMail })
      for (const _id of users) await world.users({ _id, mail: 'gone@x', name: 'Gone' })
      for (const link of links) await world.link(...(link.split(' → ') as [string, string]))
      const { situations } = await world.run({ sourceId: 'p9', overrides: { allowEmptySourceSet: true } })
      expect(situations).toEqual([situation])
    },
  )
})

describe('a dry run', () => {
  it('decides and shapes as the run would, and writes nothing', async () => {
    await using world = await openWorld({ mapping: { ...byMail, onCreate: script("target.note = 'hook'") } })
    await world.persons(ann, bob)
    await world.users(
      { _id: 'u1', mail: 'ann@x', name: 'Annie' },
      { _id: 'u9', mail: 'nobody@x', name: 'No' },
    )
    const before = await world.all(target)
    const planned = await world.run({ analyze: true })
    expect(world.writes).toEqual([])
    expect(await world.all(target)).toEqual(before)
    expect(await world.links()).toEqual([])
    expect(planned.entries[0]?.changes).toEqual([{ pointer: ['name'], before: 'Annie', after: 'Ann' }])
    const done = await world.run()
    const withoutNewIds = ({ entries }: typeof done) =>
      entries.map(({ targetId, changes, ...entry }) => entry)
    expect(withoutNewIds(planned)).toEqual(withoutNewIds(done))
  })

  it('lets onCreate and onUpdate shape the target where it is asked to, but not write', async () => {
    const onCreate = script(
      "target.note = 'hook'; if (source.name === 'Bob') { openidm.create('managed/user', null, { name: 'sneaked' }) }",
    )
    await using world = await openWorld({ mapping: { ...byMail, onCreate } })
    await world.persons(ann, bob)
    const { entries } = await world.run({ analyze: true, foreseeHooks: true })
    const shown = entries.map(({ sourceId, changes, unforeseen }) => [
      sourceId,
      changes.map(({ pointer }) => pointer[0]),
      unforeseen,
    ])
    expect(shown).toEqual([
      ['p1', ['mail', 'name', 'note'], undefined],
      ['p2', ['mail', 'name'], expect.stringMatching(/dry run/)],
    ])
    expect(await world.all(target)).toEqual({})
  })

  it('foresees what its own creates would mean for objects after them', async () => {
    await using world = await openWorld({ mapping: { ...byMail, correlateEmptyTargetSet: true } })
    await world.persons(ann, { ...bob, mail: 'ann@x' })
    const { situations } = await world.run({ analyze: true })
    expect(situations).toEqual(['source p1: ABSENT CREATE', 'source p2: FOUND_ALREADY_LINKED EXCEPTION'])
  })

  it('records only its start and its summary', async () => {
    await using world = await openWorld({ mapping: byMail })
    await world.persons(ann)
    const { run } = await world.run({ analyze: true })
    expect((await world.audit(run.id)).map(({ entryType }) => entryType)).toEqual(['start', 'summary'])
  })

  it('refuses scripts that write', async () => {
    const writing = script("openidm.create('managed/user', null, { name: 'sneaked' }); true")
    await using world = await openWorld({ mapping: { ...byMail, validSource: writing } })
    await world.persons(ann)
    const { entries } = await world.run({ analyze: true })
    expect(entries[0]?.refusal).toMatch(/dry run/)
    expect(await world.all(target)).toEqual({})
  })
})

describe('scripts', () => {
  it('that throw fail their own object, and the record says which script, where and why', async () => {
    await using world = await openWorld({
      mapping: {
        ...byMail,
        validSource: script("if (source.name === 'Bob') {\n  throw new Error('no Bobs')\n}\ntrue"),
      },
    })
    await world.persons(ann, bob)
    const { run } = await world.run()
    expect(run.toJSON().statusSummary).toEqual({ SUCCESS: 1, FAILURE: 1 })
    const failed = (await world.audit(run.id)).find(({ status }) => status === 'FAILURE')
    expect(failed).toMatchObject({ sourceObjectId: 'managed/person/p2', situation: null })
    expect(failed?.message).toMatch(/validSource.*no Bobs/)
    expect(JSON.stringify(failed?.messageDetail)).toMatch(/"line":2/)
  })

  it('that throw an answer of their own are recorded with it, below what says where', async () => {
    const transform = script("throw { code: 422, message: 'no such site', detail: { site: 'Rome' } }")
    await using world = await openWorld({ mapping: { properties: [{ target: 'note', transform }] } })
    await world.persons(ann)
    const { run } = await world.run()
    const failed = (await world.audit(run.id)).find(({ status }) => status === 'FAILURE')
    expect(failed).toMatchObject({
      message: expect.stringMatching(
        /transform script encountered exception: no such site.*\. Root cause: no such site$/,
      ),
      messageDetail: { site: 'Rome' },
    })
  })

  it('of correlationQuery that return a broken filter are named, with what they returned', async () => {
    await using world = await openWorld({ mapping: { ...byMail, correlateEmptyTargetSet: true } })
    await world.persons({ ...ann, mail: 'a"b@x' })
    const { entries } = await world.run()
    expect(entries[0]?.refusal).toMatch(
      /correlationQuery script returned "mail eq \\"a\\"b@x\\"": Filter, column 12/,
    )
  })

  it.each([
    ['{}', '({})'],
    ['null', '({ _queryFilter: source.mail ? "x" : null })'],
    ['undefined', '({ _queryFilter: source.mail ? "x" : undefined })'],
    ['a misspelt key', `({ _queryfilter: 'mail eq "nobody"' })`],
  ])('of correlationQuery that ask for nothing (%s) fail, and match nothing', async (_what, source) => {
    const mapping = { properties, correlationQuery: script(source), runTargetPhase: false }
    await using world = await openWorld({ mapping })
    const boss = { _id: 'boss', name: 'Boss', mail: 'boss@x' }
    await world.users(boss)
    await world.persons({ _id: 'p', name: 'P' })
    const { entries } = await world.run()
    expect(entries[0]?.refusal).toMatch(
      /correlationQuery script returned .*: exactly one of .* is needed, not none/,
    )
    expect(world.writes).toEqual([])
    expect(await world.all(target)).toEqual({ boss })
  })

  it('of validSource must be boolean', async () => {
    await using world = await openWorld({ mapping: { ...byMail, validSource: script('source.name') } })
    await world.persons(ann)
    const { run } = await world.run()
    expect((await world.audit(run.id)).map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/Expecting boolean value from validSource/),
    )
  })

  it.each<[string, (rule: JsonObject) => JsonObject]>([
    ['validSource', (rule) => ({ validSource: rule })],
    ['sourceCondition', (rule) => ({ sourceCondition: rule })],
  ])('of %s that look at the target set see every object before theirs', async (_hook, configured) => {
    const isFirst = script("openidm.query('managed/user', { _queryFilter: 'true' }).result.length === 0")
    await using world = await openWorld({ mapping: { properties, ...configured(isFirst) } })
    await world.persons(ann, bob)
    expect((await world.run()).situations).toEqual([
      'source p1: ABSENT CREATE',
      'source p2: SOURCE_IGNORED REPORT',
    ])
  })

  it('that look at the target set see every object before theirs: a script that finds a free user name', async () => {
    const free = `
      var taken = openidm.query('managed/user', { _queryFilter: 'name sw "' + target.name + '"' }).result.length
      if (taken > 0) { target.name = target.name + (taken + 1) }`
    await using world = await openWorld({ mapping: { properties, onCreate: script(free) } })
    await world.persons(ann, { _id: 'p2', mail: 'b@x', name: 'Ann' }, { _id: 'p3', mail: 'c@x', name: 'Ann' })
    await world.run()
    const names = Object.values(await world.all(target)).map(({ name }) => name)
    expect(new Set(names).size).toBe(3)
  })

  it('postAction runs after REPORT and NOREPORT, not after IGNORE, ASYNC and EXCEPTION', async () => {
    const ran = []
    for (const action of ['REPORT', 'NOREPORT', 'IGNORE', 'ASYNC', 'EXCEPTION']) {
      const postAction = script(
        "openidm.create('managed/person', 'ran-' + action, { note: situation + ' ' + sourceAction })",
      )
      await using world = await openWorld({
        mapping: { properties, policies: [{ situation: 'ABSENT', action, postAction }] },
      })
      await world.persons(ann)
      await world.run()
      if (Object.keys(await world.all(source)).includes(`ran-${action}`)) ran.push(action)
    }
    expect(ran).toEqual(['REPORT', 'NOREPORT'])
  })

  it('onLink before an update may change the target; onUnlink and onDelete run before the link and the target go', async () => {
    const note = (hook: string) =>
      script(`openidm.create('managed/person', '${hook}', { note: String(targetId) + ' ' + situation })`)
    const mapping = {
      ...byMail,
      onLink: script("target.note = 'linked to ' + sourceId"),
      onUnlink: note('onUnlink'),
      onDelete: note('onDelete'),
      policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
    }
    await using world = await openWorld({ mapping })
    await world.persons(ann, bob)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Annie' })
    await world.run()
    expect((await world.all(target)).u1).toMatchObject({ name: 'Ann', note: 'linked to p1' })
    await world.remove('managed/person/p1')
    await world.run()
    expect(await world.all(source)).toMatchObject({
      onUnlink: { note: 'u1 SOURCE_MISSING' },
      onDelete: { note: 'u1 SOURCE_MISSING' },
    })
    expect((await world.links()).some((link) => link.startsWith('p1'))).toBe(false)
  })

  it('after a write see the target as it is now, and as it was', async () => {
    const note = (hook: string, values: string) =>
      script(`openidm.create('managed/person', null, { note: '${hook} ' + ${values} })`)
    const mapping = {
      ...byMail,
      postMapping: note('postMapping', "(oldTarget ? oldTarget.name : null) + ' ' + target.name"),
      policies: ['CONFIRMED', 'ABSENT'].map((situation) => ({
        situation,
        action: situation === 'ABSENT' ? 'CREATE' : 'UPDATE',
        postAction: note('postAction', 'target.name'),
      })),
      validSource: script('!!source.mail'),
    }
    await using world = await openWorld({ mapping })
    await world.persons(ann, bob)
    await world.users({ _id: 'u1', mail: 'old@x', name: 'Annie' })
    await world.link('p1', 'u1')
    await world.run()
    const notes = Object.values(await world.all(source)).flatMap(({ note: written }) => written ?? [])
    expect(notes.toSorted()).toEqual([
      'postAction Ann',
      'postAction Bob',
      'postMapping Annie Ann',
      'postMapping null Bob',
    ])
  })

  it('run once each, also where onLink has to come before onUpdate', async () => {
    const note = (hook: string) =>
      script(`openidm.create('managed/person', null, { note: '${hook} ' + target.name })`)
    await using world = await openWorld({
      mapping: { ...byMail, onLink: note('onLink'), onUpdate: note('onUpdate') },
    })
    await world.persons(ann)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Annie' })
    await world.run()
    const notes = Object.values(await world.all(source)).flatMap(({ note: written }) =>
      written ? [written] : [],
    )
    expect(notes.toSorted()).toEqual(['onLink Annie', 'onUpdate Ann'])
  })

  it('onRecon ends a run that it throws in, before anything is done; result sees the counts', async () => {
    await using failing = await openWorld({
      mapping: { ...byMail, onRecon: script("throw { code: 503, message: 'not now' }") },
    })
    await failing.persons(ann)
    const { run } = await failing.run()
    expect([run.state, run.problem?.message, run.problem?.status]).toEqual([
      'FAILED',
      expect.stringContaining('not now'),
      503,
    ])
    expect(await failing.all(target)).toEqual({})

    const result = script(
      "openidm.create('managed/person', 'result', { note: source.ABSENT.ids.join() + ' ' + source.ABSENT.count + ' ' + global.mappingName })",
    )
    await using world = await openWorld({ mapping: { ...byMail, result } })
    await world.persons(ann, bob)
    await world.run()
    expect((await world.all(source)).result).toMatchObject({ note: 'p1,p2 2 person_user' })
  })
})

describe('links', () => {
  it('are neither read nor made where linking is off', async () => {
    await using world = await openWorld({ mapping: { ...byMail, enableLinking: false } })
    await world.persons(ann)
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Annie' })
    expect((await world.run()).situations).toEqual(['source p1: FOUND UPDATE'])
    expect((await world.run()).situations).toEqual(['source p1: FOUND UPDATE'])
    expect(world.writes).toEqual([])
    expect(await world.links()).toEqual([])
  })

  it('are kept a qualifier each, and a target linked under one is not UNASSIGNED under another', async () => {
    const properties = [
      { source: 'mail', target: 'mail' },
      { source: '', target: 'name', transform: script("source.name + ' ' + linkQualifier") },
    ]
    const mapping = {
      properties,
      linkQualifiers: ['staff', 'guest'],
      policies: [{ situation: 'UNASSIGNED', action: 'DELETE' }],
    }
    await using world = await openWorld({ mapping })
    await world.persons(ann)
    await world.run()
    const users = Object.values(await world.all(target))
    expect(users.map(({ name }) => name).toSorted()).toEqual(['Ann guest', 'Ann staff'])
    await world.remove('managed/person/p1')
    const { situations } = await world.run({
      overrides: { allowEmptySourceSet: true, reason: 'all have left' },
    })
    expect(situations.map((line) => line.replace(/^target \S+ /, ''))).toEqual([
      'SOURCE_MISSING EXCEPTION',
      'SOURCE_MISSING EXCEPTION',
    ])
  })

  it('of several qualifiers may lead to one target, which is deleted once, as a dry run foresees', async () => {
    const mapping = {
      properties,
      linkQualifiers: ['staff', 'guest'],
      policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
      onDelete: script("openidm.create('managed/person', null, { note: 'deleted ' + targetId })"),
    }
    await using world = await openWorld({ mapping })
    await world.users({ _id: 'u1', mail: 'ann@x', name: 'Ann' })
    for (const qualifier of ['staff', 'guest']) await world.link('p1', 'u1', qualifier)
    const overrides = { allowEmptySourceSet: true, reason: 'all have left' }
    const planned = await world.run({ overrides, analyze: true })
    const done = await world.run({ overrides })
    expect(done.situations).toEqual(['target u1: SOURCE_MISSING DELETE', 'target u1: TARGET_IGNORED REPORT'])
    expect(planned.situations).toEqual(done.situations)
    expect(Object.values(await world.all(source)).map(({ note }) => note)).toEqual(['deleted u1'])
    expect(world.writes).toEqual(['delete u1'])
  })

  it('compare in lower case where ids ignore case, and objects keep their own spelling', async () => {
    await using world = await openWorld({ mapping: { properties, targetIdsCaseSensitive: false } })
    await world.persons(ann)
    await world.users({ _id: 'UID-1', mail: 'old@x', name: 'Old' })
    await world.link('p1', 'uid-1')
    expect((await world.run()).situations).toEqual(['source p1: CONFIRMED UPDATE'])
    expect((await world.all(target))['UID-1']).toMatchObject({ name: 'Ann' })
  })

  describe('of ids that ignore case', () => {
    const upper = { _id: 'ANN', mail: 'ann@x', name: 'Ann' }
    const other = { _id: 'Bob', mail: 'bob@x', name: 'Bob' }
    const ignoringCase: JsonObject = {
      properties: [{ source: '_id', target: '_id' }, ...properties],
      sourceIdsCaseSensitive: false,
      targetIdsCaseSensitive: false,
      policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
    }

    async function linked(): Promise<World> {
      const world = await openWorld({ mapping: ignoringCase })
      await world.persons(upper, other)
      await world.run()
      expect(await world.links()).toEqual(['ann → ann', 'bob → bob'])
      return world
    }
    const restricted = { sourceQuery: { _queryFilter: 'mail eq "bob@x"' } }

    it.each<[string, Partial<ReconciliationRequest>, string[]]>([
      ['in a whole run', {}, ['source ANN: CONFIRMED UPDATE', 'source Bob: CONFIRMED UPDATE']],
      ['by id', { sourceId: 'ANN' }, ['source ANN: CONFIRMED UPDATE']],
      ['by id in another case', { sourceId: 'ann' }, ['source ANN: CONFIRMED UPDATE']],
      [
        'by id in another case where absent objects count as deleted',
        { sourceId: 'aNN', overrides: { allowEmptySourceSet: true } },
        ['source ANN: CONFIRMED UPDATE'],
      ],
      [
        'without target phase',
        { overrides: { runTargetPhase: false } },
        ['source ANN: CONFIRMED UPDATE', 'source Bob: CONFIRMED UPDATE'],
      ],
      [
        'from the target, where the source query left it out',
        { overrides: restricted },
        ['source Bob: CONFIRMED UPDATE', 'target ANN: CONFIRMED UPDATE'],
      ],
    ])('both objects are found in their own spelling: %s', async (_how, request, situations) => {
      await using world = await linked()
      expect((await world.run(request)).situations).toEqual(situations)
      expect(Object.keys(await world.all(target)).toSorted()).toEqual(['ANN', 'Bob'])
      // Links may also come from elsewhere and know the lower-case form only.
      for (const name of ['ann', 'bob']) {
        const { result } = await world.repository.links.query({ filter: parseFilter(`firstId eq "${name}"`) })
        await world.repository.links.delete(result)
        await world.link(name, name)
      }
      expect((await world.run(request)).situations).toEqual(situations)
    })

    it('what is really gone is SOURCE_MISSING', async () => {
      await using world = await linked()
      await world.remove(`${source}/ANN`)
      expect((await world.run()).situations).toContain('target ANN: SOURCE_MISSING DELETE')
      expect(Object.keys(await world.all(target))).toEqual(['Bob'])
      expect(await world.links()).toEqual(['bob → bob'])
    })
  })
})

describe('associations', () => {
  it('are kept for as many runs as the mapping says; the runs themselves stay', async () => {
    const mapping = { ...byMail, reconAssociation: { maxNonAnalysisRunsPerMapping: 2 } }
    await using world = await openWorld({ mapping })
    await world.persons(ann, bob)
    const ids: string[] = []
    for (let run = 0; run < 3; run++) ids.push((await world.run({ persistAssociations: true })).run.id)
    const { runs } = world.repository
    const entries = await Promise.all(ids.map((id) => runs.queryEntries(id, { filter: parseFilter('true') })))
    expect(entries.map(({ result }) => result.length)).toEqual([0, 2, 2])
    expect(entries[1]?.result[0]).toMatchObject({
      reconId: ids[1],
      situation: 'CONFIRMED',
      action: 'UPDATE',
      sourceObjectId: 'p1',
      sourceResourceCollection: source,
      targetResourceCollection: target,
      status: 'SUCCESS',
      phase: 'source',
    })
    expect((await world.reconciliations.list()).map(({ _id }) => _id)).toEqual(ids)
  })
})

describe('runs of one mapping', () => {
  it('do not overlap', async () => {
    await using world = await openWorld({ mapping: byMail })
    await world.persons(ann)
    const first = world.run()
    await expect(world.run()).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await first).run.state).toBe('SUCCESS')
  })

  it('can be cancelled between two objects that are only looked at: nothing of their page is written', async () => {
    const slow = script('var end = Date.now() + 20; while (Date.now() < end); true')
    await using world = await openWorld({ mapping: { ...byMail, validSource: slow } })
    await world.persons(
      ...Array.from({ length: 50 }, (_, index) => ({ _id: `p${index}`, mail: `${index}@x`, name: 'Nn' })),
    )
    const { run, done } = await world.reconciliations.start({ mapping: 'person_user' }, administrator)
    await expect.poll(() => run.stage).toBe('ACTIVE_RECONCILING_SOURCE')
    run.cancel()
    await done
    expect(run.state).toBe('CANCELED')
    expect(await world.all(target)).toEqual({})
    expect((await world.audit(run.id)).map(({ entryType }) => entryType)).toEqual(['start', 'summary'])
  })

  it.each([{ external: true }, { external: false }])(
    'can be cancelled while a page is written: it is linked and recorded all the same (%o)',
    async ({ external }) => {
      let cancel = () => {}
      await using world = await openWorld({ mapping: byMail, external, onWrite: () => cancel() })
      await world.persons(ann, bob)
      const { run, done } = await world.reconciliations.start({ mapping: 'person_user' }, administrator)
      cancel = () => run.cancel()
      await done
      expect([run.state, run.statistics.written.created]).toEqual(['CANCELED', 2])
      expect((await world.links()).length).toBe(2)
      expect((await world.audit(run.id)).map(({ entryType }) => entryType)).toEqual([
        'start',
        'entry',
        'entry',
        'summary',
      ])
    },
  )

  it('can be cancelled: what runs finishes, the rest is left for the next run', async () => {
    await using world = await openWorld({ mapping: { ...byMail, taskThreads: 1 } })
    await world.persons(
      ...Array.from({ length: 50 }, (_, index) => ({ _id: `p${index}`, mail: `${index}@x`, name: 'Nn' })),
    )
    const { run, done } = await world.reconciliations.start({ mapping: 'person_user' }, administrator, {
      onProgress: (started) => started.cancel(),
    })
    await done
    expect(run.state).toBe('CANCELED')
    const made = Object.keys(await world.all(target)).length
    expect(made).toBeLessThan(50)
    expect((await world.links()).length).toBe(made)
    expect((await world.run()).run.statistics.situationSummary).toMatchObject({
      CONFIRMED: made,
      ABSENT: 50 - made,
    })
  })
})
