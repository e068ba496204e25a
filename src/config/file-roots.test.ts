import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TemporaryFolder, temporaryFolder } from '../testing/folder.ts'
import { fileRoots } from './file-roots.ts'
import { problemsOf, sound } from './testing/temporary-project.ts'

let outer: TemporaryFolder
let project: string
beforeAll(() => {
  outer = temporaryFolder()
  project = join(realpathSync(outer.path), 'project')
  for (const folder of [project, join(project, 'data'), `${project}-other`, join(outer.path, 'exports')])
    mkdirSync(folder)
  writeFileSync(join(outer.path, 'exports/hr.csv'), '')
  symlinkSync(join(outer.path, 'exports'), join(project, 'data/link'))
  symlinkSync(project, join(outer.path, 'alias'))
})
afterAll(() => outer[Symbol.dispose]())

const allowed = (path: string, roots?: string) => {
  const property = (name: string) => (name === 'syncline.file.roots' ? roots : undefined)
  return fileRoots(project, property)(path.replace('OUT', outer.path))
}

it.each(['data/hr.csv', 'OUT/project/data/hr.csv', 'OUT/alias/data/new/hr.csv', 'data/../data/hr.csv', '.'])(
  '%s is a file of the project',
  (path) => {
    expect(allowed(path)).toBe(true)
  },
)

it.each([
  '../exports/hr.csv',
  'OUT/exports/hr.csv',
  'OUT/project-other/hr.csv',
  'data/link/hr.csv',
  'data/link/new.csv',
  '/etc/passwd',
  '/',
])('%s is none', (path) => {
  expect(allowed(path)).toBe(false)
})

it('a project folder may be named relative to the working folder', () => {
  const isAllowed = fileRoots('.', () => undefined)
  expect([isAllowed('data/hr.csv'), isAllowed('../hr.csv')]).toEqual([true, false])
})

it('other folders are named by a property', () => {
  const roots = `relative, ${outer.path}/exports`
  expect(allowed('OUT/exports/hr.csv', roots)).toBe(true)
  expect(allowed('data/link/hr.csv', roots)).toBe(true)
  expect(allowed('relative/x', roots)).toBe(true)
  expect(allowed('OUT/exports-other/hr.csv', roots)).toBe(false)
})

describe('a file that may not be named is an error with its place', () => {
  const properties = { csvFile: { type: 'string', format: 'path' } }
  const connectorSchemas = { 'org.example.Csv': { type: 'object', properties } } as const
  const connector = (more: object) => ({
    ...sound['conf/provisioner.openicf-hr.json'],
    configurationProperties: { csvFile: '/etc/passwd' },
    ...more,
  })

  it.each([
    [
      'of a connector',
      'provisioner.openicf-hr',
      connector({}),
      /csvFile: csvFile may not name "\/etc\/passwd"/,
    ],
    [
      'of a connector that is switched off, where it is a warning',
      'provisioner.openicf-hr',
      connector({ enabled: false }),
      /csvFile: warning: csvFile may not name/,
    ],
    [
      'of an audit handler',
      'audit',
      {
        eventHandlers: [
          {
            class: 'JsonAuditEventHandler',
            config: { name: 'json', topics: ['access'], logDirectory: '../logs' },
          },
        ],
      },
      /eventHandlers\/0\/config\/logDirectory: logDirectory may not name "\.\.\/logs"/,
    ],
    [
      'that is read into a setting',
      'own',
      { a: { $inline: '../secret' } },
      /\$inline cannot read the file .* outside/,
    ],
  ])('%s', async (_what, id, content, problem) => {
    const found = await problemsOf({ ...sound, [`conf/${id}.json`]: content }, { connectorSchemas })
    expect(found).toContainEqual(expect.stringMatching(problem))
  })
})
