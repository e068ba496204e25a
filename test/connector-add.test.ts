import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../src/model/json.ts'
import { syncline, TestProject } from './support/project.ts'

/** A project as `syncline init` writes it, with the files of new systems. */
function newProject(): TestProject {
  const project = new TestProject()
  expect(syncline(['init', project.folder]).code).toBe(0)
  project.write(
    'data/staff.csv',
    'code,First name,last_name,email\n7,Ada,King,ada@x.org\n8,Bob,Lee,bob@x.org\n',
  )
  project.write(
    'data/people.xml',
    `<icf:OpenICFContainer xmlns:icf="http://openidm.forgerock.com/xml/ns/public/resource/openicf/resource-schema-1.xsd" xmlns:ri="http://example.com/people">
      <ri:__ACCOUNT__><icf:__UID__>1</icf:__UID__><icf:__NAME__>ada</icf:__NAME__><ri:lastname>King</ri:lastname></ri:__ACCOUNT__>
    </icf:OpenICFContainer>`,
  )
  const database = new DatabaseSync(join(project.folder, 'data/people.db'))
  database.exec(
    "CREATE TABLE people (login TEXT PRIMARY KEY, surname TEXT NOT NULL, mail TEXT); INSERT INTO people VALUES ('ada', 'King', NULL)",
  )
  database.close()
  return project
}

const json = (project: TestProject, file: string): JsonObject =>
  JSON.parse(readFileSync(join(project.folder, file), 'utf8'))

describe('connector add', () => {
  it.each<[kind: string, args: readonly string[], type: string, properties: readonly string[]]>([
    [
      'csv',
      ['--file', 'data/staff.csv', '--id', 'code'],
      'account',
      ['code', 'First_name', 'last_name', 'email'],
    ],
    [
      'table',
      ['--url', 'jdbc:sqlite:data/people.db', '--table', 'people', '--key', 'login'],
      'account',
      ['login', 'surname', 'mail'],
    ],
    ['xml', ['--file', 'data/people.xml'], 'account', ['__NAME__', 'lastname']],
  ])(
    '%s writes a configuration and a beginning of a mapping, of which check finds nothing to say',
    (kind, args, type, properties) => {
      using project = newProject()
      const before = json(project, 'conf/sync.json')
      const { code, out, err } = project.syncline(['connector', 'add', kind, 'fresh', ...args])
      expect([code, err]).toEqual([0, ''])
      expect(out).toMatch(/^ok {4}fresh$/m)
      expect(out).toMatch(/Next:\n {2}syncline check --project .*\n {2}syncline system test fresh/)
      const configuration = json(project, 'conf/provisioner.openicf-fresh.json')
      expect(configuration).toMatchObject({ name: 'fresh', objectTypes: { [type]: {} } })
      expect(Object.keys(Object(configuration.objectTypes)[type].properties)).toEqual(properties)
      const mappings = Object(json(project, 'conf/sync.json').mappings)
      expect(mappings.slice(0, -1)).toEqual(before.mappings)
      expect(mappings.at(-1)).toMatchObject({ source: `system/fresh/${type}`, target: 'managed/user' })
      expect(project.syncline(['check', '--strict'])).toMatchObject({ code: 0, err: '' })
      expect(project.syncline(['system', 'test', 'fresh']).code).toBe(0)
      expect(project.syncline(['plan', mappings.at(-1).name]).code).toBe(0)
    },
  )

  it('with --dry-run shows the files and writes none', () => {
    using project = newProject()
    const before = readFileSync(join(project.folder, 'conf/sync.json'), 'utf8')
    const { code, out } = project.syncline([
      'connector',
      'add',
      'csv',
      'fresh',
      '--file',
      'data/staff.csv',
      '--id',
      'code',
      '--dry-run',
    ])
    expect(code).toBe(0)
    expect(out).toMatch(
      /conf\/provisioner\.openicf-fresh\.json would be:[\s\S]*"headerUid": "code"[\s\S]*Nothing was written\.\n$/,
    )
    expect(existsSync(join(project.folder, 'conf/provisioner.openicf-fresh.json'))).toBe(false)
    expect(readFileSync(join(project.folder, 'conf/sync.json'), 'utf8')).toBe(before)
  })

  it('leaves a mapping of the same name as it is, and says so', () => {
    using project = newProject()
    const args = ['--file', 'data/staff.csv', '--id', 'code']
    expect(project.syncline(['connector', 'add', 'csv', 'fresh', ...args]).code).toBe(0)
    rmSync(join(project.folder, 'conf/provisioner.openicf-fresh.json'))
    const before = readFileSync(join(project.folder, 'conf/sync.json'), 'utf8')
    const again = project.syncline(['connector', 'add', 'csv', 'fresh', ...args])
    expect(again.code).toBe(0)
    expect(again.out).toContain('There is a mapping freshAccount_managedUser already: it was left as it is')
    expect(readFileSync(join(project.folder, 'conf/sync.json'), 'utf8')).toBe(before)
  })

  it('that fails at a step writes nothing, shows the step, and ends with 1', () => {
    using project = newProject()
    const { code, out } = project.syncline(['connector', 'add', 'csv', 'fresh', '--file', 'data/gone.csv'])
    expect(code).toBe(1)
    expect(out).toMatch(
      /^error fresh: .*gone\.csv cannot be opened.*\n {6}failed open .*\n {13}Check the path.*\n\nNothing was written\.$/m,
    )
    expect(existsSync(join(project.folder, 'conf/provisioner.openicf-fresh.json'))).toBe(false)
  })

  it.each<[args: readonly string[], sentence: RegExp]>([
    [
      ['csv', 'hr', '--file', 'x'],
      /There is a connector hr already, in conf\/provisioner\.openicf-hr\.json: choose another name/,
    ],
    [['csv', 'my-hr', '--file', 'x'], /"my-hr" is no name for a system: use letters and digits/],
    [['csv', 'fresh'], /kind csv needs --file/],
    [['table', 'fresh', '--table', 'x'], /needs --url .* and --key/],
    [
      ['csv', 'fresh', '--file', 'x', '--set', 'fieldDelimitr=;'],
      /fieldDelimitr is no setting of this connector; did you mean fieldDelimiter\?/,
    ],
    [['csv', 'fresh', '--file', 'x', '--set', 'nonsense'], /nonsense is no setting: write it as name=value/],
    [
      ['ldap', 'fresh', '--host', 'h', '--base', 'o=x', '--port', 'many'],
      /--port is "many"; it must be a whole number/,
    ],
    [
      ['ldap', 'fresh', '--host', 'h', '--base', 'o=x', '--set', 'credentials=geheim'],
      /credentials is a secret: leave it out/,
    ],
    [
      ['ldap', 'fresh', '--host', 'h', '--base', 'o=x', '--account', 'cn=a'],
      /into the environment as FRESH_CREDENTIALS, or into conf\/boot\/boot\.properties as fresh\.credentials=…/,
    ],
    [['lpad', 'fresh'], /Did you mean ldap\?/],
    [['csv', 'fresh', '--fil', 'x'], /Did you mean --file\?/],
  ])('%j says in one sentence what is wrong, and writes nothing', (args, sentence) => {
    using project = newProject()
    const { code, err } = project.syncline(['connector', 'add', ...args])
    expect([code, err]).toEqual([2, expect.stringMatching(sentence)])
    expect(err).not.toContain('geheim')
    expect(existsSync(join(project.folder, 'conf/provisioner.openicf-fresh.json'))).toBe(false)
  })
})
