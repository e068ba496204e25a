import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ForeseenValues } from '../../model/foreseen-values.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Judgement, ObjectWriteRequest, RequestContext } from '../../router/resources.ts'
import { temporaryFolder } from '../../testing/folder.ts'
import { runs } from '../../testing/runs.ts'
import { csvKind } from '../csv/kind.ts'
import type { Connector } from '../kit/connector.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import { openSystem } from './open-system.ts'

const request: RequestContext = { external: false, userId: 'u', roles: [], transactionId: 't' }

async function inSystem<T>(
  kind: ConnectorKind,
  properties: JsonObject,
  work: (
    set: NonNullable<
      Awaited<ReturnType<typeof openSystem>>['objects'] extends ReadonlyMap<string, infer S> ? S : never
    >,
  ) => Promise<T>,
  more: JsonObject = {},
): Promise<T> {
  using folder = temporaryFolder()
  writeFileSync(folder.file('people.csv'), 'uid,v,m\n1,a,x;y\n2,b,\n')
  const configuration = {
    ...{ name: 'dir', connectorRef: { connectorName: kind.connectorName } },
    configurationProperties: { csvFile: 'people.csv', multivaluedColumns: ['m'], multivalueSeparator: ';' },
    objectTypes: { account: { nativeType: '__ACCOUNT__', properties } },
    ...more,
  }
  await using system = await openSystem(configuration, {
    ...{ kinds: [kind], projectFolder: folder.path, decrypt: async (value: Json) => value },
  })
  const set = system.objects.get('account')
  if (!set) throw new Error('there is no account')
  return await work(set)
}

const text = (judgement: Judgement) =>
  judgement?.kind === 'refused' ? judgement.problem.message : (judgement?.why ?? 'ok')

const uid = { type: 'string', nativeName: '__UID__' }

describe('a write to a CSV file is judged as it would be answered', () => {
  const properties = fc.record({
    v: fc.constantFrom<JsonObject[]>(
      { type: 'string' },
      { type: 'integer' },
      { type: 'boolean', required: true },
      { type: 'array', items: { type: 'string' }, nativeName: 'm' },
      { type: 'string', nativeName: 'absent' },
      { type: 'string', flags: ['NOT_UPDATEABLE'] },
    ),
    uid: fc.constantFrom<JsonObject[]>(uid, { type: 'string', nativeName: 'uid' }),
  })
  const value = fc.constantFrom<Json[]>('a', '', '7', true, 3, null, ['a'], ['a', 'b'], ['a;b'], { a: 1 }, [])
  const content = fc.dictionary(fc.constantFrom('v', 'uid', 'other'), value, { maxKeys: 3 })
  const write: fc.Arbitrary<ObjectWriteRequest> = fc.oneof(
    content.map((content) => ({ operation: 'create' as const, id: '9', content })),
    content.map((content) => ({ operation: 'update' as const, id: '1', content })),
    fc.constant({ operation: 'delete' as const, id: '2' }),
  )
  const permission = fc.constantFrom<JsonObject[]>(
    {},
    {},
    { operationOptions: { CREATE: { denied: true, onDeny: 'DO_NOTHING' } } },
    { operationOptions: { UPDATE: { denied: true } } },
  )

  it('whatever is declared, and whatever is given', async () => {
    await fc.assert(
      fc.asyncProperty(properties, write, permission, (declared, one, options) =>
        inSystem(
          csvKind,
          declared,
          async (set) => {
            const [judgement] = (await set.judge?.([one], new ForeseenValues(), request)) ?? []
            const [result] = await set.writeMany([one], request)
            // Whether an id is free is not judged.
            if (!result?.ok && result?.error.message.includes('already has')) return
            expect(text(judgement)).toBe(result?.ok ? 'ok' : result?.error.message)
          },
          options,
        ),
      ),
      runs(200),
    )
  })
})

describe('a write to a system whose connector does not say beforehand what it refuses', () => {
  const attribute = { type: 'string', multivalued: false, required: false } as const
  const connector: Connector = {
    displayName: 'Plain',
    agreedNames: () => ({ __NAME__: 'login' }),
    schema: async () => ({
      __ACCOUNT__: {
        attributes: [
          { ...attribute, name: 'login', required: true },
          { ...attribute, name: 'mail', required: true },
          { ...attribute, name: 'note' },
        ],
      },
    }),
    writeMany: async (_, writes) => writes.map(() => ({ ok: true, id: 'x' })),
    [Symbol.asyncDispose]: async () => {},
  }
  const kind: ConnectorKind = { ...csvKind, create: () => connector }
  const properties = {
    login: { type: 'string', nativeName: '__NAME__' },
    mail: { type: 'string' },
    note: { type: 'string' },
    shoe: { type: 'string' },
  }

  it.each<[what: string, write: ObjectWriteRequest, judgement: string]>([
    ['that has what is required', { operation: 'create', id: 'x', content: { mail: 'a' } }, 'ok'],
    [
      'that lacks what is required',
      { operation: 'create', id: 'x', content: { note: 'a' } },
      'mail is required by system/dir/account and has no value',
    ],
    ['that changes something else', { operation: 'update', id: 'x', content: { note: 'a' } }, 'ok'],
    [
      'with an attribute that the system does not have',
      { operation: 'update', id: 'x', content: { shoe: '42' } },
      'system/dir/account has no attribute shoe',
    ],
  ])('%s: by the schema of the system', async (_what, write, judgement) => {
    const found = await inSystem(kind, properties, async (set) =>
      set.judge?.([write], new ForeseenValues(), request),
    )
    expect(found?.map(text)).toEqual([judgement])
  })
})
