/**
 * A company whose HR export becomes managed users, each of whom has an account in a directory, a second CSV file, by implicit
 * synchronization. What is said about it is read from the output of real processes; what is so, from both systems.
 */
import { csvConnector, TestProject } from './project.ts'

export const users = 'hr_user'
export const accounts = 'user_directory'

/** A row of the export. */
export interface Person {
  readonly number: string
  readonly givenName: string
  readonly familyName: string
  readonly mail: string
  readonly department: string
}

const columns = ['number', 'givenName', 'familyName', 'mail', 'department'] as const
const departments = ['Sales', 'Research', 'Finance', 'People', 'IT']
const first = ['Anna', 'José', 'Zoë', 'Liam', 'Noor', 'Søren', 'Chloé', 'Raúl', 'Mia', 'Jürgen']

export function everybody(count: number): readonly Person[] {
  return Array.from({ length: count }, (_, index) => ({
    number: String(10_001 + index),
    givenName: first[index % first.length] ?? '',
    familyName: `Family ${Math.floor(index / first.length)}`,
    mail: `Person.${index}@Example.com`,
    department: departments[index % departments.length] ?? '',
  }))
}

export class Company extends TestProject {
  constructor(people: readonly Person[]) {
    super()
    this.write('conf/provisioner.openicf-hr.json', csvConnector('hr', columns))
    const directory = ['login', 'name', 'mail', 'unit']
    this.write('conf/provisioner.openicf-directory.json', csvConnector('directory', directory))
    this.write('data/directory.csv', `${directory}\n`)
    this.write('conf/managed.json', { objects: [user] })
    this.write('conf/sync.json', { mappings: [fromHr, toDirectory] })
    this.export(people)
  }

  /** HR exports; `header`: as it names the columns today. */
  export(people: readonly Person[], header: readonly string[] = columns): void {
    const rows = people.map((person) => columns.map((column) => person[column]).join(','))
    this.write('data/hr.csv', `${[header, ...rows].join('\n')}\n`)
  }
}

const javaScript = (source: string) => ({ type: 'text/javascript', source })
const must = (...ids: string[]) => ({ policies: ids.map((policyId) => ({ policyId })) })
const text = { type: 'string' }

const user = {
  name: 'user',
  schema: {
    type: 'object',
    required: ['number', 'sn', 'mail'],
    properties: {
      number: { ...text, searchable: true, ...must('unique') },
      givenName: text,
      sn: text,
      mail: { ...text, searchable: true, ...must('unique', 'valid-email-address-format') },
      department: text,
    },
  },
}

export const rightTransform = 'source.toLowerCase()'

const leavers = [{ situation: 'SOURCE_MISSING', action: 'DELETE' }]

const fromHr = {
  name: users,
  source: 'system/hr/account',
  target: 'managed/user',
  correlationQuery: javaScript(
    "({ _queryFilter: 'number eq ' + JSON.stringify(source.number) + ' or mail eq ' + JSON.stringify(source.mail.toLowerCase()) })",
  ),
  policies: leavers,
  properties: [
    { source: 'number', target: 'number' },
    { source: 'givenName', target: 'givenName' },
    { source: 'familyName', target: 'sn' },
    { source: 'mail', target: 'mail', transform: javaScript(rightTransform) },
    { source: 'department', target: 'department' },
  ],
}

const toDirectory = {
  name: accounts,
  source: 'managed/user',
  target: 'system/directory/account',
  correlationQuery: javaScript("({ _queryFilter: 'login eq ' + JSON.stringify(source.number) })"),
  policies: leavers,
  properties: [
    { source: 'number', target: 'login' },
    { source: '', target: 'name', transform: javaScript("source.givenName + ' ' + source.sn") },
    { source: 'mail', target: 'mail' },
    { source: 'department', target: 'unit' },
  ],
}
