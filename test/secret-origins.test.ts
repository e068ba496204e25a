import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { csvConnector, TestProject } from './support/project.ts'
import { serve } from './support/server.ts'

/**
 * What a mapping derives from a secret is a secret, under any name in the target:
 *
 *     managed/user              system/dir/account
 *     password (encrypted) ──▶  unicodePwd, pwd, pin, door, …
 *     note (private)       ──▶  remark, whole, …
 */
const secret = 'Geheim-1x'
const hidden = 'Pr1vate-N0te'
const turned = [...secret].reverse().join('')
const any = new RegExp([secret, hidden, turned].join('|'))

const made = {
  unicodePwd: { source: 'password', transform: script('source ? openidm.decrypt(source) : null') },
  pwd: { source: 'password', transform: script('source ? openidm.decrypt(source) : null') },
  pin: { source: 'password', transform: script("'\"' + openidm.decrypt(source) + '\"'") },
  door: { source: '', transform: script('openidm.decrypt(source.password)') },
  module: { source: '', transform: script("require('./plain').plain(source)") },
  remark: { source: 'note' },
  whole: { source: '', transform: script('JSON.stringify(source)') },
  member: { source: '', transform: script("'<' + source.note + '>'") },
}
const onCreate = `target.hook = openidm.decrypt(source.password)
  target.turned = target.hook.split('').reverse().join('')`

let project: TestProject
const outputs: string[] = []

beforeAll(async () => {
  project = new TestProject()
  const columns = ['uid', 'cn', ...Object.keys(made), 'hook', 'turned']
  project.write('data/dir.csv', `${columns.join(',')}\n9${','.repeat(columns.length - 1)}\n`)
  project.write(
    'conf/provisioner.openicf-dir.json',
    csvConnector('dir', columns, { headerUid: 'uid', headerPassword: 'pwd' }),
  )
  const text = { type: 'string' }
  const properties = {
    cn: text,
    note: { ...text, scope: 'private' },
    password: { ...text, scope: 'private', encryption: { key: 'openidm-sym-default' } },
  }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema: { properties } }] })
  project.write(
    'script/plain.js',
    'exports.plain = (user) => openidm.decrypt(user[Object.keys(user).find((name) => /^pass/.test(name))])',
  )
  const mapping = {
    ...{ name: 'user_dir', source: 'managed/user', target: 'system/dir/account', enableSync: false },
    properties: [
      { source: '_id', target: 'uid' },
      { source: 'cn', target: 'cn' },
      ...Object.entries(made).map(([target, rest]) => ({ target, ...rest })),
    ],
    correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['remark', 'pin'] } }],
    onCreate: script(onCreate),
  }
  project.write('conf/sync.json', { mappings: [mapping] })
  const server = await serve(project)
  const ann = { cn: 'Ann', note: hidden, password: secret }
  expect((await server.call('PUT', 'managed/user/1', { body: ann })).status).toBe(201)
  await server.stop()
})
afterAll(() => project[Symbol.dispose]())

function run(...args: string[]): string {
  const { out, err } = project.syncline(args)
  outputs.push(out + err)
  return out
}

describe('what a mapping makes out of a secret', () => {
  it('reaches the target', () => {
    run('plan', 'user_dir', '--out', project.path('plan.ndjson'))
    run('explain', 'user_dir', '1', '--json')
    expect(run('recon', 'user_dir')).toMatch(/ABSENT/)
    const row = project.read('data/dir.csv')
    for (const value of [secret, hidden, turned]) expect(row).toContain(value)
  })

  it('is masked in plans and explanations; other values are not', () => {
    const plan = project.read('plan.ndjson')
    expect(plan).not.toMatch(any)
    expect(plan).toContain('"Ann"')
    expect(plan).toContain('unicodePwd')
    expect(plan).toContain('/pin eq')
    const explanation = outputs.find((text) => text.includes('"decisions"'))
    expect(explanation).toContain('"Ann"')
    expect(explanation).not.toMatch(any)
  })

  it('is masked in the audit and in histories', () => {
    const entries = run('query', 'audit/recon', 'action eq "CREATE"', '--fields', 'changes')
    for (const target of Object.keys(made)) expect(entries).toMatch(new RegExp(`/${target}`))
    run('history', 'managed/user/1')
    run('history', 'system/dir/account/1')
    run('explain', 'user_dir', '1')
    for (const text of outputs.slice(2)) expect(text).not.toMatch(any)
  })

  it('stands nowhere else', () => {
    const files = readdirSync(project.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\/(data|conf)$/.test(entry.parentPath))
      .map((entry) => `${entry.parentPath}/${entry.name}`)
    expect(files.some((file) => file.endsWith('syncline.db'))).toBe(true)
    for (const file of files) {
      const bytes = readFileSync(file)
      for (const one of [secret, turned]) expect(bytes.includes(one), `${one} in ${file}`).toBe(false)
      if (!file.includes('syncline.db')) expect(bytes.includes(hidden), file).toBe(false)
    }
  })
})
