import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'
import { script } from '../../testing/script.ts'
import { openTypes } from '../testing/scripted-types.ts'
import type { ManagedType } from '../type/type.ts'

/** Content of an update as a managed object would be read back (engine §4.3). */
const own: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }
const path = 'managed/user/1'
const encrypted = { encryption: { key: 'openidm-sym-default' } }
const lower = script("typeof property === 'string' ? property.toLowerCase() : property")

interface Case {
  readonly property?: JsonObject
  readonly hooks?: JsonObject
  readonly given: Json
}

const held: readonly (readonly [what: string, Case])[] = [
  ['an encrypted value', { property: encrypted, given: 's3cret' }],
  ['a hashed value', { property: { secureHash: { algorithm: 'SHA-256' } }, given: 's3cret' }],
  ['an encrypted member', { property: { properties: { pin: encrypted } }, given: { pin: '1', name: 'a' } }],
  ['what onStore of the property changes', { property: { onStore: lower }, given: 'ANN' }],
  [
    'what onStore of the object changes',
    { hooks: { onStore: script("object.v = object.v + '!'") }, given: 'a' },
  ],
  [
    'what onCreate and onUpdate change',
    {
      hooks: {
        onCreate: script('object.v = String(object.v)'),
        onUpdate: script('object.v = String(object.v)'),
      },
      given: 42,
    },
  ],
  ['what onRetrieve shows in another form', { property: { onRetrieve: lower }, given: 'ANN' }],
  ['a virtual property', { property: { isVirtual: true, onRetrieve: script("'x'") }, given: 'y' }],
]

async function openUser({ property = {}, hooks = {}, given }: Case) {
  const type = { name: 'user', schema: { properties: { v: property, other: {} } }, ...hooks }
  const opened = await openTypes([type as ManagedType])
  await opened.resources.create('managed/user', '1', { v: given, other: 'o' }, own)
  const set = opened.resources.objectSet('managed/user')
  const existing = async () => (await set.readMany(['1'])).get('1') as Resource
  const held = async (content: JsonObject, before: Resource) =>
    (await set.asHeld?.([{ content, existing: before }]))?.[0]
  return { ...opened, set, held, existing, [Symbol.asyncDispose]: opened[Symbol.asyncDispose] }
}

describe.each(held)('%s', (_what, one) => {
  it('is the same when it is given again, and not when another is given', async () => {
    await using user = await openUser(one)
    const before = await user.existing()
    expect(await user.held({ ...before, v: one.given }, before)).toEqual(before)
    const changed = await user.held({ ...before, v: one.given, other: 'p' }, before)
    expect(changed).toEqual({ ...before, other: 'p' })
    if (one.property?.isVirtual) return
    expect(await user.held({ ...before, v: 'another' }, before)).toMatchObject({ v: 'another' })
    expect(await user.existing()).toEqual(before)
  })
})

describe('what would be stored', () => {
  it('is not foreseen where a script fails or wants to write', async () => {
    for (const source of ["throw 'no'", "openidm.create('managed/user', 'x', {})"]) {
      const hooks = { onUpdate: script(source) }
      await using user = await openUser({ hooks, given: 'a' })
      const before = await user.existing()
      expect(await user.held({ ...before, v: 'b' }, before)).toMatchObject({ v: 'b' })
      await expect(user.resources.read('managed/user/x', own)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
  })

  it('is not asked for where a type stores what it is given', async () => {
    await using user = await openUser({ given: 'a' })
    expect(user.set.asHeld).toBeUndefined()
  })

  it('compares an encrypted value with the plaintext of the other', async () => {
    await using user = await openUser({ property: encrypted, given: 's3cret' })
    const before = await user.existing()
    const again = await user.cryptography.encrypt('s3cret', null, 'openidm-sym-default')
    const other = await user.cryptography.encrypt('other', null, 'openidm-sym-default')
    expect(again).not.toEqual(before.v)
    expect(await user.held({ ...before, v: again }, before)).toEqual(before)
    expect(await user.held({ ...before, v: other }, before)).toMatchObject({ v: other })
  })
})

describe('a list whose order says nothing', () => {
  const unordered = { type: 'array', comparison: 'unordered' }

  it.each<[what: string, property: JsonObject, given: Json, other: Json]>([
    ['itself', unordered, ['b', 'a'], ['a', 'b']],
    ['of objects', unordered, [{ x: 1 }, { x: 2 }], [{ x: 2 }, { x: 1 }]],
    ['in an object', { properties: { in: unordered } }, { in: [1, 2] }, { in: [2, 1] }],
    [
      'in the elements of another',
      { type: 'array', items: { properties: { in: unordered } } },
      [{ in: [1, 2] }],
      [{ in: [2, 1] }],
    ],
    ['encrypted', { ...unordered, ...encrypted }, ['b', 'a'], ['a', 'b']],
  ])('%s is not changed by another order', async (_what, property, given, other) => {
    await using user = await openUser({ property, given })
    const { resources, existing } = user
    const before = await existing()
    expect(await user.held({ ...before, v: other }, before)).toEqual(before)
    const external = { ...own, external: true }
    const operations = parsePatch([{ operation: 'replace', field: '/v', value: other }])
    await resources.patch(path, undefined, operations, external)
    await resources.update(path, undefined, { v: other, other: 'o' }, external)
    await resources.update(path, undefined, { v: other, other: 'o' }, own)
    expect(await existing()).toEqual(before)
  })

  it('is changed by other elements, as often as they are there; where order counts, by order', async () => {
    await using user = await openUser({ property: unordered, given: ['b', 'a', 'a'] })
    const { _rev } = await user.resources.update(path, undefined, { v: ['a', 'b', 'b'], other: 'o' }, own)
    expect(await user.existing()).toMatchObject({ _rev, v: ['a', 'b', 'b'] })
    await using ordered = await openUser({ property: { type: 'array' }, given: ['b', 'a'] })
    await ordered.resources.update(path, undefined, { v: ['a', 'b'], other: 'o' }, own)
    expect(await ordered.existing()).toMatchObject({ v: ['a', 'b'] })
  })
})
