import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts'
import type { ManagedSet } from '../managed-set.ts'
import { managedObjects } from '../resource.ts'
import { managedTypes } from '../testing/managed-types.ts'
import { noting } from '../testing/noting.ts'
import type { TypeParts } from '../type/compile.ts'
import { plainParts } from '../type/compile.ts'
import { noScripts } from '../type/scripts.ts'
import type { ObjectChange, OnChange } from './changes.ts'

/** How often each stage touches the store, whatever the type has to do in it (platform §6.2). */
const own: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }
const client: RequestContext = { ...own, external: true, userId: 'ann' }

let temporary: TemporaryStore
let real: Repository
beforeEach(async () => {
  temporary = await temporaryStore()
  real = temporary.repository
})
afterEach(async () => {
  await temporary[Symbol.asyncDispose]()
})

const text = { type: 'string' }
const relation = (reverse: string): JsonObject => ({
  ...{ type: 'relationship', reverseRelationship: true, reversePropertyName: reverse, validate: true },
  resourceCollection: [{ path: 'managed/user' }],
})
const plain: JsonObject = { userName: { ...text, policies: [{ policyId: 'unique' }] }, mail: text }
const related: JsonObject = {
  ...{ ...plain, manager: relation('reports') },
  reports: { type: 'array', items: relation('manager') },
}
const encrypted: JsonObject = { ...plain, pin: { ...text, encryption: { key: 'k' } } }

/** Encryption that can be looked through. */
function cryptography(decrypted: string[]): TypeParts['cryptography'] {
  return {
    ...plainParts.cryptography,
    encrypt: async (value) => ({ $crypto: { value } }),
    isEncrypted: (value) => isJsonObject(value) && '$crypto' in value,
    async decrypt(value) {
      const inside = isJsonObject(value) && isJsonObject(value.$crypto) ? value.$crypto.value : undefined
      decrypted.push(String(inside))
      return inside ?? null
    },
  }
}

/** `source`: the code of the hooks; unknown code may do anything. */
async function open(properties: JsonObject, hooks: readonly string[] = [], store = real, source?: string) {
  const calls: string[] = []
  const decrypted: string[] = []
  const heard: ObjectChange[] = []
  const onChange: OnChange = {
    concerns: () => true,
    enlist: async () => {},
    withdraw: async () => {},
    async notify(changes) {
      heard.push(...changes)
      return changes.map(() => ({ success: true, action: 'notifyUpdate', syncDetails: [] }))
    },
  }
  const scripts: TypeParts['scripts'] = {
    ...noScripts,
    has: (name) => hooks.includes(name),
    run: async () => ({}),
    sourceOf: () => source,
  }
  const managed = await managedObjects({
    ...{ repository: noting(store, calls), onChange },
    types: managedTypes({ objects: [{ name: 'user', schema: { properties } }] }),
    partsOf: () => ({ scripts, cryptography: cryptography(decrypted) }),
  })
  const resources = router({ managed })
  const create = (id: string, content: JsonObject = {}) =>
    resources.create('managed/user', id, { userName: id, ...content }, own)
  const patch = (id: string, operation: JsonObject, request: RequestContext = client) =>
    resources.patch(`managed/user/${id}`, undefined, parsePatch([operation]), request)
  const reads = () => calls.filter((call) => call === 'read managed/user').length
  return { managed, resources, create, patch, calls, reads, decrypted, heard }
}

const mail = { operation: 'replace', field: '/mail', value: 'new@x' }

describe('a patch reads its object', () => {
  it.each([
    { type: 'of a plain type', properties: plain, hooks: [], request: client, reads: 1 },
    { type: 'of a plain type, from a script', properties: plain, hooks: [], request: own, reads: 1 },
    { type: 'with relationships', properties: related, hooks: [], request: client, reads: 1 },
    { type: 'with encryption', properties: encrypted, hooks: [], request: client, reads: 1 },
    {
      type: 'with scripts before the write',
      properties: plain,
      hooks: ['onUpdate', 'onStore'],
      request: client,
      reads: 1,
    },
    { type: 'with a script after it', properties: related, hooks: ['postUpdate'], request: client, reads: 1 },
    // What onSync gets to see may have been changed meanwhile.
    { type: 'with onSync', properties: plain, hooks: ['onSync'], request: client, reads: 2 },
    {
      type: 'with relationships and onSync',
      properties: related,
      hooks: ['onSync'],
      request: client,
      reads: 2,
    },
  ])('$reads × $type', async ({ properties, hooks, request, reads }) => {
    const world = await open(properties, hooks)
    await world.create('ann', { mail: 'old@x' })
    world.calls.length = 0
    expect(await world.patch('ann', mail, request)).toMatchObject({ mail: 'new@x' })
    expect(world.reads()).toBe(reads)
  })
})

describe('a page reads its objects', () => {
  it.each([
    { type: 'without relationships', properties: plain, hooks: [] },
    { type: 'with relationships', properties: related, hooks: [] },
    { type: 'with encryption', properties: encrypted, hooks: [] },
    { type: 'with scripts that only compute', properties: plain, hooks: ['onUpdate', 'onStore'] },
    { type: 'with scripts and relationships', properties: related, hooks: ['onUpdate', 'onValidate'] },
    { type: 'with scripts that see other writes', properties: related, hooks: ['onCreate', 'postDelete'] },
  ])('once $type, and takes as many calls for many as for two', async ({ properties, hooks }) => {
    const { managed, create, calls, reads } = await open(properties, hooks, real, 'object.note = 1')
    const set = managed.objectSet?.('user')
    const ids = Array.from({ length: 20 }, (_, at) => `u${at}`)
    for (const id of ids) await create(id)
    const write = async (some: readonly string[]) => {
      calls.length = 0
      const writes = some.map((id) => ({
        ...({ operation: 'update', id, content: { userName: id, mail: `${id}@${some.length}` } } as const),
      }))
      const results = (await set?.writeMany(writes, own)) ?? []
      expect(results.map(({ ok }) => ok)).toEqual(some.map(() => true))
      return calls.length
    }
    const two = await write(ids.slice(0, 2))
    expect(await write(ids)).toBe(two)
    expect(reads()).toBe(1)
  })
})

describe('what is encrypted', () => {
  it('is decrypted only when something changes', async () => {
    const { create, patch, decrypted } = await open(encrypted)
    await create('ann', { pin: '1234', mail: 'old@x' })
    decrypted.length = 0
    await patch('ann', { operation: 'replace', field: '/mail', value: 'old@x' })
    expect(decrypted).toEqual([])
    await patch('ann', mail)
    expect(new Set(decrypted)).toEqual(new Set(['1234']))
  })

  it('is not written again when the same value comes in clear', async () => {
    const { resources, create, calls } = await open(encrypted)
    const { _rev } = await create('ann', { pin: '1234' })
    calls.length = 0
    const same = await resources.update(
      'managed/user/ann',
      undefined,
      { userName: 'ann', pin: '1234' },
      client,
    )
    expect(same._rev).toBe(_rev)
    expect(calls.filter((call) => call.startsWith('write'))).toEqual([])
  })
})

describe('a write of an object that has changed since it was read', () => {
  it.each([
    { type: 'without relationships', properties: plain },
    { type: 'with relationships', properties: related },
  ])('is refused $type, and leaves nothing behind', async ({ properties }) => {
    const { managed, create, patch, resources } = await open(properties)
    await create('boss')
    await create('ann')
    const set = managed.objectSet?.('user') as ManagedSet
    const known = await set.stored('ann')
    await patch('ann', mail)
    const content = {
      userName: 'ann',
      mail: 'late@x',
      ...(properties === related && { manager: { _ref: 'managed/user/boss' } }),
    }
    const write = { operation: 'update', id: 'ann', content, known } as const
    const [result] = await set.apply([write], client)
    expect(result).toMatchObject({ ok: false, error: { code: 'PRECONDITION_FAILED' } })
    const fields = [['manager'], ['mail']]
    const { mail: left, manager = null } = await resources.read('managed/user/ann', { ...own, fields })
    expect([left, manager]).toEqual(['new@x', null])
  })
})

describe('the work of a transaction done twice', () => {
  it.each([
    { type: 'a plain type', properties: plain, hooks: [] },
    { type: 'relationships', properties: related, hooks: [] },
    { type: 'scripts', properties: related, hooks: ['onUpdate', 'postUpdate', 'onSync'] },
  ])('comes to the same with $type', async ({ properties, hooks }) => {
    const run = async (repeatTransactions: boolean) => {
      await using fresh = await temporaryStore({ repeatTransactions })
      const store = fresh.repository
      const { create, patch, resources, heard } = await open(properties, hooks, store)
      await create('boss')
      await create('ann', properties === related ? { manager: { _ref: 'managed/user/boss' } } : {})
      await expect(create('eve', { userName: 'boss' })).rejects.toMatchObject({ code: 'POLICY_FAILED' })
      await patch('ann', mail)
      await resources.delete('managed/user/boss', undefined, client)
      const { result } = await store.audit.query('activity', { filter: { kind: 'literal', value: true } })
      return {
        audited: result.map(({ operation, objectId }) => `${operation} ${objectId}`),
        heard: heard.map(({ operation, id, before, after }) => [operation, id, before?.mail, after?.mail]),
        left: (
          await store.objects.query('managed/user', { filter: { kind: 'literal', value: true } })
        ).result.map(({ _id, mail }) => [_id, mail]),
      }
    }
    const once = await run(false)
    expect(once.heard).not.toEqual([])
    expect(await run(true)).toEqual(once)
  })
})
