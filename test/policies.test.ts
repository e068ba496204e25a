import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** Policies of the schema, of `conf/policy.json` and of the project's own (platform §6.3). */

const newValue = `
addPolicy({
  policyId: 'is-new', policyExec: 'isNew', policyRequirements: ['IS_NEW'],
  clientValidation: false, validateOnlyIfPresent: true
});
function isNew(fullObject, value, params, property) {
  var id = request.resourcePath.split('/').pop();
  var before = id === '*' ? null : openidm.read('managed/user/' + id);
  if (before && before.history && before.history.slice(-params.historyLength).indexOf(value) >= 0)
    return [{ policyRequirement: 'IS_NEW', params: { property: property } }];
  return [];
}
`
const house = `
var forbidden = ['gmail.com'];
addPolicy({
  policyId: 'house-mail', policyExec: 'houseMail', policyRequirements: ['HOUSE_MAIL'],
  clientValidation: true, validateOnlyIfPresent: true
});
addPolicy({ policyId: 'no-doubles', policyExec: 'noDoubles', policyRequirements: ['NO_DOUBLES'], validateOnlyIfPresent: true });
function noDoubles(fullObject, value, params, property) {
  return _.uniq(value).length < value.length ? [{ policyRequirement: 'NO_DOUBLES' }] : [];
}
addPolicy({ policyId: 'says-why', policyExec: 'saysWhy', policyRequirements: ['REASON'] });
function houseMail(fullObject, value, params, propName) {
  var domain = String(value).split('@')[1];
  return domain === params.domain && forbidden.indexOf(domain) < 0
    ? [] : [{ policyRequirement: 'HOUSE_MAIL', params: { domain: params.domain } }];
}
function saysWhy(fullObject, value) {
  return fullObject.status === 'blocked' && !value ? [{ policyRequirement: 'REASON' }] : [];
} // the last line is a comment`

let project: TestProject
let server: Server

beforeAll(async () => {
  project = new TestProject()
  project.write('script/policies/new.js', newValue)
  project.write('conf/policy.json', {
    type: 'text/javascript',
    file: 'policy.js',
    additionalFiles: ['script/policies/new.js', 'script/policies/house.js'],
    resources: [
      {
        resource: 'managed/user/*',
        properties: [
          { name: 'mail', policies: [{ policyId: 'house-mail', params: { domain: 'example.com' } }] },
          { name: 'userName', policies: [{ policyId: 'minimum-length', params: { minLength: 9 } }] },
          { name: 'homes[*]/city', policies: [{ policyId: 'maximum-length', params: { maxLength: 6 } }] },
        ],
      },
      { resource: 'internal/user/*', properties: [{ name: '_id', policies: [{ policyId: 'not-empty' }] }] },
    ],
  })
  project.write('script/policies/house.js', house)
  const user = {
    name: 'user',
    schema: {
      required: ['userName'],
      properties: {
        tags: { type: 'array', items: { type: 'string' }, policies: [{ policyId: 'no-doubles' }] },
        userName: {
          type: 'string',
          policies: [
            { policyId: 'minimum-length', params: { minLength: 2 } },
            { policyId: 'no-internal-user-conflict' },
            { policyId: 'unique' },
          ],
        },
        mail: { type: 'string' },
        status: { type: 'string' },
        reason: { type: 'string', policies: [{ policyId: 'says-why' }] },
        color: { type: 'string', policies: [{ policyId: 'is-new', params: { historyLength: 1 } }] },
        history: { type: 'array' },
        homes: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              city: { type: 'string', minLength: 3 },
              mail: { policies: [{ policyId: 'house-mail', params: { domain: 'home.example' } }] },
            },
          },
        },
        phone: {
          type: 'string',
          conditionalPolicies: [
            {
              condition: script('fullObject.country === "DE"'),
              dependencies: ['country'],
              policies: [{ policyId: 'regexpMatches', params: { regexp: '^\\+49' } }],
            },
            {
              condition: 'country eq "US"',
              dependencies: ['country'],
              policies: [{ policyId: 'required' }, { policyId: 'minimum-length', params: { minLength: 10 } }],
            },
          ],
          fallbackPolicies: [{ policyId: 'maximum-length', params: { maxLength: 5 } }],
        },
      },
    },
  }
  const plain = {
    name: 'thing',
    schema: {
      required: ['name'],
      properties: { name: { type: 'string' }, target: { policies: [{ policyId: 'mapping-exists' }] } },
    },
  }
  project.write('conf/managed.json', { objects: [user, plain] })
  project.write('conf/endpoint-make.json', script(`openidm.create('managed/user', null, request.content)`))
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

type Failures = { property: string; policyRequirements: { policyRequirement: string; params?: object }[] }[]

const failed = (body: unknown) => {
  const { detail } = body as { detail?: { failedPolicyRequirements?: Failures } }
  const found: Record<string, string[]> = {}
  for (const { property, policyRequirements } of detail?.failedPolicyRequirements ?? []) {
    expect(policyRequirements).toHaveLength(1)
    found[property] = [
      ...(found[property] ?? []),
      ...policyRequirements.map(({ policyRequirement }) => policyRequirement),
    ]
  }
  return found
}

async function created(content: object) {
  const { status, body } = await server.call('POST', 'managed/user?_action=create', {
    body: { userName: `user${Math.random()}`, ...content },
  })
  return { status, failed: failed(body), id: (body as { _id: string })._id }
}

describe('a policy of the project', () => {
  it('refuses with its own requirement and parameters', async () => {
    const { status, body } = await server.call('POST', 'managed/user?_action=create', {
      body: { userName: 'ann', mail: 'ann@gmail.com' },
    })
    expect(status).toBe(403)
    expect(body).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: 'Policy validation failed',
      detail: {
        result: false,
        failedPolicyRequirements: [
          {
            property: 'mail',
            policyRequirements: [{ policyRequirement: 'HOUSE_MAIL', params: { domain: 'example.com' } }],
          },
        ],
      },
    })
  })
  it('is asked about what is absent unless it says otherwise', async () => {
    expect((await created({ status: 'blocked' })).failed).toEqual({ reason: ['REASON'] })
    expect((await created({ status: 'blocked', reason: 'left' })).status).toBe(201)
  })
  it('has lodash as the shipped policies have it', async () => {
    expect((await created({ tags: ['a', 'a'] })).failed).toEqual({ tags: ['NO_DOUBLES'] })
    expect((await created({ tags: ['a', 'b'] })).status).toBe(201)
  })
  it('holds for the elements of an array', async () => {
    const homes = [
      { city: 'Ulm', mail: 'a@home.example' },
      { city: 'Hamburg', mail: 'b@elsewhere.example' },
    ]
    expect((await created({ homes })).failed).toEqual({
      'homes/1/mail': ['HOUSE_MAIL'],
      'homes/1/city': ['MAX_LENGTH'],
    })
  })
  it('may read the object as it is', async () => {
    const { id } = await created({ color: 'red', history: ['red'] })
    const change = (color: string) =>
      server.call('PATCH', `managed/user/${id}`, {
        body: [{ operation: 'replace', field: '/color', value: color }],
      })
    expect((await change('blue')).status).toBe(200)
    const again = await change('red')
    expect(again.status).toBe(403)
    expect(again.body).toMatchObject({ message: 'Failed policy validation' })
    expect(failed(again.body)).toEqual({ color: ['IS_NEW'] })
  })
  it('holds for scripts, too', async () => {
    const { status, body } = await server.call('POST', 'endpoint/make?_action=go', {
      body: { userName: 'script', mail: 'x@y.z' },
    })
    expect([status, failed(body)]).toEqual([403, { mail: ['HOUSE_MAIL'] }])
  })
})

describe('a conditional policy', () => {
  it.each<[string, object, object]>([
    ['whose script holds', { country: 'DE', phone: '0123456789' }, { phone: ['MATCH_REGEXP'] }],
    ['that is satisfied', { country: 'DE', phone: '+49123456789' }, {}],
    ['whose filter holds', { country: 'US', phone: '123' }, { phone: ['MIN_LENGTH'] }],
    ['about what must be there', { country: 'US' }, { phone: ['REQUIRED'] }],
    ['none of which holds: the others', { country: 'FR', phone: '123456' }, { phone: ['MAX_LENGTH'] }],
    ['whose dependency is absent: the others', { phone: '123456' }, { phone: ['MAX_LENGTH'] }],
  ])('%s', async (_case, content, expected) => {
    expect((await created(content)).failed).toEqual(expected)
  })
})

describe('names', () => {
  it('of internal users are taken', async () => {
    expect((await created({ userName: 'openidm-admin' })).failed).toEqual({ userName: ['UNIQUE'] })
  })
  it('have the length that the type requires, whatever the resource says', async () => {
    expect((await created({ userName: 'x' })).failed).toEqual({ userName: ['MIN_LENGTH'] })
  })
  it('of mappings must be those of one', async () => {
    const { body } = await server.call('POST', 'managed/thing?_action=create', {
      body: { name: 'a', target: 'nowhere' },
    })
    expect(failed(body)).toEqual({ target: ['MAPPING_EXISTS'] })
  })
})

describe('policy/…', () => {
  const policyOf = async (path: string, name: string) => {
    const { body } = await server.call('GET', path)
    return (body as { properties: { name: string }[] }).properties.find((one) => one.name === name)
  }
  it('shows what each property requires', async () => {
    expect((await server.call('GET', 'policy/managed/user/*')).body).toMatchObject({
      _id: '*',
      resource: 'managed/user/*',
    })
    expect(await policyOf('policy/managed/user/*', 'userName')).toEqual({
      name: 'userName',
      policies: [
        { policyId: 'required', params: {}, policyRequirements: ['REQUIRED'] },
        { policyId: 'not-empty', params: {}, policyRequirements: ['REQUIRED'] },
        { policyId: 'valid-type', params: { types: ['string'] }, policyRequirements: ['VALID_TYPE'] },
        { policyId: 'minimum-length', params: { minLength: 2 }, policyRequirements: ['MIN_LENGTH'] },
        { policyId: 'no-internal-user-conflict', params: {}, policyRequirements: ['UNIQUE'] },
        { policyId: 'unique', params: {}, policyRequirements: ['UNIQUE'] },
      ],
      conditionalPolicies: null,
      fallbackPolicies: null,
      policyRequirements: ['REQUIRED', 'VALID_TYPE', 'MIN_LENGTH', 'UNIQUE'],
    })
  })
  it('hands clients the function that they may run themselves', async () => {
    const { policies } = (await policyOf('policy/managed/user/*', 'mail')) as unknown as {
      policies: { policyId: string; policyFunction?: string }[]
    }
    expect(policies.find(({ policyId }) => policyId === 'house-mail')?.policyFunction).toMatch(
      /^function houseMail\(/,
    )
  })
  it('shows conditions and what counts without', async () => {
    expect(await policyOf('policy/managed/user/*', 'phone')).toMatchObject({
      conditionalPolicies: [
        { dependencies: ['country'], policies: [{ policyRequirements: ['MATCH_REGEXP'] }] },
        { policies: [{ policyId: 'required' }, { policyId: 'minimum-length' }] },
      ],
      fallbackPolicies: [{ policyId: 'maximum-length', policyRequirements: ['MAX_LENGTH'] }],
    })
  })
  it('knows every resource', async () => {
    const { body } = await server.call('GET', 'policy')
    expect((body as { resources: { resource: string }[] }).resources.map(({ resource }) => resource)).toEqual(
      ['managed/user/*', 'managed/thing/*', 'internal/user/*'],
    )
  })
  const act = async (path: string, action: string, body: object) =>
    (await server.call('POST', `${path}?_action=${action}`, { body })).body as {
      result: boolean
      failedPolicyRequirements: Failures
    }
  const found = async (path: string, action: string, body: object) => {
    const { result, failedPolicyRequirements } = await act(path, action, body)
    return { result, ...failed({ detail: { failedPolicyRequirements } }) }
  }
  it('validates objects without writing them', async () => {
    expect(await act('policy/managed/user/*', 'validateObject', { userName: 'fine' })).toEqual({
      result: true,
      failedPolicyRequirements: [],
    })
    expect(
      await found('policy/managed/user/*', 'validateObject', { mail: 'a@b.c', phone: '123456' }),
    ).toEqual({
      result: false,
      userName: ['REQUIRED'],
      mail: ['HOUSE_MAIL'],
      phone: ['MAX_LENGTH'],
    })
  })
  it('validates single values, alone or within their object', async () => {
    const path = 'policy/managed/user/*'
    expect(await found(path, 'validateProperty', { userName: '' })).toEqual({
      result: false,
      userName: ['REQUIRED'],
    })
    const phone = { object: { country: 'DE' }, properties: { phone: '123' } }
    expect(await found(path, 'validateProperty', phone)).toEqual({ result: false, phone: ['MATCH_REGEXP'] })
  })
  it('finds what others have, and not the object itself', async () => {
    await server.call('PUT', 'managed/user/ben', { body: { userName: 'ben' } })
    const names = { userName: 'ben' }
    expect(await found('policy/managed/user/*', 'validateProperty', names)).toEqual({
      result: false,
      userName: ['UNIQUE'],
    })
    expect(await found('policy/managed/user/ben', 'validateProperty', names)).toEqual({ result: true })
  })
  it('knows no other action', async () => {
    const { status } = await server.call('POST', 'policy/managed/user/*?_action=guess', { body: {} })
    expect(status).toBe(400)
  })
})

describe('policies of what is not a managed object', () => {
  it('are a warning, also if they are unknown', () => {
    using shipped = new TestProject()
    shipped.write('conf/managed.json', { objects: [{ name: 'user' }] })
    const policies = [{ policyId: 'required-if-configured', params: { configBase: 'x' } }]
    const resources = [{ resource: 'selfservice/registration', properties: [{ name: 'a', policies }] }]
    shipped.write('conf/policy.json', { type: 'text/javascript', file: 'policy.js', resources })
    const { code, out } = shipped.syncline(['check'])
    expect(out).toMatch(/\/resources\/0\/resource: warning: .*not enforced/)
    expect(code).toBe(0)
  })
})

describe('a broken conf/policy.json', () => {
  it.each<[string, object, RegExp]>([
    [
      'with an unknown policy',
      {
        resources: [
          { resource: 'managed/user/*', properties: [{ name: 'a', policies: [{ policyId: 'lucky' }] }] },
        ],
      },
      /conf\/policy\.json:\d+:\d+ \/resources\/0\/properties\/0\/policies\/0: policy "lucky" is not known/,
    ],
    [
      'with a file that is not there',
      { additionalFiles: ['no.js'] },
      /\/additionalFiles\/0: the project has no file "no\.js"/,
    ],
    [
      'with a file that cannot run',
      { globals: { additionalPolicies: ['addPolicy({policyId: "a", policyExec: "b"})'] } },
      /\/globals\/additionalPolicies\/0: .*names the function b, which the file does not declare/,
    ],
  ])('%s is an error with its place', async (_case, content, expected) => {
    using broken = new TestProject()
    broken.write('conf/managed.json', { objects: [{ name: 'user' }] })
    broken.write('conf/policy.json', content)
    const { code, out, err } = broken.syncline(['check'])
    expect([code, out + err]).toEqual([expect.any(Number), expect.stringMatching(expected)])
    expect(code).not.toBe(0)
  })
})
