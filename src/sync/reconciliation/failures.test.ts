import { describe, expect, it } from 'vitest'
import type { Action, Situation } from '../../mapping/situation.ts'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { inSituation, person, properties } from '../testing/situations.ts'
import { target } from '../testing/world.ts'

/**
 * Where an operation fails, and what of it stays, side by side (engine §4.5): one row for each script
 * that throws, for each write that is refused, and for each action that has nothing to work on.
 */
const throwing = script("throw new Error('broken here')")
const broken = /broken here/

interface Row {
  readonly situation: Situation
  readonly action: Action
  /** The mapping's configuration with the fault in it. */
  readonly settings?: JsonObject
  readonly postAction?: JsonObject
  /** Target writes that were done. */
  readonly writes: readonly RegExp[]
  /** Whether there is a link of the object in the end. */
  readonly linked: boolean
  readonly message: RegExp
}

const failsAtOnce = { writes: [], linked: false, message: broken }
const create = { situation: 'ABSENT', action: 'CREATE' } as const
const update = { situation: 'FOUND', action: 'UPDATE' } as const
const remove = { situation: 'CONFIRMED', action: 'DELETE' } as const
const unlink = { situation: 'CONFIRMED', action: 'UNLINK' } as const
const link = { situation: 'FOUND', action: 'LINK' } as const
const created = [/^create /]
const updated = [/^update u$/]
const deleted = [/^delete u$/]
const nothingToLink = /^no target object to link$/

const withRule = (rule: JsonObject) => ({ properties: [{ source: 'name', target: 'name', ...rule }] })
/** What the target's schema refuses: it wants names of two letters. */
const tooShort = { properties: [...properties, { target: 'name', default: 'A' }] }
/** Another writer's link is stored while the target is being written. */
const linking = (targetId: string) =>
  script(`openidm.create('repo/link', null, {
    linkType: 'person_user', linkQualifier: 'default', firstId: sourceId, secondId: ${targetId} })`)

const table: [string, Row][] = [
  ['validSource throws', { ...create, settings: { validSource: throwing }, ...failsAtOnce }],
  ['sourceCondition throws', { ...create, settings: { sourceCondition: throwing }, ...failsAtOnce }],
  ['correlationQuery throws', { ...create, settings: { correlationQuery: throwing }, ...failsAtOnce }],
  ['a property condition throws', { ...create, settings: withRule({ condition: throwing }), ...failsAtOnce }],
  ['a transform throws', { ...create, settings: withRule({ transform: throwing }), ...failsAtOnce }],
  ['onMapping throws', { ...create, settings: { onMapping: throwing }, ...failsAtOnce }],
  ['onCreate throws', { ...create, settings: { onCreate: throwing }, ...failsAtOnce }],
  [
    'onLink throws after a create: the target stays without a link, and the record names it',
    {
      ...{ ...create, settings: { onLink: throwing } },
      ...{ writes: created, linked: false, message: broken },
    },
  ],
  [
    'the link cannot be stored after a create: the target stays without it, and the record names it',
    {
      ...{ ...create, settings: { onLink: linking("'somewhere-else'") } },
      ...{ writes: created, linked: true, message: /the link could not be stored.*stays without a link/s },
    },
  ],
  ['onLink throws before an update', { ...update, settings: { onLink: throwing }, ...failsAtOnce }],
  ['onLink throws before a link', { ...link, settings: { onLink: throwing }, ...failsAtOnce }],
  [
    'onUpdate throws: the link that precedes it stays',
    { ...update, settings: { onUpdate: throwing }, writes: [], linked: true, message: broken },
  ],
  [
    'the target refuses a create',
    {
      ...{ ...create, settings: tooShort, writes: [], linked: false },
      message: /could not create the target: Policy validation failed \(name: MIN_LENGTH\)/,
    },
  ],
  [
    'the target refuses an update: the link that precedes it stays',
    {
      ...{ ...update, settings: tooShort, writes: [], linked: true },
      message: /could not update target u: Policy validation failed/,
    },
  ],
  [
    'onDelete throws: target and link stay',
    { ...remove, settings: { onDelete: throwing }, writes: [], linked: true, message: broken },
  ],
  [
    'onUnlink throws after a delete: the link stays',
    { ...remove, settings: { onUnlink: throwing }, writes: deleted, linked: true, message: broken },
  ],
  [
    'onUnlink throws: the link stays',
    { ...unlink, settings: { onUnlink: throwing }, writes: [], linked: true, message: broken },
  ],
  [
    'postMapping throws after a create: target and link stay',
    { ...create, settings: { postMapping: throwing }, writes: created, linked: true, message: broken },
  ],
  [
    'postMapping throws after an update: target and link stay',
    { ...update, settings: { postMapping: throwing }, writes: updated, linked: true, message: broken },
  ],
  [
    'postAction throws: everything stays',
    { ...create, postAction: throwing, writes: created, linked: true, message: broken },
  ],
  [
    'CREATE has no source',
    {
      ...{ situation: 'UNASSIGNED', action: 'CREATE', writes: [], linked: false },
      message: /^no source object to create target from$/,
    },
  ],
  [
    'CREATE has a target already',
    {
      ...{ situation: 'FOUND', action: 'CREATE', writes: [], linked: false },
      message: /^target object already exists$/,
    },
  ],
  ...(['UPDATE', 'LINK'] as const).flatMap((action): [string, Row][] => [
    [
      `${action} has no target, being ABSENT`,
      { situation: 'ABSENT', action, writes: [], linked: false, message: nothingToLink },
    ],
    [
      `${action} has too many targets, being AMBIGUOUS`,
      { situation: 'AMBIGUOUS', action, writes: [], linked: false, message: nothingToLink },
    ],
    [
      `${action} has no source to link, being UNASSIGNED`,
      {
        ...{ situation: 'UNASSIGNED', action, writes: [], linked: false },
        message: /^no source object to link$/,
      },
    ],
  ]),
]

describe.each([
  ['inside the repository', false],
  ['outside', true],
])('with a target %s, an operation fails where', (_where, external) => {
  it.each(table)('%s', async (_what, row) => {
    const said: string[] = []
    const told = script("logger.info('{}: {}', error.code, error.message)")
    await using world = await inSituation(row.situation, row.action, {
      external,
      settings: { onError: told, ...row.settings },
      policy: { postAction: row.postAction ?? script("logger.info('postAction')") },
      onSaid: (line) => said.push(line),
    })
    const { run } = await world.run()
    expect(run.state).toBe('SUCCESS')
    const failed = (await world.audit(run.id)).filter(({ status }) => status === 'FAILURE')
    expect(failed.map(({ message }) => message)).toEqual([expect.stringMatching(row.message)])
    // What was created is named, so that it need not be looked for.
    if (world.writes[0]?.startsWith('create ') && failed[0]?.reconciling === 'source')
      expect(failed[0].targetObjectId).toBe(`${target}/${world.writes[0].replace('create ', '')}`)
    expect(world.writes).toEqual(row.writes.map((write) => expect.stringMatching(write)))
    expect((await world.links()).some((line) => line.startsWith('p →'))).toBe(row.linked)
    // onError is told, as a 409 whatever failed; a postAction does not follow a failure.
    expect(said).toEqual([expect.stringMatching(/^409: /)])
  })

  it('its neighbours on the page are done all the same', async () => {
    const settings = {
      ...tooShort,
      properties: [...properties],
      onCreate: script("if (source._id === 'p') { throw 'not this one' }"),
    }
    await using world = await inSituation('ABSENT', 'CREATE', { external, settings })
    await world.persons({ ...person, _id: 'q', mail: 'q@x' }, { ...person, _id: 'a', mail: 'a@x' })
    const { run } = await world.run()
    expect(run.toJSON().statusSummary).toMatchObject({ FAILURE: 1 })
    expect((await world.links()).map((line) => line[0])).toEqual(['a', 'q'])
  })
})

describe('a link that is there already when the operation comes to store it', () => {
  it('is no failure if it is the very link', async () => {
    const settings = { onLink: linking('targetId') }
    await using world = await inSituation('ABSENT', 'CREATE', { external: true, settings })
    const { run } = await world.run()
    expect(run.toJSON().statusSummary).toMatchObject({ FAILURE: 0 })
    const [id] = Object.keys(await world.all(target)).filter((one) => one !== 'z')
    expect(await world.links()).toEqual([`p → ${id}`])
  })
})
