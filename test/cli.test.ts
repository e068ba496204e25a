import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../src/testing/folder.ts'
import { syncline, TestProject, withoutProgress } from './support/project.ts'

const users = 'hrAccount_managedUser'
const accounts = 'managedUser_directoryAccount'
let project: TestProject

beforeAll(() => {
  project = TestProject.example()
})
afterAll(() => project[Symbol.dispose]())

describe('help', () => {
  const commands = [
    'init',
    'check',
    'serve',
    'recon',
    'plan',
    'plans',
    'show',
    'apply',
    'undo',
    'explain',
    'runs',
    'issues',
    'links',
    'history',
    'query',
    'connector add',
    'system test',
    'audit verify',
    'queue',
    'livesync',
    'config history',
    'config rollback',
    'key rotate',
  ]

  it.each(commands)('of %s has an example', (command) => {
    const { code, out } = syncline([...command.split(' '), '--help'])
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`Example:\\n {2}\\$ syncline ${command}`))
  })

  it('of syncline itself lists the commands', () => {
    const { out } = syncline(['--help'])
    for (const command of commands) expect(out).toContain(`  ${command.split(' ')[0]} `)
  })
})

describe('wrong usage ends with exit code 2 and says what is wrong', () => {
  it.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['recom'], /Did you mean recon\?/],
    [['recon'], /missing required argument 'mapping'/],
    [['recon', users, '--dry'], /unknown option '--dry'/],
    [['plan', users, '--limit', 'many'], /whole number/],
    [['query', 'managed/user', 'sn eq'], /column/],
    [['query', 'managed/nobody'], /managed\/nobody|nobody/],
    [['query', 'managed/user/nobody'], /managed\/user\/nobody does not exist/],
    [['query', 'sync/mappings/nobody'], /No such mapping: nobody/],
    [['serve', '--port', 'http'], /0 to 65535/],
    [['recon', users, '--guard', 'maxDelets=5'], /known are maxDeletes/],
    [['recon', users, '--guard', 'maxDeletes=some'], /guard\/maxDeletes must be a number/],
    [['links', 'nobody'], /No such mapping: nobody; there are: hrAccount_managedUser, managedUser_/],
    [['recon', 'hrAccount_managedUsers'], /did you mean hrAccount_managedUser\?/],
    [['plan', 'hrAccount_manageduser'], /did you mean hrAccount_managedUser\?/],
    [['links', 'managedUser_directoryAcount'], /did you mean managedUser_directoryAccount\?/],
    [['query', 'managed/user', 'userName eq'], /Filter, column 12:/],
    [['query', 'managed/nobody', '--json'], /managed\/nobody/],
    [['query', 'managed/user', 'userName eq', '--json'], /Filter, column 12:/],
    [['system', 'test', 'nobody'], /no system nobody; there are: directory, hr/],
    [['check', 'everything'], /too many arguments/],
  ])('%o', (args, message) => {
    const { code, out, err } = project.syncline(args)
    expect(err).toMatch(message)
    expect(code).toBe(2)
    // For programs the error is a document, too.
    if (args.includes('--json')) expect(JSON.parse(out).error.message).toMatch(message)
    else expect(out).toBe('')
  })

  it.each([
    [['recon', 'nobody', '--json'], 'NOT_FOUND'],
    [['recon', '--json'], 'BAD_REQUEST'],
    [['query', 'managed/user', 'sn eq', '--json'], 'BAD_FILTER'],
  ])('with an error of one shape: %o', (args, problem) => {
    const { out } = project.syncline(args)
    expect(JSON.parse(out)).toMatchObject({
      error: { code: expect.any(Number), problem, message: expect.any(String), hint: expect.any(String) },
    })
  })

  it('a folder that is no project', () => {
    const { code, err } = syncline(['check', '--project', join(project.folder, 'data')])
    expect([code, err]).toEqual([2, expect.stringMatching(/not a Syncline project.*syncline init/s)])
  })
})

describe('with --json stdout is one JSON document', () => {
  it.each([
    [['check'], { valid: true, problems: [], mappings: [users, 'managedUser_directoryAccount'] }],
    [['plan', users], { entries: expect.any(Array), run: { state: 'SUCCESS' } }],
    [['recon', users], { state: 'SUCCESS', situationSummary: { ABSENT: 458 } }],
    [
      ['links', users, '--limit', '2'],
      { mapping: users, total: 458, links: [{ sourceId: '1001', linkQualifier: 'default' }, {}] },
    ],
    [
      ['query', 'managed/user', 'employeeNumber eq "1001"', '--fields', 'sn'],
      { resultCount: 1, result: [{ sn: 'Prévost' }] },
    ],
    [['query', 'managed/user', 'employeeNumber eq "none"'], { resultCount: 0, result: [] }],
    [
      ['system', 'test'],
      [
        { name: 'directory', ok: true },
        { name: 'hr', ok: true },
      ],
    ],
    [['system', 'test', 'hr'], [{ name: 'hr', ok: true }]],
  ])('%o', (args, document) => {
    expect(project.json(...args)).toMatchObject(document)
  })

  it('also when the run fails, and the exit code is 1', () => {
    using broken = TestProject.example()
    broken.edit('data/hr.csv', (text) => text.split('\n').slice(0, 1).join('\n'))
    const { code, out } = broken.syncline(['recon', users, '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      state: 'FAILED',
      failure: { message: expect.stringContaining('returned nothing') },
    })
  })
})

describe('for people', () => {
  it('check lists what is usable, recon what was done, links which objects are linked', () => {
    using own = TestProject.example()
    const check = own.syncline(['check'])
    expect([check.code, check.err]).toEqual([0, ''])
    expect(check.out).toMatch(/^The configuration is valid\.\nUsable:\n {2}connectors: directory, hr$/m)
    const recon = own.syncline(['recon', users])
    expect([recon.code, withoutProgress(recon.err)]).toEqual([0, ''])
    expect(recon.out).toMatch(/^hrAccount_managedUser {2}SUCCESS in \d+\.\d+ s$/m)
    expect(recon.out).toMatch(/^ {2}ABSENT +458\n {2}SOURCE_IGNORED +42$/m)
    expect(recon.out).toMatch(/Created.*\n +458 +0 +0 +0 +458 +0$/m)
    const links = own.syncline(['links', users, '--limit', '2'])
    expect(links.code).toBe(0)
    expect(links.out).toMatch(/^ {2}1001 +→ {2}[0-9a-f-]{36} {2}default$/m)
    expect(links.out).toMatch(/^ {2}2 of 458 links$/m)
  })

  it('system test names the system that cannot be reached, and why', () => {
    using own = TestProject.example()
    own.edit('conf/boot/boot.properties', (text) => text.replace('hr.csv', 'gone.csv'))
    const { code, out } = own.syncline(['system', 'test'])
    expect(out).toMatch(/^ok {4}directory\n {6}ok {5}open .*\n {6}ok {5}content .*rows: 60, columns: 16$/m)
    expect(out).toMatch(/^error hr: .*gone\.csv cannot be opened: there is no such file or folder$/m)
    expect(out).toMatch(/^ {6}failed open +\d+ ms\n {13}Check the path/m)
    expect(code).toBe(1)
    expect(own.syncline(['system', 'test', 'directory']).code).toBe(0)
  })

  it('a run with failures says how many of which cause there are and how to see them, and that works', () => {
    using own = TestProject.example()
    own.edit(
      'script/telephoneNumber.js',
      (text) =>
        `if (/^104[26]$/.test(source.employeeNumber)) throw 'no phone for ' + source.employeeNumber\n${text}`,
    )
    const { code, out } = own.syncline(['recon', users])
    expect(code).toBe(3)
    expect(out).toMatch(/COMPLETED WITH FAILURES in/)
    expect(out).toMatch(
      /Failed: 2\n {4}2 × SCRIPT_FAILED: .*no phone for 1042.*\(e\.g\. source 1042\)\n {6}The message/,
    )
    const [, path, filter] = /syncline query (\S+) '(.*)'/.exec(out) ?? []
    const { result } = own.json<{ result: { sourceObjectId: string; message: string }[] }>(
      'query',
      String(path),
      String(filter),
    )
    expect(result).toMatchObject([
      { sourceObjectId: 'system/hr/account/1042', message: expect.stringContaining('no phone') },
      { sourceObjectId: 'system/hr/account/1046', message: expect.stringContaining('no phone') },
    ])
    const outcome = own.json('recon', users, '--id', '1042')
    expect(outcome).toMatchObject({
      ...{ state: 'SUCCESS', outcome: 'COMPLETED_WITH_FAILURES' },
      failures: [{ count: 1, code: 'SCRIPT_FAILED', example: { phase: 'source', sourceId: '1042' } }],
    })
  })

  it('runs lists what ran, by whom, and issues what is left to decide', () => {
    using own = TestProject.loaded(users)
    const run = own.json('recon', accounts)
    expect(own.json('runs', '--limit', '1')).toMatchObject([
      {
        ...{ _id: run._id, mapping: 'managedUser_directoryAccount', kind: 'recon' },
        ...{ trigger: 'cli', startedBy: 'openidm-admin', outcome: 'COMPLETED' },
      },
    ])
    expect(own.syncline(['runs', '--failed']).out).toContain('no such runs')
    expect(own.syncline(['runs', String(run._id)]).out).toMatch(/outcome +COMPLETED\n/)
    const { groups } = own.json<{ groups: { example: { _id: string; candidates: string[] } }[] }>('issues')
    expect(groups).toMatchObject([{ kind: 'AMBIGUOUS', count: 1 }])
    const { _id = '', candidates = [] } = groups[0]?.example ?? {}
    expect(own.syncline(['issues']).out).toContain(candidates.join(', '))
    const link = own.syncline(['issues', _id, '--link', String(candidates[0])])
    expect([link.code, link.out]).toEqual([0, expect.stringMatching(/state +RESOLVED/)])
    expect(own.syncline(['issues']).out).toContain('Nothing is left to decide')
    expect(own.syncline(['issues', _id, '--undo']).code).toBe(0)
    expect(own.syncline(['issues', _id, '--ignore']).code).toBe(2)
    expect(own.json('issues', '--each')).toMatchObject({ total: 1 })
  })

  it('issues of a mapping that is configured no more are counted apart, and cleared', () => {
    using own = TestProject.loaded(users, accounts)
    own.edit('conf/sync.json', (text) => text.replace('"managedUser_directoryAccount"', '"renamed"'))
    const gone = own.syncline(['issues']).out
    expect(gone).toContain('1 of managedUser_directoryAccount, which is configured no more')
    expect(gone).not.toContain('AMBIGUOUS')
    const named = ['--mapping', 'managedUser_directoryAccount']
    expect(own.syncline(['issues', ...named]).out).toMatch(
      /AMBIGUOUS {2}managedUser_directoryAccount \(configured no more\)\n.*\n.*issue \S+ {2}\S+ \(\S+ .*\)/,
    )
    expect(own.syncline(['issues', '--clear', '--mapping', 'renamed']).code).toBe(2)
    expect(own.syncline(['issues', '--clear', ...named]).out).toBe(
      'dropped: 1 of managedUser_directoryAccount\n',
    )
    expect(own.syncline(['issues']).out).toBe('Nothing is left to decide.\n')
  })

  it('a plan says by its exit code whether there are changes', () => {
    using own = TestProject.example()
    const code = (...args: string[]) => own.syncline(['plan', users, ...args]).code
    expect([code(), code('--detailed-exitcode')]).toEqual([0, 2])
    expect(own.syncline(['recon', users]).code).toBe(0)
    expect(code('--detailed-exitcode')).toBe(0)
    expect(code('--detailed-exitcode', '--dry')).toBe(1)
    expect(own.syncline(['plan', 'nobody', '--detailed-exitcode']).code).toBe(1)
  })

  it('output is plain text away from a terminal, with and without NO_COLOR', () => {
    const environments: Record<string, string>[] = [{}, { NO_COLOR: '1' }]
    for (const env of environments) {
      const { out, err } = project.syncline(['plan', users], env)
      expect(out + err).not.toContain('\u001b')
    }
  })

  it('a plan shows changes as a diff and counts them', () => {
    const { code, out } = project.syncline(['plan', 'managedUser_directoryAccount'])
    expect(code).toBe(0)
    expect(out).toMatch(/^\+ CREATE {2}\S+ → \(new\) {2}ABSENT {2}· .+$/m)
    expect(out).toMatch(/^ {4}~ \w+: ".*" → ".*"$/m)
    expect(out).toMatch(/FOUND +UPDATE +52 +52/)
  })

  it('query of a path that names one object reads it', () => {
    expect(project.json('query', 'system/hr/account/1001', '--fields', 'familyName')).toEqual({
      result: [{ _id: '1001', familyName: 'Prévost' }],
      resultCount: 1,
    })
    expect(project.json('query', 'config/sync')).toMatchObject({ result: [{ _id: 'sync' }] })
  })

  it('query prints an object a line and sorts', () => {
    const { out } = project.syncline([
      'query',
      'managed/user',
      '--sort',
      '-employeeNumber',
      '--limit',
      '3',
      '--fields',
      'employeeNumber',
    ])
    const numbers = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { employeeNumber: string }).employeeNumber)
    expect(numbers).toEqual(numbers.toSorted().toReversed())
    expect(numbers).toHaveLength(3)
  })
})

describe('folders', () => {
  it('the store is in .syncline of the project, or where --data says', () => {
    using own = TestProject.example()
    own.syncline(['links', users])
    expect(existsSync(own.path('.syncline/syncline.db'))).toBe(true)
    const data = join(own.folder, 'elsewhere')
    own.syncline(['links', users, '--data', data])
    expect(existsSync(join(data, 'syncline.db'))).toBe(true)
  })

  it('init writes a project that checks and runs, and overwrites nothing', () => {
    using temporary = temporaryFolder()
    const folder = temporary.path
    const created = syncline(['init', folder])
    expect(created.code).toBe(0)
    const next = created.out.split('\n').filter((line) => line.startsWith('  syncline '))
    expect(next).toHaveLength(3)
    for (const line of next) expect(syncline(line.trim().split(' ').slice(1)).code).toBe(0)
    const other = join(folder, 'other')
    const { out } = syncline(['init', other, '--json'])
    const { files } = JSON.parse(out) as { files: string[] }
    expect(JSON.parse(out)).toMatchObject({ folder: other })
    for (const file of files) expect(existsSync(join(other, file))).toBe(true)
    const again = syncline(['init', folder])
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('conf/sync.json')])
  })
})
