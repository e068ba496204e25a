import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { openWorld, type World } from '../testing/world.ts'

/**
 * Every script of a mapping, and exactly the variables it sees (engine §4.2), side by side. Each script
 * logs all names that the specification knows anywhere, as far as they are defined; `context` is there for all.
 */
const names = [
  ...[
    'source',
    'sourceId',
    'target',
    'targetId',
    'oldSource',
    'oldTarget',
    'existingTarget',
    'object',
    'oldValue',
  ],
  ...['situation', 'action', 'sourceAction', 'linkQualifier', 'returnAll', 'reconId', 'recon', 'error'],
  ...['mapping', 'mappingConfig', 'config', 'reconState', 'request', 'property'],
]

/** A script that logs its variables as JSON; its value is that of the expression `value`. */
function telling(value = 'null'): JsonObject {
  const asked = names.map((name) => `if (typeof ${name} !== 'undefined') { seen.${name} = ${name} }`)
  return script(`
    var seen = { contextIsThere: typeof context === 'object' };
    ${asked.join('\n')}
    if (typeof global === 'object' && global.reconId) { seen.global = global }
    logger.info(JSON.stringify(seen));
    ${value}`)
}

const ann = { _id: 'p', mail: 'ann@x', name: 'Ann' }
const user = { _id: 'u', mail: 'ann@x', name: 'Old' }
const mapped = { mail: 'ann@x', name: 'Ann' }
const _rev = expect.any(String)
const source = { ...ann, _rev }
const target = { ...user, _rev }

type Arrangement = (world: World) => Promise<unknown>
const absent: Arrangement = (world) => world.users({ _id: 'z', mail: 'z@x', name: 'Zed' })
const found: Arrangement = (world) => world.users(user)
const confirmed: Arrangement = async (world) => {
  await world.users(user)
  await world.link('p', 'u')
}
const sourceMissing: Arrangement = async (world) => {
  await world.users({ ...user, mail: 'gone@x' })
  await world.link('gone', 'u')
}

const linkQualifier = 'default'
const mappingConfig = expect.objectContaining({ name: 'person_user', source: 'managed/person' })
const id = expect.any(String)
const reconId = expect.any(String)
/** What is common to the hooks around an operation. */
const around = { source, sourceId: 'p', oldSource: null, linkQualifier, mappingConfig }
const gone = { ...target, mail: 'gone@x' }
const aroundDelete = {
  ...{ ...around, source: null, sourceId: 'gone' },
  ...{ target: gone, targetId: 'u', oldTarget: gone, situation: 'SOURCE_MISSING' },
}
const updated = { ...target, name: 'Ann' }
const actionParam = {
  ...{ reconId, mapping: 'person_user', linkQualifier, ambiguousTargetIds: [] },
  _action: 'performAction',
}
const phaseSummary = (name: string, situation: string, ids: string[]) =>
  expect.objectContaining({
    ...{ name, startTime: expect.any(String), endTime: expect.any(String), duration: expect.any(Number) },
    ...{ entryListDuration: expect.any(Number), processed: 1, entries: 1, NOTVALID: { count: 0, ids: [] } },
    [situation]: { count: ids.length, ids },
  })

const correlationQuery = script("var q = { _queryFilter: 'mail eq \"' + source.mail + '\"' }; q")
const hook = (name: string): JsonObject => ({ [name]: telling(), correlationQuery })
const policies = (situation: string, policy: JsonObject) => ({ policies: [{ situation, ...policy }] })
const deleting = policies('SOURCE_MISSING', { action: 'DELETE' })
const property = (more: JsonObject) => ({ properties: [{ source: 'name', target: 'name', ...more }] })

/** The script, the world that it meets, the mapping that it stands in, and what each of its calls sees. */
const table: [string, Arrangement, JsonObject, JsonObject[]][] = [
  ['validSource', absent, { validSource: telling('true') }, [{ source, linkQualifier }]],
  ['sourceCondition', absent, { sourceCondition: telling('true') }, [{ source, linkQualifier }]],
  ['validTarget', found, { validTarget: telling('true') }, [{ target, linkQualifier }]],
  [
    'linkQualifiers, once for each source and once for all targets',
    absent,
    { linkQualifiers: telling("['default']") },
    [
      { mapping: 'person_user', object: source, oldValue: null, returnAll: false },
      { mapping: 'person_user', object: null, oldValue: null, returnAll: true },
    ],
  ],
  [
    'correlationQuery',
    absent,
    { correlationQuery: telling("var q = { _queryFilter: 'false' }; q") },
    [{ source, linkQualifier }],
  ],
  ['correlationScript', absent, { correlationScript: telling('[]') }, [{ source, linkQualifier }]],
  [
    'a property condition on create',
    absent,
    property({ condition: telling('true') }),
    [{ object: source, target: {}, linkQualifier }],
  ],
  [
    'a property condition on update',
    confirmed,
    property({ condition: telling('true') }),
    [{ object: source, target, oldTarget: target, linkQualifier }],
  ],
  [
    'a property transform',
    confirmed,
    property({ transform: telling('source') }),
    [{ source: 'Ann', linkQualifier }],
  ],
  [
    'onMapping on create',
    absent,
    hook('onMapping'),
    [{ source, oldSource: null, target: mapped, existingTarget: null, config: mappingConfig, linkQualifier }],
  ],
  [
    'onMapping on update',
    confirmed,
    hook('onMapping'),
    [
      {
        ...{ source, oldSource: null, target: updated, existingTarget: target },
        ...{ config: mappingConfig, linkQualifier },
      },
    ],
  ],
  [
    'defaultMapping, the older name of onMapping',
    absent,
    hook('defaultMapping'),
    [{ source, oldSource: null, target: mapped, existingTarget: null, config: mappingConfig, linkQualifier }],
  ],
  [
    'onCreate',
    absent,
    hook('onCreate'),
    [{ ...around, target: mapped, targetId: null, situation: 'ABSENT' }],
  ],
  [
    'onUpdate',
    confirmed,
    hook('onUpdate'),
    [{ ...around, target: updated, oldTarget: target, targetId: 'u', situation: 'CONFIRMED' }],
  ],
  ['onDelete', sourceMissing, { ...hook('onDelete'), ...deleting }, [aroundDelete]],
  ['onUnlink', sourceMissing, { ...hook('onUnlink'), ...deleting }, [aroundDelete]],
  [
    'onLink after a create',
    absent,
    hook('onLink'),
    [
      {
        ...around,
        ...{ target: { ...mapped, _id: id, _rev }, targetId: id, oldTarget: null, situation: 'ABSENT' },
      },
    ],
  ],
  [
    'onLink before an update',
    found,
    hook('onLink'),
    [{ ...around, target, targetId: 'u', oldTarget: target, situation: 'FOUND' }],
  ],
  [
    'postMapping after a create',
    absent,
    hook('postMapping'),
    [
      {
        ...around,
        ...{ target: { ...mapped, _id: id, _rev }, targetId: id, oldTarget: null, situation: 'ABSENT' },
      },
    ],
  ],
  [
    'postMapping after an update',
    confirmed,
    hook('postMapping'),
    [{ ...around, target: updated, targetId: 'u', oldTarget: target, situation: 'CONFIRMED' }],
  ],
  [
    'onError',
    confirmed,
    { ...hook('onError'), onUpdate: script("throw { code: 422, message: 'not this one' }") },
    [
      {
        ...around,
        ...{ target, targetId: 'u', oldTarget: target, situation: 'CONFIRMED' },
        error: expect.objectContaining({
          ...{ code: 409, reason: 'Conflict', message: expect.stringContaining('not this one') },
          detail: expect.objectContaining({ code: 422 }),
        }),
      },
    ],
  ],
  [
    'a policy condition, in either phase',
    sourceMissing,
    {
      policies: ['ABSENT', 'SOURCE_MISSING'].map((situation) => ({
        ...{ situation, action: 'REPORT', condition: telling('true') },
      })),
    },
    [
      { object: source, linkQualifier },
      { object: null, linkQualifier },
    ],
  ],
  [
    'a policy action in the source phase, without target',
    absent,
    policies('ABSENT', { action: telling("'REPORT'") }),
    [
      {
        ...{ source, target: null, sourceAction: true, linkQualifier },
        recon: { actionParam: { ...actionParam, sourceId: 'p', situation: 'ABSENT', action: 'CREATE' } },
      },
    ],
  ],
  [
    'a policy action in the source phase, with its target',
    confirmed,
    policies('CONFIRMED', { action: telling("'REPORT'") }),
    [
      {
        ...{ source, target, sourceAction: true, linkQualifier },
        recon: {
          actionParam: {
            ...{ ...actionParam, sourceId: 'p', targetId: 'u', situation: 'CONFIRMED', action: 'UPDATE' },
          },
        },
      },
    ],
  ],
  [
    'a policy action in the target phase',
    sourceMissing,
    policies('SOURCE_MISSING', { action: telling("'REPORT'") }),
    [
      {
        ...{ source: null, target: gone, sourceAction: false, linkQualifier },
        recon: {
          actionParam: {
            ...{ ...actionParam, target: 'true', targetId: 'u', oldSource: null },
            ...{ situation: 'SOURCE_MISSING', action: 'EXCEPTION' },
          },
        },
      },
    ],
  ],
  [
    'a postAction',
    confirmed,
    policies('CONFIRMED', { action: 'REPORT', postAction: telling() }),
    [
      {
        ...{ source, target, action: 'REPORT', sourceAction: true, situation: 'CONFIRMED' },
        ...{ linkQualifier, reconId },
      },
    ],
  ],
  ['onRecon', absent, hook('onRecon'), [{ mappingConfig }]],
  [
    'result',
    absent,
    hook('result'),
    [
      {
        source: phaseSummary('managed/person', 'ABSENT', ['p']),
        target: phaseSummary('managed/user', 'UNASSIGNED', ['z']),
        global: {
          ...{ startTime: expect.any(String), endTime: expect.any(String), duration: expect.any(Number) },
          ...{ reconId, mappingName: 'person_user' },
        },
        reconState: expect.objectContaining({ _id: reconId, state: 'ACTIVE' }),
        mappingConfig,
      },
    ],
  ],
]

describe('the variables of', () => {
  it.each(table)('%s are those of the specification', async (_script, arrange, mapping, calls) => {
    const properties = [
      { source: 'mail', target: 'mail' },
      { source: 'name', target: 'name' },
    ]
    const said: string[] = []
    await using world = await openWorld({
      mapping: { properties, ...mapping },
      onSaid: (line) => said.push(line),
    })
    await world.persons(ann)
    await arrange(world)
    expect((await world.run()).run.state).toBe('SUCCESS')
    const seen = said.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
    expect(seen).toEqual(calls.map((variables) => ({ contextIsThere: true, ...variables })))
  })
})
