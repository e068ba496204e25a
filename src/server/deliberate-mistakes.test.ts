import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ConfigurationProblem } from '../config/project.ts'
import { temporaryFolder } from '../testing/folder.ts'
import { checkOnly } from './check.ts'

/**
 * Mistakes that people make, each in a project that is right without it. Each is found, at its place in the file, with what to do
 * about it, and nothing else is.
 */
type Value = string | number | boolean | null | Value[] | { [name: string]: Value | undefined }
type Content = { [name: string]: Value | undefined }
type Files = { [file: string]: Content | string }

const js = (source: string) => ({ type: 'text/javascript', source })
const attribute = (more: Content = {}) => ({ type: 'string', ...more })

function csv(properties: readonly string[], more: Content = {}): Content {
  return {
    connectorRef: { connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector' },
    configurationProperties: { csvFile: 'data/people.csv', headerUid: 'id' },
    objectTypes: {
      account: {
        nativeType: '__ACCOUNT__',
        properties: Object.fromEntries(properties.map((name) => [name, attribute()])),
      },
    },
    ...more,
  }
}

function sound() {
  const hr: Content = {
    name: 'hr_user',
    source: 'system/hr/account',
    target: 'managed/user',
    validSource: js("source.status !== 'left'"),
    correlationQuery: js("({ _queryFilter: 'userName eq \"' + source.login + '\"' })"),
    properties: [
      { source: 'login', target: 'userName' },
      { source: 'given', target: 'name/first', condition: '/object/given pr' },
      { source: 'mail', target: 'mail', transform: js('source ? source.toLowerCase() : null') },
      { source: '', target: 'status', transform: js("source.status ? 'active' : 'inactive'") },
    ],
    policies: [
      { situation: 'CONFIRMED', action: 'UPDATE' },
      { situation: 'ABSENT', action: 'CREATE' },
    ],
  }
  const directory: Content = {
    name: 'user_directory',
    source: 'managed/user',
    target: 'system/directory/account',
    sourceQuery: { _queryFilter: 'status eq "active"' },
    properties: [
      { source: 'userName', target: 'uid' },
      { source: 'mail', target: 'mail' },
    ],
    onCreate: js('target.uid = source.userName.toLowerCase()'),
    policies: [{ situation: 'SOURCE_MISSING', action: 'DELETE' }],
  }
  const user: Content = {
    name: 'user',
    onCreate: { type: 'text/javascript', file: 'script/onCreate.js' },
    schema: {
      properties: {
        userName: attribute({ policies: [{ policyId: 'unique' }] }),
        name: { type: 'object', properties: { first: attribute(), last: attribute() } },
        mail: attribute({ pattern: '^[^@]+@[^@]+$' }),
        status: attribute(),
        roles: {
          type: 'array',
          items: {
            type: 'relationship',
            reverseRelationship: true,
            reversePropertyName: 'members',
            resourceCollection: [{ path: 'managed/role', query: { queryFilter: 'true', fields: ['title'] } }],
          },
        },
      },
      required: ['userName'],
      order: ['userName', 'name', 'mail', 'status', 'roles'],
    },
  }
  const role: Content = {
    name: 'role',
    schema: {
      properties: {
        title: attribute(),
        members: {
          type: 'array',
          items: {
            type: 'relationship',
            reverseRelationship: true,
            reversePropertyName: 'roles',
            resourceCollection: [{ path: 'managed/user' }],
          },
        },
      },
    },
  }
  const schedule: Content = {
    type: 'cron',
    schedule: '0 0 3 * * ?',
    timeZone: 'Europe/Berlin',
    invokeService: 'sync',
    invokeContext: { action: 'reconcile', mapping: 'hr_user' },
  }
  const files: Files = {
    'conf/provisioner.openicf-hr.json': csv(['id', 'login', 'given', 'mail', 'status']),
    'conf/provisioner.openicf-directory.json': csv(['id', 'uid', 'mail']),
    'conf/managed.json': { objects: [user, role] },
    'conf/sync.json': { mappings: [hr, directory] },
    'conf/schedule-nightly.json': schedule,
    'conf/endpoint-joiners.json': { type: 'text/javascript', file: 'script/joiners.js' },
    'script/onCreate.js': "var names = require('names')\nobject.userName = names.short(object.name.last)\n",
    'script/names.js': 'exports.short = function (name) { return name.slice(0, 8) }\n',
    'script/joiners.js': "openidm.query('managed/user', { _queryFilter: 'status eq \"active\"' })\n",
  }
  return { files, hr, directory, user, role, schedule, sync: files['conf/sync.json'] as Content }
}

type Sound = ReturnType<typeof sound>

async function problemsIn(
  files: Files,
): Promise<{ problems: readonly ConfigurationProblem[]; lineOf: (problem: ConfigurationProblem) => string }> {
  using folder = temporaryFolder()
  const texts = new Map<string, string>()
  for (const [file, content] of Object.entries(files)) {
    const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2)
    texts.set(file, text)
    mkdirSync(dirname(join(folder.path, file)), { recursive: true })
    writeFileSync(join(folder.path, file), text)
  }
  const { problems } = await checkOnly({ projectFolder: folder.path, environment: {}, flags: {} })
  return { problems, lineOf: ({ file, line }) => texts.get(file)?.split('\n')[line - 1] ?? '' }
}

/** A member somewhere below a value, by its steps. */
function at(value: Value | undefined, ...steps: readonly (string | number)[]): Content {
  return steps.reduce<Value | undefined>((found, step) => (found as Content)[step], value) as Content
}

function list(value: Value | undefined): Value[] {
  return value as Value[]
}

interface Mistake {
  readonly what: string
  readonly make: (project: Sound) => void
  readonly place: string
  /** On the line that the place says. */
  readonly line: string
  /** What is wrong, and what to do. */
  readonly says: readonly [string, string]
  readonly severity?: 'error'
}

const mistakes: readonly Mistake[] = [
  {
    what: 'a source attribute that the system does not have',
    make: ({ hr }) => Object.assign(at(hr.properties, 0), { source: 'lgoin' }),
    place: 'conf/sync.json /mappings/0/properties/0/source',
    line: '"lgoin"',
    says: ['system/hr/account has no property "lgoin"', 'did you mean login?'],
  },
  {
    what: 'a target attribute that the type does not have',
    make: ({ hr }) => Object.assign(at(hr.properties, 2), { target: 'mial' }),
    place: 'conf/sync.json /mappings/0/properties/2/target',
    line: '"mial"',
    says: ['managed/user has no property "mial"', 'did you mean mail?'],
  },
  {
    what: 'a target attribute that nothing knows',
    make: ({ hr }) => list(hr.properties).push({ source: 'id', target: 'costCentre' }),
    place: 'conf/sync.json /mappings/0/properties/4/target',
    line: '"costCentre"',
    says: [
      'managed/user declares no property "costCentre", and nothing else in this project reads it',
      'declare it in conf/managed.json',
    ],
  },
  {
    what: 'an attribute of an object in an object',
    make: ({ hr }) => Object.assign(at(hr.properties, 1), { target: 'name/frist' }),
    place: 'conf/sync.json /mappings/0/properties/1/target',
    line: '"name/frist"',
    says: ['managed/user/name has no property "frist"', 'did you mean first?'],
  },
  {
    what: 'a target attribute that the system does not have',
    make: ({ directory }) => Object.assign(at(directory.properties, 1), { target: 'email' }),
    place: 'conf/sync.json /mappings/1/properties/1/target',
    line: '"email"',
    says: ['system/directory/account has no property "email"', 'did you mean mail?'],
  },
  {
    what: 'an attribute in a condition',
    make: ({ hr }) => Object.assign(at(hr.properties, 1), { condition: '/object/givne pr' }),
    place: 'conf/sync.json /mappings/0/properties/1/condition',
    line: '/object/givne pr',
    says: ['system/hr/account has no property "givne"', 'did you mean given?'],
  },
  {
    what: 'a condition without its variable',
    make: ({ hr }) => Object.assign(at(hr.properties, 1), { condition: '/given pr' }),
    place: 'conf/sync.json /mappings/0/properties/1/condition',
    line: '"/given pr"',
    says: ['the pointers of this condition begin with /object', 'did you mean /object/given?'],
  },
  {
    what: 'an attribute in a query filter',
    make: ({ directory }) => Object.assign(at(directory.sourceQuery), { _queryFilter: 'statsu eq "active"' }),
    place: 'conf/sync.json /mappings/1/sourceQuery/_queryFilter',
    line: 'statsu eq',
    says: ['managed/user has no property "statsu"', 'did you mean status?'],
  },
  {
    what: 'an attribute in triggerSyncProperties',
    make: ({ directory }) => Object.assign(directory, { triggerSyncProperties: ['userName', 'maill'] }),
    place: 'conf/sync.json /mappings/1/triggerSyncProperties/1',
    line: '"maill"',
    says: ['managed/user has no property "maill"', 'did you mean mail?'],
  },
  {
    what: 'an attribute of the guard',
    make: ({ directory }) => Object.assign(directory, { guard: { attributes: { maill: '5%' } } }),
    place: 'conf/sync.json /mappings/1/guard/attributes/maill',
    line: '"maill"',
    says: ['system/directory/account has no property "maill"', 'did you mean mail?'],
  },
  {
    what: 'an attribute of the source in a script',
    make: ({ hr }) => Object.assign(hr, { validSource: js("source.stauts !== 'left'") }),
    place: 'conf/sync.json /mappings/0/validSource/source',
    line: 'stauts',
    says: ['(line 1, column 1): system/hr/account has no property "stauts"', 'did you mean status?'],
  },
  {
    what: 'an attribute of the target in a script',
    make: ({ directory }) =>
      Object.assign(directory, { onCreate: js('var x = 1\ntarget.udi = source.userName') }),
    place: 'conf/sync.json /mappings/1/onCreate/source',
    line: 'target.udi',
    says: ['(line 2, column 1): system/directory/account has no property "udi"', 'did you mean uid?'],
  },
  {
    what: 'an attribute of the object in a script file',
    make: ({ files }) =>
      Object.assign(files, { 'script/onCreate.js': '// a user\nobject.status = object.nmae.first\n' }),
    place: 'conf/managed.json /objects/0/onCreate/file',
    line: 'script/onCreate.js',
    says: [
      '(script/onCreate.js, line 2, column 17): managed/user has no property "nmae"',
      'did you mean name?',
    ],
  },
  {
    what: 'an attribute in the query of a correlation script',
    make: ({ hr }) =>
      Object.assign(hr, {
        correlationQuery: js("({ _queryFilter: 'usrName eq \"' + source.login + '\"' })"),
      }),
    place: 'conf/sync.json /mappings/0/correlationQuery/source',
    line: 'usrName',
    says: ['managed/user has no property "usrName"', 'did you mean userName?'],
  },
  {
    what: 'a property in required',
    make: ({ user }) => Object.assign(at(user.schema), { required: ['userNmae'] }),
    place: 'conf/managed.json /objects/0/schema/required/0',
    line: '"userNmae"',
    says: ['managed/user has no property "userNmae"', 'did you mean userName?'],
  },
  {
    what: 'a property in order',
    make: ({ user }) => Object.assign(at(user.schema), { order: ['userName', 'mial'] }),
    place: 'conf/managed.json /objects/0/schema/order/1',
    line: '"mial"',
    says: ['managed/user has no property "mial"', 'did you mean mail?'],
  },
  {
    what: 'the other end of a relationship',
    make: ({ user }) =>
      Object.assign(at(user, 'schema', 'properties', 'roles', 'items'), { reversePropertyName: 'member' }),
    place: 'conf/managed.json /objects/0/schema/properties/roles/items/reversePropertyName',
    line: '"member"',
    says: ['managed/role has no property "member"', 'did you mean members?'],
  },
  {
    what: 'the set that a relationship leads to',
    make: ({ user }) => {
      const items = at(user, 'schema', 'properties', 'roles', 'items')
      Object.assign(at(items.resourceCollection, 0), { path: 'managed/rol' })
    },
    place: 'conf/managed.json /objects/0/schema/properties/roles/items/resourceCollection/0/path',
    line: '"managed/rol"',
    says: ['"managed/rol" is not an object set of this project', 'did you mean managed/role?'],
  },
  {
    what: 'a field of the query of a relationship',
    make: ({ user }) => {
      const items = at(user, 'schema', 'properties', 'roles', 'items')
      Object.assign(at(items.resourceCollection, 0, 'query'), { fields: ['titel'] })
    },
    place: 'conf/managed.json /objects/0/schema/properties/roles/items/resourceCollection/0/query/fields/0',
    line: '"titel"',
    says: ['managed/role has no property "titel"', 'did you mean title?'],
  },
  {
    what: 'the mapping of a schedule',
    make: ({ schedule }) => Object.assign(at(schedule.invokeContext), { mapping: 'hr_users' }),
    place: 'conf/schedule-nightly.json /invokeContext/mapping',
    line: '"hr_users"',
    says: ['there is no mapping "hr_users"', 'did you mean hr_user?'],
  },
  {
    what: 'the action of a schedule',
    make: ({ schedule }) => Object.assign(at(schedule.invokeContext), { action: 'reconcil' }),
    place: 'conf/schedule-nightly.json /invokeContext/action',
    line: '"reconcil"',
    says: ['sync has no action "reconcil"', 'did you mean reconcile?'],
  },
  {
    what: 'the source of a liveSync',
    make: ({ schedule }) =>
      Object.assign(schedule, {
        invokeService: 'provisioner',
        invokeContext: { action: 'liveSync', source: 'system/hr/acount' },
      }),
    place: 'conf/schedule-nightly.json /invokeContext/source',
    line: '"system/hr/acount"',
    says: ['"system/hr/acount" is not an object set of this project', 'did you mean system/hr/account?'],
  },
  {
    what: 'a schedule that pauses when the clock is put back',
    make: ({ schedule }) => Object.assign(schedule, { schedule: '0 0/5 * * * ?' }),
    place: 'conf/schedule-nightly.json /schedule',
    line: '0 0/5 * * * ?',
    says: ['does not run for 65 minutes', '"timeZone": "UTC"'],
  },
  {
    what: 'a required module that is not there',
    make: ({ files }) =>
      Object.assign(files, { 'script/onCreate.js': "require('nmaes').short(object.name.last)\n" }),
    place: 'conf/managed.json /objects/0/onCreate/file',
    line: 'script/onCreate.js',
    says: ["require('nmaes'): the folder script/ has no such module", 'did you mean names?'],
  },
  {
    what: 'a script file that is not there',
    make: ({ user }) =>
      Object.assign(user, { onCreate: { type: 'text/javascript', file: 'script/onCraete.js' } }),
    place: 'conf/managed.json /objects/0/onCreate/file',
    line: 'script/onCraete.js',
    says: ['the project has no file "script/onCraete.js"', 'put it there, or correct the name'],
    severity: 'error',
  },
  {
    what: 'a transform that ends in a declaration',
    make: ({ hr }) =>
      Object.assign(at(hr.properties, 2), { transform: js('var mail = source.toLowerCase()') }),
    place: 'conf/sync.json /mappings/0/properties/2/transform/source',
    line: 'var mail',
    says: ['ends with the declaration of mail, which has no value', 'end it with the expression mail'],
  },
  {
    what: 'a correlation query that only declares a function',
    make: ({ hr }) => Object.assign(hr, { correlationQuery: js('function query() { return null }') }),
    place: 'conf/sync.json /mappings/0/correlationQuery/source',
    line: 'function query',
    says: ['the script declares functions and has no value', 'end it with a call such as query(…)'],
  },
  {
    what: 'a function that makes the value and returns none',
    make: ({ hr }) => Object.assign(hr, { validSource: js("(function () { source.status !== 'left' })()") }),
    place: 'conf/sync.json /mappings/0/validSource/source',
    line: 'function ()',
    says: ['the function that makes the value returns none', 'write return'],
  },
  {
    what: 'a function that nothing calls',
    make: ({ hr }) => Object.assign(at(hr.properties, 2), { transform: js('(() => source)') }),
    place: 'conf/sync.json /mappings/0/properties/2/transform/source',
    line: '() => source',
    says: ['the value of the script is a function that nothing calls', 'add ()'],
  },
  {
    what: 'return outside of a function',
    make: ({ hr }) => Object.assign(hr, { validSource: js("return source.status !== 'left'") }),
    place: 'conf/sync.json /mappings/0/validSource',
    line: '"validSource"',
    says: ['Illegal return statement', 'leave out return'],
    severity: 'error',
  },
  {
    what: 'an assignment in place of a comparison',
    make: ({ hr }) => Object.assign(hr, { validSource: js("source.status = 'left'") }),
    place: 'conf/sync.json /mappings/0/validSource/source',
    line: "source.status = 'left'",
    says: ['assigns a value instead of comparing', 'write === for ='],
  },
  {
    what: 'a variable of another place',
    make: ({ hr }) => Object.assign(hr, { validTarget: js("source.status === 'x'") }),
    place: 'conf/sync.json /mappings/0/validTarget/source',
    line: 'source.status',
    says: ['the script has no variable source here', 'there are: target, linkQualifier'],
  },
  {
    what: 'a function that openidm does not have',
    make: ({ files }) =>
      Object.assign(files, {
        'script/joiners.js': "openidm.qurey('managed/user', { _queryFilter: 'true' })",
      }),
    place: 'conf/endpoint-joiners.json /file',
    line: 'script/joiners.js',
    says: ['openidm has no function qurey', 'did you mean query?'],
  },
  {
    what: 'an object set in a script',
    make: ({ files }) =>
      Object.assign(files, { 'script/joiners.js': "openidm.read('managed/usr/' + request.id)" }),
    place: 'conf/endpoint-joiners.json /file',
    line: 'script/joiners.js',
    says: ['"managed/usr" is not an object set of this project', 'did you mean managed/user?'],
  },
  {
    what: 'a pattern that takes for ever',
    make: ({ user }) =>
      Object.assign(at(user, 'schema', 'properties', 'mail'), { pattern: '^([a-z0-9]+[._-]?)+@x$' }),
    place: 'conf/managed.json /objects/0/schema/properties/mail/pattern',
    line: '([a-z0-9]+[._-]?)+',
    says: ['in ([a-z0-9]+[._-]?)+ a repetition is repeated', 'repeat once'],
  },
  {
    what: 'a pattern of a script that takes for ever',
    make: ({ hr }) => Object.assign(hr, { validSource: js('/^(a+)+$/.test(source.login)') }),
    place: 'conf/sync.json /mappings/0/validSource/source',
    line: '(a+)+',
    says: ['can take for ever', 'repeat once'],
  },
  {
    what: 'a setting without effect',
    make: ({ hr }) =>
      Object.assign(hr, { runTargetPhase: false, policies: [{ situation: 'UNASSIGNED', action: 'DELETE' }] }),
    place: 'conf/sync.json /mappings/0/policies/0',
    line: '{',
    says: ['this policy has no effect', 'runTargetPhase is false'],
  },
  {
    what: 'a policy that is never reached',
    make: ({ hr }) => list(hr.policies).push({ situation: 'absent', action: 'IGNORE' }),
    place: 'conf/sync.json /mappings/0/policies/2',
    line: '{',
    says: ['this policy is never reached', 'give that one a condition'],
  },
  {
    what: 'an entry that a later one overwrites',
    make: ({ hr }) => list(hr.properties).push({ source: 'login', target: 'mail' }),
    place: 'conf/sync.json /mappings/0/properties/2/target',
    line: '"mail"',
    says: ['this entry has no effect', 'remove one'],
  },
  {
    what: 'two mappings that delete in one target',
    make: ({ sync, directory }) => list(sync.mappings).push({ ...directory, name: 'second' }),
    place: 'conf/sync.json /mappings/2/policies/0/action',
    line: 'DELETE',
    says: ['the mapping user_directory deletes in system/directory/account, too', 'let only one delete'],
  },
  {
    what: 'a query for a link qualifier that is not there',
    make: ({ hr }) => Object.assign(at(hr.correlationQuery), { linkQualifier: 'defualt' }),
    place: 'conf/sync.json /mappings/0/correlationQuery/linkQualifier',
    line: 'defualt',
    says: ['"defualt" is no link qualifier of this mapping', 'did you mean default?'],
  },
  {
    what: 'an attribute of an expression tree',
    make: ({ hr }) => Object.assign(hr, { correlationQuery: { expressionTree: { any: ['userNmae'] } } }),
    place: 'conf/sync.json /mappings/0/correlationQuery/expressionTree/any/0',
    line: '"userNmae"',
    says: ['which no entry of properties has as target', 'did you mean userName?'],
    severity: 'error',
  },
  {
    what: 'polices for policies',
    make: ({ hr }) => {
      hr.polices = hr.policies
      hr.policies = undefined
    },
    place: 'conf/sync.json /mappings/0/polices',
    line: '"polices"',
    says: ['the property "polices" is not known', 'did you mean policies?'],
    severity: 'error',
  },
  {
    what: 'corelationQuery for correlationQuery',
    make: ({ hr }) => {
      hr.corelationQuery = hr.correlationQuery
      hr.correlationQuery = undefined
    },
    place: 'conf/sync.json /mappings/0/corelationQuery',
    line: '"corelationQuery"',
    says: ['the property "corelationQuery" is not known', 'did you mean correlationQuery?'],
    severity: 'error',
  },
  {
    what: 'a situation that there is not',
    make: ({ hr }) => Object.assign(at(hr.policies, 0), { situation: 'CONFIRMD' }),
    place: 'conf/sync.json /mappings/0/policies/0/situation',
    line: '"CONFIRMD"',
    says: ['"CONFIRMD" is not a situation', 'did you mean CONFIRMED?'],
    severity: 'error',
  },
  {
    what: 'an action that there is not',
    make: ({ hr }) => Object.assign(at(hr.policies, 0), { action: 'UPDAT' }),
    place: 'conf/sync.json /mappings/0/policies/0/action',
    line: '"UPDAT"',
    says: ['"UPDAT" is not an action', 'did you mean UPDATE?'],
    severity: 'error',
  },
  {
    what: 'a value of the wrong type',
    make: ({ hr }) => Object.assign(hr, { enableSync: 'true' }),
    place: 'conf/sync.json /mappings/0/enableSync',
    line: '"true"',
    says: ['expected true or false, found "true"', 'write it without quotes'],
    severity: 'error',
  },
  {
    what: 'a policy that there is not',
    make: ({ user }) =>
      Object.assign(at(user, 'schema', 'properties', 'mail'), { policies: [{ policyId: 'minimum-lenght' }] }),
    place: 'conf/managed.json /objects/0/schema/properties/mail/policies/0',
    line: '{',
    says: ['policy "minimum-lenght" is not known', 'did you mean minimum-length?'],
    severity: 'error',
  },
]

describe('a deliberate mistake', () => {
  it('is missing in the project that they are made in', async () => {
    expect((await problemsIn(sound().files)).problems).toEqual([])
  })

  it.each(mistakes)(
    'is found: $what',
    async ({ make, place, line, says: [fact, remedy], severity = 'warning' }) => {
      const project = sound()
      make(project)
      const { problems, lineOf } = await problemsIn(project.files)
      expect(problems.map(({ file, pointer, severity }) => `${severity} ${file} ${pointer}`)).toEqual([
        `${severity} ${place}`,
      ])
      const [problem] = problems
      expect(problem?.message).toContain(fact)
      expect(problem?.message).toContain(remedy)
      expect(problem && lineOf(problem)).toContain(line)
    },
  )

  it('is found: a key that is repeated', async () => {
    const { files } = sound()
    const text = JSON.stringify(files['conf/sync.json'], null, 2)
    files['conf/sync.json'] = text.replace(
      '"source": "managed/user"',
      '"source": "managed/role",\n"source": "managed/user"',
    )
    const { problems, lineOf } = await problemsIn(files)
    expect(problems.map(({ message }) => message)).toEqual([
      'the key "source" is repeated in the same object; keep one of them',
    ])
    expect(problems[0] && lineOf(problems[0])).toContain('"source": "managed/user"')
  })

  it('does not hide another one in the same file', async () => {
    const project = sound()
    const some = mistakes.filter(({ place }) => place.startsWith('conf/sync.json')).slice(0, 8)
    // Each alters something else.
    for (const { make } of [some[0], some[1], some[3], some[4], some[7]].filter((one) => one !== undefined))
      make(project)
    const { problems } = await problemsIn(project.files)
    expect(problems.length).toBe(5)
  })
})
