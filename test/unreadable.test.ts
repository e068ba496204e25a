import { describe, expect, it } from 'vitest'
import { csvConnector, type RunObject, TestProject } from './support/project.ts'

/** Damaged files through the whole program: what can be read is done, and what cannot be read is never judged absent. */

interface Run extends RunObject {
  readonly unreadable?: { readonly count: number; readonly messages: readonly string[] }
  readonly listings?: {
    readonly source?: { readonly state: string }
    readonly target?: { readonly state: string }
  }
}

function hrToDirectory(rows: string): TestProject {
  const project = new TestProject()
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['uid', 'name', 'age']))
  project.edit('conf/provisioner.openicf-hr.json', (text) =>
    text.replace(/("age":\s*\{\s*"type":\s*)"string"/, '$1"integer"'),
  )
  project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'cn', 'age']))
  project.write('data/hr.csv', `uid,name,age\n${rows}`)
  project.write('data/dir.csv', 'login,cn,age\n')
  project.write('conf/sync.json', {
    mappings: [
      {
        name: 'hr_dir',
        source: 'system/hr/account',
        target: 'system/dir/account',
        correlationQuery: [{ linkQualifier: 'default', expressionTree: { all: ['cn'] }, mapping: 'hr_dir' }],
        properties: [
          { source: 'uid', target: 'login' },
          { source: 'name', target: 'cn' },
          { source: 'age', target: 'age' },
        ],
        policies: [
          { situation: 'SOURCE_MISSING', action: 'DELETE' },
          { situation: 'UNASSIGNED', action: 'DELETE' },
          { situation: 'MISSING', action: 'CREATE' },
        ],
      },
    ],
  })
  return project
}

const accounts = (project: TestProject) =>
  project
    .read('data/dir.csv')
    .trim()
    .split('\n')
    .slice(1)
    .map((row) => row.split(',')[0]?.replaceAll('"', ''))
    .join()
const recon = (project: TestProject): Run =>
  JSON.parse(project.syncline(['recon', 'hr_dir', '--json']).out) as Run

describe('a damaged export', () => {
  it('with cells that are no number fails for these persons alone, and names their lines and columns', () => {
    using project = hrToDirectory('1,Ann,41\n2,Bob,n/a\n,,\n3,Cid,12345678901234567890\n4,Dan,\n')
    const run = recon(project)
    expect(accounts(project)).toBe('1,4')
    expect(run).toMatchObject({
      state: 'SUCCESS',
      statusSummary: { SUCCESS: 2, FAILURE: 2 },
      unreadable: { count: 2 },
    })
    expect(run.unreadable?.messages).toEqual([
      expect.stringMatching(
        /hr\.csv, line 3, column 3 \(age\): "2" cannot be read: age: "n\/a" is not of the type integer/,
      ),
      expect.stringMatching(/hr\.csv, line 5, column 3 \(age\): "3" cannot be read/),
    ])
    const query = project.syncline(['query', 'system/hr/account'])
    expect(query.out.match(/"_id":"\d"/g)).toEqual(['"_id":"1"', '"_id":"4"'])
    expect(query.err).toContain('line 3, column 3 (age)')
    project.write('data/hr.csv', 'uid,name,age\n1,Ann,41\n2,Bob,40\n3,Cid,x\n')
    expect(recon(project).unreadable?.count).toBe(1)
    expect(accounts(project)).toBe('1,2')
  })

  it('with a broken row deletes nobody whom it does not name any more', () => {
    using project = hrToDirectory('1,Ann,41\n2,Bob,40\n3,Cid,39\n4,Dan,38\n')
    recon(project)
    project.write('data/hr.csv', 'uid,name,age\n1,Anna,41\n2 Bob,40\n4,Dan\n5,Eve,30\n')
    const run = recon(project)
    expect(run.listings?.source?.state).toBe('suspect')
    expect(accounts(project)).toBe('1,2,3,4,5')
    expect(project.syncline(['recon', 'hr_dir'])).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /The listing of the source is suspect.*\n.*hr\.csv, line 3: the row has 2 fields/,
      ),
    })
    project.write('data/hr.csv', 'uid,name,age\n1,Anna,41\n2,Bob,40\n4,Dan,38\n5,Eve,30\n')
    expect(recon(project).listings).toBeUndefined()
    expect(accounts(project)).toBe('1,2,4,5')
  })

  it('is heeded by liveSync: what changed is carried on, and what is missing waits', () => {
    using project = hrToDirectory('1,Ann,41\n2,Bob,40\n3,Cid,39\n')
    recon(project)
    project.syncline(['livesync', 'system/hr/account'])
    project.write('data/hr.csv', 'uid,name,age\n1,Anna,41\n,Bob,40\n')
    project.syncline(['livesync', 'system/hr/account'])
    expect(project.read('data/dir.csv')).toContain('"Anna"')
    expect(accounts(project)).toBe('1,2,3')
    project.write('data/hr.csv', 'uid,name,age\n1,Anna,n/a\n2,Bobby,40\n')
    project.syncline(['livesync', 'system/hr/account'])
    expect(project.read('data/dir.csv')).toContain('"Bobby"')
    expect(accounts(project)).toBe('1,2')
  })
})

describe('a damaged target', () => {
  it('with a broken row gets no second account for the same person', () => {
    using project = hrToDirectory('1,Ann,41\n2,Bob,40\n')
    recon(project)
    project.edit('data/dir.csv', (text) => text.replace('"2","Bob"', '"2","Bob"by'))
    project.write('data/hr.csv', 'uid,name,age\n1,Ann,42\n2,Bob,44\n3,Cid,39\n')
    expect(recon(project)).toMatchObject({ statusSummary: { FAILURE: 1 }, unreadable: { count: 1 } })
    expect(accounts(project)).toBe('1,2,3')
    expect(project.read('data/dir.csv')).toContain('"2","Bob"by')
  })

  it('with a row without its id gets no account at all until it is repaired', () => {
    using project = hrToDirectory('1,Ann,41\n2,Bob,40\n')
    recon(project)
    project.edit('data/dir.csv', (text) => text.replace('"2","Bob"', '"","Bob"'))
    project.write('data/hr.csv', 'uid,name,age\n1,Ann,42\n2,Bob,44\n3,Cid,39\n')
    expect(recon(project)).toMatchObject({
      statusSummary: { FAILURE: 2 },
      listings: { target: { state: 'partial' } },
    })
    expect(accounts(project)).toBe('1,')
    project.edit('data/dir.csv', (text) => text.replace('"","Bob"', '"2","Bob"'))
    expect(recon(project).statusSummary.FAILURE).toBe(0)
    expect(accounts(project)).toBe('1,2,3')
  })
})
