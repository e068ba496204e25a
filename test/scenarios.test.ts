import { describe, expect, it } from 'vitest'
import { script } from '../src/testing/script.ts'
import { csvConnector, type RunObject, TestProject } from './support/project.ts'

const counted = (run: RunObject) =>
  Object.fromEntries(Object.entries(run.situationSummary).filter(([, count]) => count > 0))

/** platform §11, "CSV to CSV". */
describe('an HR file and an engineering file of another shape', () => {
  function engineering(): TestProject {
    const project = new TestProject()
    project.write(
      'data/hr.csv',
      `firstName,uid,lastName,email,employeeNumber
Darth,d1,Vader,darth@example.com,123456
Luke,l2,Skywalker,luke@example.com,234567
Leia,l3,Organa,leia@example.com,654321
`,
    )
    project.write('data/engineering.csv', 'name,first,last,telephone,roles,number\n')
    project.write(
      'conf/provisioner.openicf-hr.json',
      csvConnector('hr', ['uid', 'firstName', 'lastName', 'email', 'employeeNumber']),
    )
    project.write(
      'conf/provisioner.openicf-engineering.json',
      csvConnector('engineering', ['name', 'first', 'last', 'telephone', 'roles', 'number']),
    )
    project.write('conf/sync.json', {
      mappings: [
        {
          name: 'hr_engineering',
          source: 'system/hr/account',
          target: 'system/engineering/account',
          correlationQuery: [
            {
              linkQualifier: 'default',
              type: 'text/javascript',
              file: 'ui/correlateTreeToQueryFilter.js',
              mapping: 'hr_engineering',
              expressionTree: { all: ['name'] },
            },
          ],
          properties: [
            { source: 'email', target: 'name' },
            { source: 'firstName', target: 'first' },
            { source: 'lastName', target: 'last' },
            { source: 'telephoneNumber', target: 'telephone', default: 'N/A' },
            { source: 'employeeNumber', target: 'number' },
            {
              source: 'employeeNumber',
              target: 'roles',
              transform: script(
                "if (source.charAt(0) === '6') { 'openidm-admin,openidm-authorized' } else { 'openidm-authorized' }",
              ),
            },
          ],
          policies: [
            { situation: 'UNASSIGNED', action: 'DELETE' },
            { situation: 'SOURCE_MISSING', action: 'DELETE' },
          ],
        },
      ],
    })
    return project
  }

  it('come to agree: created, confirmed without a byte written, and a removed row removes its account', () => {
    using project = engineering()
    expect(counted(project.json<RunObject>('recon', 'hr_engineering'))).toEqual({ ABSENT: 3 })
    expect(project.read('data/engineering.csv')).toBe(`name,first,last,telephone,roles,number
"darth@example.com","Darth","Vader","N/A","openidm-authorized","123456"
"luke@example.com","Luke","Skywalker","N/A","openidm-authorized","234567"
"leia@example.com","Leia","Organa","N/A","openidm-admin,openidm-authorized","654321"
`)
    const before = project.stamp('data/engineering.csv')
    expect(counted(project.json<RunObject>('recon', 'hr_engineering'))).toEqual({ CONFIRMED: 3 })
    expect(project.stamp('data/engineering.csv')).toEqual(before)
    project.edit('data/hr.csv', (text) =>
      text
        .split('\n')
        .filter((row) => !row.startsWith('Luke'))
        .join('\n'),
    )
    expect(counted(project.json<RunObject>('recon', 'hr_engineering'))).toEqual({
      CONFIRMED: 2,
      SOURCE_MISSING: 1,
    })
    expect(project.read('data/engineering.csv')).not.toContain('luke')
  })

  it('agree although another program writes the file between the runs: policies decide on its rows, own rows are repaired', () => {
    using project = engineering()
    project.json('recon', 'hr_engineering')
    project.edit(
      'data/engineering.csv',
      (text) => `${text.replace('"Leia"', '"Princess"')}"han@example.com","Han","Solo","1","",""\n`,
    )
    const run = project.json<RunObject>('recon', 'hr_engineering')
    expect(counted(run)).toEqual({ CONFIRMED: 3, UNASSIGNED: 1 })
    expect(run.progress.target).toMatchObject({ updated: 1, deleted: 1, unchanged: 2 })
    expect(project.read('data/engineering.csv')).toMatch(/"leia@example.com","Leia"/)
    expect(project.read('data/engineering.csv')).not.toContain('han@')
  })
})

describe('a file in Latin-1 with semicolons, quoted differently', () => {
  it('is read and written in its own ways', () => {
    using project = new TestProject()
    const latin1 = { encoding: 'ISO-8859-1', fieldDelimiter: ';', quoteCharacter: "'" }
    project.write('data/in.csv', "id;name\n1;Jürgen Größe\n2;'Semi;colon'\n")
    project.write('data/out.csv', 'key;label\n')
    project.write(
      'conf/provisioner.openicf-in.json',
      csvConnector('in', ['id', 'name'], { fieldDelimiter: ';', quoteCharacter: "'" }),
    )
    project.write('conf/provisioner.openicf-out.json', csvConnector('out', ['key', 'label'], latin1))
    project.write('conf/sync.json', {
      mappings: [
        {
          name: 'in_out',
          source: 'system/in/account',
          target: 'system/out/account',
          properties: [
            { source: 'id', target: 'key' },
            { source: 'name', target: 'label' },
          ],
        },
      ],
    })
    expect(project.json<RunObject>('recon', 'in_out').state).toBe('SUCCESS')
    expect(project.bytes('data/out.csv').toString('latin1')).toBe(
      "key;label\n'1';'Jürgen Größe'\n'2';'Semi;colon'\n",
    )
    expect(counted(project.json<RunObject>('recon', 'in_out'))).toEqual({ CONFIRMED: 2 })
  })
})

describe('an update that changes the id of its target', () => {
  it('is one operation: the link follows, and the target phase does not meet the object again', () => {
    using project = new TestProject()
    project.write('data/hr.csv', 'number,login\n1,ann\n2,bob\n')
    project.write('data/dir.csv', 'login,number\n')
    project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['number', 'login']))
    project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'number']))
    project.write('conf/mapping-hr_dir.json', {
      source: 'system/hr/account',
      target: 'system/dir/account',
      properties: [
        { source: 'login', target: 'login' },
        { source: 'number', target: 'number' },
      ],
    })
    project.json('recon', 'hr_dir')
    project.edit('data/hr.csv', (text) => text.replace('ann', 'anna'))
    const renamed = project.json<RunObject>('recon', 'hr_dir')
    expect(counted(renamed)).toEqual({ CONFIRMED: 2 })
    expect(renamed.progress.target).toMatchObject({ updated: 1, unchanged: 1 })
    expect(project.read('data/dir.csv')).toBe('login,number\n"anna","1"\n"bob","2"\n')
    const { links } = project.json<{ links: { sourceId: string; targetId: string }[] }>('links', 'hr_dir')
    expect(links.map(({ sourceId, targetId }) => [sourceId, targetId])).toEqual([
      ['1', 'anna'],
      ['2', 'bob'],
    ])
    expect(counted(project.json<RunObject>('recon', 'hr_dir'))).toEqual({ CONFIRMED: 2 })
  })
})

describe('an attribute that a hook takes away', () => {
  it('is cleared in the system outside, once', () => {
    using project = new TestProject()
    project.write('data/hr.csv', 'number,login\n1,ann\n')
    project.write('data/dir.csv', 'login,number\nann,old\n')
    project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['number', 'login']))
    project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'number']))
    project.write('conf/mapping-hr_dir.json', {
      source: 'system/hr/account',
      target: 'system/dir/account',
      correlationQuery: {
        type: 'text/javascript',
        source: "var q = { _queryFilter: 'login eq \"' + source.login + '\"' }; q",
      },
      properties: [{ source: 'login', target: 'login' }],
      onUpdate: { type: 'text/javascript', source: 'delete target.number' },
    })
    expect(project.json<RunObject>('recon', 'hr_dir').progress.target).toMatchObject({ updated: 1 })
    expect(project.read('data/dir.csv')).toBe('login,number\n"ann",""\n')
    expect(project.json<RunObject>('recon', 'hr_dir').progress.target).toMatchObject({ unchanged: 1 })
  })
})
