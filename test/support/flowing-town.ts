/** People of an HR file become managed users, and these accounts in a directory. */
import type { PlanLine } from '../../src/plan/plan-line.ts'
import { type Application, openApplication } from '../../src/server/application.ts'
import { makePlan } from '../../src/sync/plans/planned-mapping.ts'
import { script } from '../../src/testing/script.ts'
import { csvConnector, TestProject } from './project.ts'

export const text = { type: 'string' }
export const email = { ...text, searchable: true, policies: [{ policyId: 'valid-email-address-format' }] }

interface Town {
  readonly hr: readonly string[]
  readonly dir?: readonly string[]
  readonly mail?: object
  /** Of the type of users. */
  readonly user?: object
  readonly hrMapping?: object
  readonly dirMapping?: object
}

export function town({
  hr,
  dir = [],
  mail = email,
  user = {},
  hrMapping = {},
  dirMapping = {},
}: Town): TestProject {
  const project = new TestProject()
  project.write('data/hr.csv', `id,mail,name\n${hr.map((row) => `${row}\n`).join('')}`)
  project.write('data/dir.csv', `login,mail,name\n${dir.map((row) => `${row}\n`).join('')}`)
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['id', 'mail', 'name']))
  project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'mail', 'name']))
  const policies = [
    { situation: 'SOURCE_MISSING', action: 'DELETE' },
    { situation: 'UNASSIGNED', action: 'IGNORE' },
  ]
  project.write('conf/sync.json', {
    mappings: [
      {
        ...{ name: 'hr_user', source: 'system/hr/account', target: 'managed/user', policies },
        properties: ['mail', 'name']
          .map((name) => ({ source: name, target: name }))
          .concat({
            source: 'id',
            target: 'userName',
          }),
        ...hrMapping,
      },
      {
        ...{ name: 'user_dir', source: 'managed/user', target: 'system/dir/account', policies },
        properties: [
          { source: 'userName', target: 'login' },
          { source: 'mail', target: 'mail' },
          { source: 'name', target: 'name' },
        ],
        correlationQuery: script(`({ _queryFilter: 'login eq "' + source.userName + '"' })`),
        ...dirMapping,
      },
    ],
  })
  const properties = { userName: { ...text, searchable: true }, mail, name: text }
  project.write('conf/managed.json', {
    objects: [{ name: 'user', schema: { type: 'object', properties }, ...user }],
  })
  return project
}

export const notAtOnce = { enableSync: false }

export async function open(project: TestProject, body: object = {}): Promise<Application> {
  const folders = { projectFolder: project.folder, dataFolder: project.path('.syncline') }
  return openApplication({ ...folders, environment: {}, flags: {}, log: () => {}, ...body })
}

/** A plan of one mapping that is performed in a rehearsal. */
export async function planned(application: Application, mapping: string) {
  await using rehearsal = await application.rehearse()
  const lines: PlanLine[] = []
  const made = await makePlan(application.reconciliations, { mapping }, application.administrator, {
    ...{ rehearsal, onLine: (line) => void lines.push(line) },
  })
  return { ...made, lines }
}

/** `CREATE → login: reason`, as the plan has it and as it came. */
export function told({
  action,
  targetId,
  refusal,
}: Pick<PlanLine, 'action' | 'targetId' | 'refusal'>): string {
  return `${action} → ${targetId}${refusal === undefined ? '' : `: ${refusal}`}`
}

export const behind = (lines: readonly PlanLine[], mapping = 'user_dir') =>
  lines.filter((line) => line.mapping === mapping)
