import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../src/testing/folder.ts'
import { root } from './support/project.ts'

/** The package as a user gets it: packed, installed into an empty folder, run there. */
const temporary = temporaryFolder()
const folder = temporary.path
const installed = join(folder, 'empty')

function run(command: string, args: readonly string[], cwd = installed, env: Record<string, string> = {}) {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`
  const result = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, PATH: path, ...env },
  })
  return { code: result.status, out: result.stdout, err: result.stderr }
}

const packed: string[] = []

beforeAll(() => {
  mkdirSync(installed)
  // Elsewhere, so that a build in the checkout is neither needed nor touched.
  const copy = join(folder, 'checkout')
  const clone = run(
    'bash',
    [
      '-c',
      `mkdir "$1" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$1" && ln -s "$PWD/node_modules" "$1/node_modules"`,
      '-',
      copy,
    ],
    root,
  )
  expect(clone.err).toBe('')
  const pack = run('npm', ['pack', '--json', '--pack-destination', folder], copy)
  expect(pack.code, pack.err).toBe(0)
  const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'))
  packed.push(
    ...run('tar', ['tzf', join(folder, tarball as string)])
      .out.trim()
      .split('\n'),
  )
  writeFileSync(join(installed, 'package.json'), '{ "private": true, "type": "module" }')
  const install = run('npm', ['install', '--no-audit', '--no-fund', join(folder, tarball as string)])
  expect(install.code, install.err).toBe(0)
})

afterAll(() => temporary[Symbol.dispose]())

describe('the published package', () => {
  it('carries the build, the schemas, the examples and the licence, and neither sources nor tests', () => {
    for (const file of [
      'dist/main.js',
      'dist/syncline.d.ts',
      'bin/syncline.js',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'docs/cli.md',
      'docs/specification/engine.md',
      'examples/hr-to-directory/conf/sync.json',
    ]) {
      expect(packed).toContain(`package/${file}`)
    }
    expect(packed.some((file) => file.startsWith('package/schemas/'))).toBe(true)
    expect(
      packed.filter((file) =>
        /^package\/(src|test|bench)\/|\.test\.|\/testing\/|repository\/contract/.test(file),
      ),
    ).toEqual([])
  })

  it('runs in an empty folder: init, check, plan, recon, and again', () => {
    expect(run('npx', ['syncline', 'init', 'project']).code).toBe(0)
    const syncline = (...args: string[]) => run('npx', ['syncline', ...args, '--project', 'project'])
    const check = syncline('check')
    expect(check.code, check.out + check.err).toBe(0)
    const [mapping] = (JSON.parse(syncline('check', '--json').out) as { mappings: string[] }).mappings
    const plan = syncline('plan', mapping as string)
    expect(plan.out).toMatch(/ABSENT +CREATE +3/)
    expect(JSON.parse(syncline('recon', mapping as string, '--json').out)).toMatchObject({
      state: 'SUCCESS',
      situationSummary: { ABSENT: 3 },
    })
    expect(JSON.parse(syncline('recon', mapping as string, '--json').out)).toMatchObject({
      situationSummary: { CONFIRMED: 3 },
    })
  })

  it('gives what its exports promise', () => {
    writeFileSync(
      join(installed, 'use.js'),
      `import * as syncline from 'syncline'
       import { contractCases } from 'syncline/connector'
       import schema from 'syncline/schemas/sync.json' with { type: 'json' }
       const checked = await syncline.checkOnly({ projectFolder: 'project', environment: {}, flags: {} })
       console.log(JSON.stringify({ names: Object.keys(syncline), schema: typeof schema, contract: typeof contractCases, problems: checked.problems }))`,
    )
    const used = run('node', ['use.js'])
    expect(used.code, used.err).toBe(0)
    expect(JSON.parse(used.out)).toEqual({
      names: ['ConfigurationFailure', 'Problem', 'checkOnly', 'openApplication', 'openServer'],
      schema: 'object',
      contract: 'function',
      problems: [],
    })
  })

  it('is typed: connectors and embedded runs of other programs compile against it, strictly', () => {
    writeFileSync(
      join(installed, 'use.ts'),
      `import { openApplication, openServer, Problem, checkOnly, ConfigurationFailure } from 'syncline'
       import type { Application, Connector, ConnectorKind, ConnectorObject, Json, JsonObject, OpenOptions, PlanEntry,
         ConfigurationProblem, ConnectorQuery, ConnectorWrite, CheckedProject, ProblemCode, ProjectOptions,
         ServerOptions } from 'syncline'
       const connector: Connector | undefined = undefined
       const options: OpenOptions = {
         projectFolder: 'project', dataFolder: 'data', environment: process.env, flags: {}, log: () => {},
       }
       export async function actions(mapping: string): Promise<(string | null)[]> {
         await using application: Application = await openApplication(options)
         const seen: PlanEntry[] = []
         const { done } = await application.reconciliations.start(
           { mapping, analyze: true }, application.administrator, { onEntry: (entry) => seen.push(entry) })
         await done
         return seen.map(({ action }) => action)
       }
       // @ts-expect-error there is no such problem
       export const code: ProblemCode = 'NONSENSE'
       export { connector, openServer, Problem, checkOnly, ConfigurationFailure }
       export type All = [ConnectorKind, ConnectorObject, Json, JsonObject, ConfigurationProblem, ConnectorQuery,
         ConnectorWrite, CheckedProject, ProjectOptions, ServerOptions]`,
    )
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')]
    const strict = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--lib',
      'esnext,dom',
    ]
    const compiled = run(join(root, 'node_modules/.bin/tsc'), [...strict, ...types, 'use.ts'])
    expect(compiled.out + compiled.err).toBe('')
    expect(compiled.code).toBe(0)
  })

  it('says what it needs where Node is too old', () => {
    const old = "Object.defineProperty(process.versions, 'node', { value: '20.0.0' })"
    writeFileSync(join(installed, 'old.cjs'), old)
    const { code, err } = run('node', [
      '--require',
      './old.cjs',
      'node_modules/syncline/bin/syncline.js',
      '--version',
    ])
    expect(code).toBe(2)
    expect(err).toMatch(/needs Node\.js 24 or newer, and this is 20\.0\.0: run "npm install node@24"/)
  })
})
