import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bin, run, syncline, TestProject } from './support/project.ts'

const users = 'hrAccount_managedUser'
let project: TestProject

beforeAll(() => {
  project = TestProject.example()
})
afterAll(() => project[Symbol.dispose]())

describe('help', () => {
  const commands = [
    ['init'],
    ['check'],
    ['serve'],
    ['recon'],
    ['plan'],
    ['links'],
    ['query'],
    ['system', 'test'],
  ]

  it.each(commands)('of %s %s has an example', (...command) => {
    const { code, out } = syncline([...command.filter(Boolean), '--help'])
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`Example:\\n {2}\\$ syncline ${command.filter(Boolean).join(' ')}`))
  })

  it('of syncline itself lists the commands', () => {
    const { out } = syncline(['--help'])
    for (const [command] of commands) expect(out).toContain(`  ${command} `)
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
    [['query', 'managed/nobody', '--json'], /managed\/nobody/],
    [['query', 'managed/user', 'userName eq', '--json'], /Filter, column 12:/],
    [['serve', '--port', 'http'], /0 to 65535/],
    [['links', 'nobody'], /No such mapping: nobody/],
  ])('%o', (args, message) => {
    const { code, out, err } = project.syncline(args)
    expect(err).toMatch(message)
    expect([code, out]).toEqual([2, ''])
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
  it('each stream has colours if it is a terminal, and none with NO_COLOR', () => {
    // script(1) gives the command a terminal; what goes to a file beside it must stay plain.
    const onTerminal = (command: string, env: Record<string, string> = {}) =>
      run('script', ['-qec', `"$NODE" "$BIN" ${command}`, '/dev/null'], {
        NODE: process.execPath,
        BIN: bin,
        HERE: project.folder,
        TERM: 'xterm',
        ...env,
      }).out
    const coloured = expect.stringContaining('\u001b[')
    expect(onTerminal('check --project "$HERE"')).toEqual(coloured)
    expect(onTerminal('check --project "$HERE"', { NO_COLOR: '1' })).not.toEqual(coloured)
    expect(onTerminal('links nobody --project "$HERE"')).toEqual(coloured)
    onTerminal('links nobody --project "$HERE" 2>"$HERE/stderr"')
    expect(project.read('stderr')).toContain('No such mapping: nobody')
    expect(project.read('stderr')).not.toEqual(coloured)
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
    expect(out).toMatch(/^\+ CREATE {2}\S+ → \(new\) {2}ABSENT$/m)
    expect(out).toMatch(/^ {4}~ \w+: ".*" → ".*"$/m)
    expect(out).toMatch(/FOUND +UPDATE +52 +52/)
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
    const folder = mkdtempSync(join(tmpdir(), 'syncline-init-'))
    try {
      const created = syncline(['init', folder])
      expect(created.code).toBe(0)
      const next = created.out.split('\n').filter((line) => line.startsWith('  syncline '))
      expect(next).toHaveLength(3)
      for (const line of next) expect(syncline(line.trim().split(' ').slice(1)).code).toBe(0)
      const again = syncline(['init', folder])
      expect([again.code, again.err]).toEqual([2, expect.stringContaining('conf/sync.json')])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
