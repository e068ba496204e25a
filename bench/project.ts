import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What managed users are: eight texts, or what OpenIDM ships; whether their changes flow on to a second set; and one schema
 * with and without policies; or with a second mapping, into a table (database.ts) or a directory (directory.ts).
 */
export type Variant =
  | 'plain'
  | 'to a table'
  | 'to a directory'
  | 'stock'
  | 'flowing'
  | 'flowing, encrypted'
  | 'judged'
  | 'not judged'

/** A project that the benchmark makes for itself: an HR export of `count` people, eight properties, three scripts. */
export function makeProject(folder: string, count: number, variant: Variant = 'plain'): void {
  mkdirSync(join(folder, 'conf'), { recursive: true })
  mkdirSync(join(folder, 'data'), { recursive: true })
  writeExport(folder, count)
  const files = { ...configuration, ...variants[variant] }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, 'conf', name), `${JSON.stringify(content, null, 2)}\n`)
  }
}

/** `moved`: everybody has another department and another phone than before. */
export function writeExport(folder: string, count: number, moved = false): void {
  writeFileSync(join(folder, 'data/hr.csv'), csv(count, moved ? 1 : 0))
}

export const mappingName = 'hrAccount_managedUser'
export const columns = [
  'uid',
  'givenName',
  'familyName',
  'mail',
  'phone',
  'department',
  'city',
  'employeeType',
] as const

const first = ['Anna', 'José', 'Zoë', 'Liam', 'Noor', 'Søren', 'Chloé', 'Raúl', 'Mia', 'Jürgen']
const last = [
  "O'Brien",
  'Müller',
  'García López',
  'Nguyen',
  'Smith',
  'Kowalski',
  'Dubois',
  'Rossi',
  'Jansen',
  'Silva',
]
const departments = ['Sales', 'Research, Development', 'Finance', 'People', 'IT']
const cities = ['Köln', 'Paris', 'Oslo', 'Porto']

function csv(count: number, moved: number): string {
  const rows = [columns.join(',')]
  for (let index = 0; index < count; index++) rows.push(row(index, moved))
  return `${rows.join('\n')}\n`
}

function row(index: number, moved: number): string {
  const pick = (values: readonly string[], step: number) =>
    values[Math.floor(index / step) % values.length] as string
  const cells = [
    `p${String(index).padStart(7, '0')}`,
    pick(first, 1),
    pick(last, 10),
    `Person.${index}@Example.COM`,
    `+49 (221) ${100000 + ((index + moved) % 900000)}`,
    departments[(Math.floor(index / 3) + moved) % departments.length] as string,
    pick(cities, 7),
    index % 9 === 0 ? 'contractor' : 'employee',
  ]
  return cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')
}

const script = (source: string) => ({ type: 'text/javascript', source })
const text = { type: 'string' }

const configuration = {
  'sync.json': {
    mappings: [
      {
        name: mappingName,
        source: 'system/hr/account',
        target: 'managed/user',
        policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
        correlationQuery: script("var query = { _queryFilter: 'userName eq \"' + source.uid + '\"' }; query"),
        properties: [
          { source: 'uid', target: 'userName' },
          { source: 'givenName', target: 'givenName' },
          { source: 'familyName', target: 'sn' },
          { source: 'mail', target: 'mail', transform: script('source.toLowerCase()') },
          { source: 'phone', target: 'telephoneNumber', transform: script("source.replace(/[^+0-9]/g, '')") },
          { source: 'department', target: 'department' },
          { source: 'city', target: 'city' },
          {
            source: 'employeeType',
            target: 'title',
            transform: script("if (source === 'contractor') { 'External' } else { 'Staff' }"),
          },
        ],
      },
    ],
  },
  'managed.json': {
    objects: [
      {
        name: 'user',
        schema: {
          type: 'object',
          required: ['userName'],
          properties: {
            userName: { ...text, searchable: true },
            givenName: text,
            sn: text,
            mail: text,
            telephoneNumber: text,
            department: text,
            city: text,
            title: text,
          },
        },
      },
    ],
  },
  'provisioner.openicf-hr.json': {
    name: 'hr',
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
      bundleVersion: '[1.0,2)',
      connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
    },
    configurationProperties: { csvFile: '&{launcher.project.location}/data/hr.csv', headerUid: 'uid' },
    objectTypes: {
      account: {
        $schema: 'http://json-schema.org/draft-03/schema',
        id: '__ACCOUNT__',
        type: 'object',
        nativeType: '__ACCOUNT__',
        properties: Object.fromEntries(
          columns.map((name) => [name, { type: 'string', nativeName: name, nativeType: 'string' }]),
        ),
      },
    },
  },
}

const relationship = (collection: string, reverse: string) => ({
  ...{ type: 'relationship', reverseRelationship: true, reversePropertyName: reverse, validate: true },
  resourceCollection: [{ path: collection, label: collection }],
})
const many = (collection: string, reverse: string) => ({
  ...{ type: 'array', returnByDefault: false, items: relationship(collection, reverse) },
})
const virtual = (...path: string[]) => ({
  ...{ type: 'array', items: { type: 'object' }, isVirtual: true, returnByDefault: true },
  queryConfig: { referencedRelationshipFields: path, referencedObjectFields: ['*'] },
})
const policies = (...ids: string[]) => ({ policies: ids.map((policyId) => ({ policyId })) })
const searchable = { ...text, searchable: true }
const encrypted = { ...text, scope: 'private', encryption: { key: 'openidm-sym-default' } }

/** With the traits that cost something in the schema that OpenIDM ships: policies, encryption, hooks, relationships, virtual values. */
const stockTypes = {
  objects: [
    {
      name: 'user',
      onCreate: script(
        "require('onCreateUser').setDefaultFields(object); require('roles/conditionalRoles').createConditionalGrantsForUser(object, 'roles');",
      ),
      onUpdate: script(
        "require('onUpdateUser').preserveLastSync(object, oldObject, request); require('roles/conditionalRoles').updateConditionalGrantsForUser(object, 'roles');",
      ),
      schema: {
        type: 'object',
        required: ['userName', 'givenName', 'sn', 'mail'],
        properties: {
          userName: { ...searchable, minLength: 1, ...policies('unique', 'no-internal-user-conflict') },
          givenName: searchable,
          sn: searchable,
          mail: { ...searchable, ...policies('valid-email-address-format') },
          telephoneNumber: { ...text, pattern: '^\\+?([0-9\\- ()])*$' },
          ...{ department: text, city: text, title: text, accountStatus: searchable },
          password: { ...encrypted, minLength: 8, ...policies('at-least-X-capitals') },
          roles: many('managed/role', 'members'),
          manager: relationship('managed/user', 'reports'),
          reports: many('managed/user', 'manager'),
          effectiveRoles: virtual('roles'),
          effectiveAssignments: virtual('roles', 'assignments'),
        },
      },
    },
    {
      name: 'role',
      schema: {
        type: 'object',
        properties: {
          name: searchable,
          condition: { ...text, isConditional: true },
          members: many('managed/user', 'roles'),
          assignments: many('managed/assignment', 'roles'),
        },
      },
    },
    {
      name: 'assignment',
      schema: {
        type: 'object',
        properties: { name: searchable, mapping: text, roles: many('managed/role', 'assignments') },
      },
    },
  ],
}

/** Each user becomes a person as well, by implicit synchronization. */
function flowing(more: object) {
  const [user] = configuration['managed.json'].objects
  if (!user) throw new Error('there is no managed user')
  const { schema } = user
  const person = { name: 'person', schema }
  const source = { ...user, schema: { ...schema, properties: { ...schema.properties, ...more } } }
  const mapping = {
    ...{ name: 'managedUser_person', source: 'managed/user', target: 'managed/person' },
    properties: ['userName', 'givenName', 'sn', 'mail'].map((name) => ({ source: name, target: name })),
  }
  return {
    'managed.json': { objects: [source, person] },
    'sync.json': { mappings: [...configuration['sync.json'].mappings, mapping] },
  }
}

/** From the managed users to a table of eight columns, with a script as well. */
function toTable() {
  const names = {
    ...{ userName: 'userName', givenName: 'given_name', sn: 'family_name', mail: 'mail' },
    ...{ telephoneNumber: 'phone', department: 'department', city: 'city' },
  }
  const mapping = {
    ...{ name: 'managedUser_people', source: 'managed/user', target: 'system/database/account' },
    correlationQuery: script(
      "var query = { _queryFilter: 'userName eq \"' + source.userName + '\"' }; query",
    ),
    properties: [
      ...Object.entries(names).map(([source, target]) => ({ source, target })),
      { source: 'title', target: 'title', transform: script('source.toUpperCase()') },
    ],
  }
  return { 'sync.json': { mappings: [...configuration['sync.json'].mappings, mapping] } }
}

/** From the managed users to entries of a directory, with two scripts. */
function toDirectory() {
  const names = {
    ...{
      userName: 'uid',
      givenName: 'givenName',
      sn: 'sn',
      mail: 'mail',
      telephoneNumber: 'telephoneNumber',
    },
    ...{ department: 'departmentNumber', city: 'l', title: 'title' },
  }
  const mapping = {
    ...{ name: 'managedUser_entries', source: 'managed/user', target: 'system/directory/account' },
    correlationQuery: script("var query = { _queryFilter: 'uid eq \"' + source.userName + '\"' }; query"),
    properties: [
      {
        source: 'userName',
        target: 'dn',
        transform: script("'uid=' + source + ',ou=people,dc=example,dc=com'"),
      },
      { source: '', target: 'cn', transform: script("source.givenName + ' ' + source.sn") },
      ...Object.entries(names).map(([source, target]) => ({ source, target })),
    ],
  }
  return { 'sync.json': { mappings: [...configuration['sync.json'].mappings, mapping] } }
}

/** One schema, with policies or without any. */
function judgedBy(judging: { readonly required: readonly string[]; readonly properties: object }) {
  const [user] = configuration['managed.json'].objects
  if (!user) throw new Error('there is no managed user')
  const properties = { ...user.schema.properties, mail: searchable, ...judging.properties }
  const schema = { ...user.schema, required: judging.required, properties }
  return { 'managed.json': { objects: [{ ...user, schema }] } }
}

const asked = {
  userName: { ...searchable, minLength: 3, ...policies('unique') },
  givenName: { ...text, ...policies('required', 'not-empty') },
  sn: { ...text, minLength: 1, ...policies('required') },
  mail: { ...searchable, ...policies('unique', 'valid-email-address-format') },
  telephoneNumber: { ...text, pattern: '^\\+?([0-9\\- ()])*$' },
  department: { ...text, maxLength: 40 },
  title: { ...text, policies: [{ policyId: 'regexpMatches', params: { regexp: '^[A-Z][a-z]+$' } }] },
}

const variants: Readonly<Record<Variant, object>> = {
  plain: {},
  'to a table': toTable(),
  'to a directory': toDirectory(),
  stock: { 'managed.json': stockTypes },
  flowing: flowing({}),
  'flowing, encrypted': flowing({ password: encrypted }),
  judged: judgedBy({ required: ['userName', 'givenName', 'sn', 'mail'], properties: asked }),
  'not judged': judgedBy({ required: [], properties: {} }),
}
