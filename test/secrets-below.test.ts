import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'
import { password, type Server, serve } from './support/server.ts'

/** Secrets in properties below the top level and in arrays (platform §6.1, §6.2). */

let project: TestProject
let server: Server

beforeAll(async () => {
  project = new TestProject()
  const encryption = { key: 'openidm-sym-default' }
  project.write('conf/managed.json', {
    objects: [
      {
        name: 'user',
        schema: {
          properties: {
            name: { type: 'string' },
            mail: { type: 'string', isProtected: true },
            password: {
              type: 'string',
              scope: 'private',
              secureHash: { algorithm: 'SHA-256' },
              isProtected: true,
            },
            account: {
              type: 'object',
              properties: {
                pin: { type: 'string', encryption },
                answer: { type: 'string', secureHash: {}, scope: 'private' },
                note: { type: 'string', scope: 'private' },
                label: {
                  type: 'string',
                  isVirtual: true,
                  returnByDefault: true,
                  onRetrieve: script(`object.name + '/' + object.account.owner`),
                },
                asked: { type: 'string', isVirtual: true, onRetrieve: script(`'asked for'`) },
                owner: {
                  type: 'string',
                  onStore: script('property && property.toUpperCase()'),
                  onValidate: script(
                    `if (value === 'nobody') throw { code: 400, message: 'needs an owner' }`,
                  ),
                },
              },
            },
            cards: {
              type: 'array',
              items: {
                type: 'object',
                properties: { number: { type: 'string', encryption }, kind: { type: 'string' } },
              },
            },
            codes: { type: 'array', items: { type: 'string', encryption } },
          },
        },
      },
      {
        name: 'box',
        schema: {
          properties: {
            label: { type: 'string' },
            inner: { type: 'object', properties: { hidden: { type: 'string', scope: 'private' } } },
          },
        },
      },
    ],
  })
  project.write('conf/endpoint-eval.json', script('eval(request.content.source)'))
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const put = (id: string, body: object, headers?: Record<string, string>) =>
  server.call('PUT', `managed/user/${id}`, { body, ...(headers && { headers }) })
const get = async (id: string, query = '') => (await server.call('GET', `managed/user/${id}${query}`)).body
/** As scripts of the server see and do it. */
const inside = async (source: string) =>
  (await server.call('POST', 'endpoint/eval?_action=go', { body: { source } })).body
const stored = (id: string) => inside(`openidm.read('managed/user/${id}')`)

describe('an encrypted value below the top level', () => {
  it('is stored encrypted, in objects and in arrays', async () => {
    await put('enc', { account: { pin: '1234' }, cards: [{ number: '4711', kind: 'a' }], codes: ['x', 'y'] })
    const object = await stored('enc')
    expect(JSON.stringify(object)).not.toMatch(/1234|4711/)
    for (const value of [object.account.pin, object.cards[0].number, ...object.codes])
      expect(Object.keys(value)).toEqual(['$crypto'])
    expect(await inside(`openidm.decrypt(openidm.read('managed/user/enc'))`)).toMatchObject({
      account: { pin: '1234' },
      cards: [{ number: '4711', kind: 'a' }],
      codes: ['x', 'y'],
    })
  })
  it('stays as it is when a script sends back what it read, and is never encrypted twice', async () => {
    await put('round', { name: 'a', account: { pin: '1234', answer: 'blue' }, codes: ['x'] })
    const before = await stored('round')
    const again = `var o = openidm.read('managed/user/round'); o.name = 'b'; openidm.update('managed/user/round', null, o); openidm.read('managed/user/round')`
    const after = await inside(again)
    expect(after).toMatchObject({ name: 'b' })
    const sealed = ({ account: { pin, answer }, codes }: typeof after) => ({ pin, answer, codes })
    expect(sealed(after)).toEqual(sealed(before))
  })
  it('keeps its form when the same value comes in clear, even if its place in a list moves', async () => {
    await put('same', { account: { pin: '1234' }, codes: ['x', 'y'] })
    const before = await stored('same')
    await put('same', { name: 'new', account: { pin: '1234' }, codes: ['y'] })
    const after = await stored('same')
    expect(after.account.pin).toEqual(before.account.pin)
    expect(after.codes).toEqual([before.codes[1]])
  })
  it('is encrypted when a patch adds it', async () => {
    await put('patched', { account: { pin: '1' } })
    await server.call('PATCH', 'managed/user/patched', {
      body: [{ operation: 'replace', field: '/account/pin', value: '99' }],
    })
    expect(await inside(`openidm.decrypt(openidm.read('managed/user/patched')).account.pin`)).toBe('99')
    expect((await stored('patched')).account.pin).toHaveProperty('$crypto')
  })
})

describe('a private value below the top level', () => {
  it('is not seen from outside, and survives what comes from there', async () => {
    await put('priv', { name: 'a', account: { note: 'secret', answer: 'blue', owner: 'me' } })
    const seen = await get('priv')
    expect(seen.account).not.toHaveProperty('note')
    expect(seen.account).not.toHaveProperty('answer')
    await put('priv', { ...seen, name: 'b' })
    const after = await stored('priv')
    expect(after).toMatchObject({ name: 'b', account: { note: 'secret', owner: 'ME' } })
    expect(await inside(`openidm.matches('blue', openidm.read('managed/user/priv').account.answer)`)).toBe(
      true,
    )
  })
  it('survives a patch that replaces what it is in, and goes when a patch names it', async () => {
    const patch = (...operations: object[]) =>
      server.call('PATCH', 'managed/user/parts', { body: operations })
    await put('parts', { account: { note: 'n', owner: 'me' } })
    await patch({ operation: 'replace', field: '/account', value: { owner: 'you' } })
    expect((await stored('parts')).account).toMatchObject({ note: 'n', owner: 'YOU' })
    await patch({ operation: 'remove', field: '/account/note' })
    expect((await stored('parts')).account).not.toHaveProperty('note')
  })
  it('of a type without any script likewise', async () => {
    await server.call('PUT', 'managed/box/b', { body: { label: '1', inner: { hidden: 'x', shown: 'y' } } })
    await server.call('PUT', 'managed/box/b', { body: { label: '2', inner: { shown: 'z' } } })
    expect((await server.call('GET', 'managed/box/b')).body.inner).toEqual({ shown: 'z' })
    expect((await inside(`openidm.read('managed/box/b')`)).inner).toEqual({ hidden: 'x', shown: 'z' })
  })
  it('is not copied to where it would be seen', async () => {
    const operations = ['/account/note', '/account'].map((from) => ({
      operation: 'copy',
      from,
      field: '/name',
    }))
    for (const operation of operations)
      expect((await server.call('PATCH', 'managed/user/priv', { body: [operation] })).status).toBe(403)
  })
  it('is not found out by asking for it', async () => {
    for (const query of ['_queryFilter=account/note+sw+"s"', '_queryFilter=true&_sortKeys=account/note'])
      expect((await server.call('GET', `managed/user?${query}`)).status).toBe(403)
    const counted = 'managed/user?_action=triggerSyncCheck&_queryFilter=account/note+sw+"s"'
    expect((await server.call('POST', counted)).status).toBe(403)
    const named = 'managed/user?_action=patch&_queryId=get-by-field-value&field=account/note&value=s'
    expect((await server.call('POST', named, { body: [] })).status).toBe(403)
    expect(
      await inside(`openidm.query('managed/user', { _queryFilter: 'account/note eq "secret"' }).resultCount`),
    ).toBe(1)
  })
  it('is masked in the audit of a change', async () => {
    await put('aud', { account: { note: 'topsecret' } })
    await put('aud', { account: { note: 'topsecret2', owner: 'x' } })
    const { body } = await server.call('GET', 'audit/activity?_queryFilter=objectId+eq+"managed/user/aud"')
    expect(body.result).toHaveLength(2)
    expect(JSON.stringify(body)).not.toContain('topsecret')
  })
})

describe('scripts below the top level', () => {
  it('compute, store and validate values', async () => {
    await put('scr', { name: 'n', account: { owner: 'ann' } })
    expect((await get('scr')).account).toEqual({ owner: 'ANN', label: 'n/ANN' })
    expect((await get('scr', '?_fields=account/asked')).account).toEqual({ asked: 'asked for' })
    const refused = await put('scr', { account: { owner: 'nobody' } })
    expect([refused.status, refused.body.message]).toEqual([400, 'needs an owner'])
  })
})

describe('an encrypted or hashed value from outside', () => {
  it('is refused where it is not stored already: secrets of others cannot be copied', async () => {
    await put('victim', { account: { pin: '1234' }, codes: ['a', 'b'] })
    const { account } = await get('victim')
    for (const body of [{ account: { pin: account.pin } }, { name: account.pin }, { codes: [account.pin] }]) {
      const planted = await put('thief', body)
      expect([planted.status, planted.body.message]).toEqual([403, expect.stringContaining('from outside')])
    }
    const patched = await server.call('PATCH', 'managed/user/victim', {
      body: [{ operation: 'copy', from: '/account/pin', field: '/name' }],
    })
    expect(patched.status).toBe(403)
  })
  it('is refused as a hash whose password the sender chose', async () => {
    const hashed = await inside(`openidm.hash('mine', null)`)
    expect((await put('hashed', { password: hashed })).status).toBe(403)
  })
  it('is kept where it equals what was read, at any place in a list', async () => {
    const seen = await get('victim')
    const { status, body } = await put('victim', { ...seen, name: 'v', codes: [seen.codes[1]] })
    expect([status, body]).toEqual([200, expect.anything()])
    expect(await inside(`openidm.decrypt(openidm.read('managed/user/victim'))`)).toMatchObject({
      name: 'v',
      account: { pin: '1234' },
      codes: ['b'],
    })
  })
})

describe('a protected property', () => {
  const again = (word: string) => ({ 'X-OpenIDM-Reauth-Password': word })
  it('is given freely to a new object', async () => {
    expect((await put('prot', { mail: 'a@x', password: 'first' })).status).toBe(201)
  })
  it('changes only with the password of the caller', async () => {
    const refused = await put('prot', { mail: 'b@x' })
    expect(refused.status).toBe(403)
    expect(refused.body.detail.failedPolicyRequirements).toEqual([
      { property: 'mail', policyRequirements: [{ policyRequirement: 'REAUTH_REQUIRED' }] },
    ])
    expect((await put('prot', { mail: 'b@x' }, again(password))).status).toBe(200)
    const removed = await server.call('PATCH', 'managed/user/prot', {
      body: [{ operation: 'remove', field: '/mail' }],
    })
    expect(removed.status).toBe(403)
  })
  it('does not change with a wrong one', async () => {
    expect((await put('prot', { mail: 'c@x' }, again('guessed'))).status).toBe(401)
  })
  it('may be sent unchanged, in clear where only a hash is stored', async () => {
    expect((await put('prot', { mail: 'b@x', name: 'n', password: 'first' })).status).toBe(200)
    expect((await put('prot', { mail: 'b@x', password: 'second' })).status).toBe(403)
  })
  it('is changed freely by scripts of the server', async () => {
    const changed = `openidm.patch('managed/user/prot', null, [{operation:'replace', field:'/mail', value:'z@x'}])`
    expect(await inside(changed)).toMatchObject({ mail: 'z@x' })
  })
})
