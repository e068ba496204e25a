import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import { scriptSource } from './definition.ts'
import type { Secrets } from './engine.ts'
import { type TestEngine, testEngine } from './testing/engine.ts'

let test: TestEngine
beforeAll(async () => {
  test = await testEngine({ isolates: 1 })
})
afterAll(() => test[Symbol.asyncDispose]())

describe('scripts that OpenIDM ships', () => {
  it.each([
    "require('roles/conditionalRoles').updateConditionalGrantsForUser({}, 'roles')",
    "require('roles/conditionalRoles').roleCreate({}); require('roles/conditionalRoles').roleUpdate({}, {})",
    "require('roles/onSync-roles').syncUsersOfRoles('managed/role/a', {}, {}, ['members'])",
    "require('roles/onSync-assignments').syncUsersOfRolesWithAssignment('managed/assignment/a', {}, {}, [])",
    "require('onUpdateUser').preserveLastSync({}, {}, {})",
  ])('may be called where the server does their work itself: %s', async (code) => {
    expect(await test.value(code)).toBeUndefined()
  })

  it('give a user defaults, by the older name and by the newer one', async () => {
    for (const name of ['ui/onCreateUser', 'onCreateUser'])
      expect(
        await test.value('require(name).setDefaultFields(object); object', { name, object: {} }),
      ).toEqual({
        accountStatus: 'active',
        authzRoles: [{ _ref: 'repo/internal/role/openidm-authorized' }],
      })
  })

  it('are found as files by the names that configurations give them', () => {
    const read = (path: string) =>
      scriptSource({ type: 'text/javascript', file: path }, { label: 'x', readFile: () => undefined })
    expect(read('ui/onDelete-user-cleanup.js')).toMatchObject({ ok: true })
    expect(read('bin/defaults/script/audit/autoPurgeAuditRecon.js')).toMatchObject({ ok: true })
    expect(read('ui/../../../package.json')).toMatchObject({ ok: false })
  })
})

describe('a password by chance', () => {
  const generate = async (rules: JsonObject[], length: number) => {
    const hash = async () => ({
      $crypto: { type: 'salted-hash', value: { data: randomBytes(48).toString('base64') } },
    })
    await using salted = await testEngine({ isolates: 1, secrets: { hash } as unknown as Secrets })
    return await salted.value("require('crypto').generateRandomString(rules, length)", { rules, length })
  }
  it('has the length that is asked for, and characters of each kind', async () => {
    const rules = [
      { rule: 'UPPERCASE', minimum: 1 },
      { rule: 'INTEGERS', minimum: 2 },
      { rule: 'SPECIAL', minimum: 1 },
    ]
    const password = String(await generate(rules, 16))
    expect(password).toMatch(/^[A-Z0-9:-@]{16}$/)
    expect(password).toMatch(/[A-Z]/)
    expect(password).toMatch(/\d.*\d/)
    expect(password).toMatch(/[:-@]/)
  })
  it('is another one each time', async () => {
    const rules = [{ rule: 'LOWERCASE', minimum: 1 }]
    expect(await generate(rules, 20)).not.toBe(await generate(rules, 20))
  })
})

describe('the script that purges events of old runs', () => {
  it('asks for what its input says', async () => {
    const read = scriptSource(
      { type: 'text/javascript', file: 'audit/autoPurgeAuditRecon.js' },
      { label: 'purge', readFile: () => undefined },
    )
    if (!read.ok) throw new Error('the script is not there')
    const input = { mappings: ['%', { include: 'a%', exclude: 'ab' }], purgeType: 'purgeByNumOfReconsToKeep' }
    await test.value(read.value.source, { input: { ...input, numOfRecons: 3 } })
    const asked = test.requests.map(({ path, action }) => [path, action?.parameters])
    const command = { commandId: 'purge-by-recon-number-of', numberOf: '3' }
    expect(asked).toEqual([
      ['repo/audit/recon', { ...command, includeMapping: '%' }],
      ['repo/audit/recon', { ...command, includeMapping: 'a%', excludeMapping: 'ab' }],
    ])
  })
})
