import { describe, expect, it } from 'vitest'
import { isEnabled } from './entries/entry.ts'
import { mapping, problemsOf, sound, temporaryProject } from './testing/temporary-project.ts'

const withMapping = (more: object) => ({
  ...sound,
  'conf/sync.json': { mappings: [mapping('a', more)] },
})

describe('a sound project', () => {
  it('has no problems and all its entries, with any additional content', async () => {
    await using project = await temporaryProject({
      ...sound,
      'conf/sync.json': {
        comment: 'ours',
        mappings: [
          mapping('a', {
            comment: 'x',
            policies: [{ situation: 'confirmed', action: 'Update', note: 1 }],
            onCreate: null,
          }),
          mapping('b', { source: 'managed/user', target: 'system/hr/account', links: 'a' }),
        ],
      },
      'conf/ui-themeconfig.json': { icon: 'x.png' },
    })
    const { problems, mappings, connectors, managedObjects, documents } = await project.read()
    expect(problems).toEqual([])
    expect(mappings.map(({ name, pointer }) => [name, pointer])).toEqual([
      ['a', ['mappings', 0]],
      ['b', ['mappings', 1]],
    ])
    expect(connectors.map((each) => [each.name, isEnabled(each)])).toEqual([['hr', true]])
    expect(managedObjects.map(({ name }) => name)).toEqual(['user', 'role'])
    expect(documents.map(({ id }) => id)).toEqual([
      'managed',
      'provisioner.openicf/hr',
      'sync',
      'ui/themeconfig',
    ])
  })

  it('keeps placeholders in the raw document and expands them in the content', async () => {
    await using project = await temporaryProject({
      ...sound,
      'conf/boot/boot.properties': 'system = hr\nlinking = false\nthreads = 4\n',
      'conf/sync.json': {
        mappings: [
          mapping('a', {
            source: 'system/&{system}/account',
            enableLinking: '&{linking}',
            taskThreads: '&{threads}',
          }),
        ],
      },
    })
    const { problems, mappings, property } = await project.read()
    expect(problems).toEqual([])
    expect(mappings[0]?.content).toMatchObject({
      source: 'system/hr/account',
      enableLinking: false,
      taskThreads: 4,
    })
    expect(mappings[0]?.document.raw).toMatchObject({ mappings: [{ enableLinking: '&{linking}' }] })
    expect(property('system')).toBe('hr')
  })
})

describe('a fault in a mapping is reported with its place:', () => {
  it.each<[string, object, readonly string[]]>([
    [
      'a misspelt situation',
      { policies: [{ situation: 'CONFRIMED', action: 'UPDATE' }] },
      [
        'conf/sync.json:9:24 /mappings/0/policies/0/situation: "CONFRIMED" is not a situation; did you mean CONFIRMED? ' +
          'Allowed: CONFIRMED, FOUND, FOUND_ALREADY_LINKED, ABSENT, AMBIGUOUS, MISSING, UNQUALIFIED, SOURCE_IGNORED, ' +
          'TARGET_IGNORED, UNASSIGNED, SOURCE_MISSING, LINK_ONLY, ALL_GONE',
      ],
    ],
    [
      'a misspelt action',
      { policies: [{ situation: 'ABSENT', action: 'CRAETE' }] },
      [
        'conf/sync.json:10:21 /mappings/0/policies/0/action: "CRAETE" is not an action; did you mean CREATE? Allowed: ' +
          'CREATE, UPDATE, DELETE, LINK, UNLINK, EXCEPTION, IGNORE, REPORT, NOREPORT, ASYNC',
      ],
    ],
    [
      'an action of the wrong type',
      { policies: [{ situation: 'ABSENT', action: 1 }] },
      ['conf/sync.json:10:21 /mappings/0/policies/0/action: expected an action or a script object, found 1'],
    ],
    [
      'an action script without code',
      { policies: [{ situation: 'ABSENT', action: { type: 'text/javascript' } }] },
      [
        'conf/sync.json:10:21 /mappings/0/policies/0/action: a script needs its code in "source" or a file name in "file"',
      ],
    ],
    [
      'a policy without situation',
      { policies: [{ action: 'UPDATE' }] },
      [
        'conf/sync.json:8:9 /mappings/0/policies/0/situation: the required property situation is missing; ' +
          'add it (a situation)',
      ],
    ],
    [
      'a misspelt name of a required property, once',
      { properties: [{ traget: 'mail', source: 'mail' }] },
      [
        'conf/sync.json:9:11 /mappings/0/properties/0/traget: the property "traget" is not known, and the required ' +
          'property target is missing; did you mean target?',
      ],
    ],
    [
      'a misspelt name of another property, as an error',
      { sourceIDsCaseSensitive: false },
      [
        'conf/sync.json:7:7 /mappings/0/sourceIDsCaseSensitive: the property "sourceIDsCaseSensitive" is not ' +
          'known and is ignored; did you mean sourceIdsCaseSensitive?',
      ],
    ],
    [
      'a misspelt name of what restricts, as an error',
      { sourceQeury: { _queryFilter: 'active eq true' } },
      [
        'conf/sync.json:7:7 /mappings/0/sourceQeury: the property "sourceQeury" is not known, and without ' +
          'sourceQuery more would be worked than is meant; did you mean sourceQuery?',
      ],
    ],
    [
      'a misspelt condition of a policy, as an error',
      { policies: [{ situation: 'CONFIRMED', action: 'DELETE', conditon: '/object/gone eq true' }] },
      [
        'conf/sync.json:11:11 /mappings/0/policies/0/conditon: the property "conditon" is not known, and without ' +
          'condition more would be worked than is meant; did you mean condition?',
      ],
    ],
    [
      'the root as target',
      { properties: [{ target: '/' }] },
      [
        'conf/sync.json:9:21 /mappings/0/properties/0/target: cannot replace root object: "/" is the whole target; ' +
          'name a property',
      ],
    ],
    [
      'a boolean in quotes',
      { enableSync: 'true' },
      [
        'conf/sync.json:7:21 /mappings/0/enableSync: expected true or false, found "true"; write it without quotes',
      ],
    ],
    [
      'a number in quotes',
      { taskThreads: '10' },
      [
        'conf/sync.json:7:22 /mappings/0/taskThreads: expected a whole number, found "10"; write it without quotes',
      ],
    ],
    [
      'a number out of range',
      { taskThreads: -1 },
      ['conf/sync.json:7:22 /mappings/0/taskThreads: must be at least 0, found -1'],
    ],
    [
      'properties that are no array',
      { properties: {} },
      ['conf/sync.json:7:21 /mappings/0/properties: expected an array, found an object'],
    ],
    [
      'link qualifiers of the wrong type',
      { linkQualifiers: 'default' },
      [
        'conf/sync.json:7:25 /mappings/0/linkQualifiers: expected an array or a script object, found "default"',
      ],
    ],
    [
      'a repeated and an empty link qualifier',
      { linkQualifiers: ['x', 'x', ''] },
      [
        'conf/sync.json:9:9 /mappings/0/linkQualifiers/1: "x" is in the array twice; remove one',
        'conf/sync.json:10:9 /mappings/0/linkQualifiers/2: must not be empty',
      ],
    ],
    [
      'two ways of correlation',
      { correlationQuery: { file: 'a.js' }, correlationScript: { file: 'b.js' } },
      [
        'conf/sync.json:10:7 /mappings/0/correlationScript: correlationQuery and correlationScript exclude each other; ' +
          'remove one of them',
      ],
    ],
    [
      'an inline script without language',
      { validSource: { source: 'true' } },
      [
        'conf/sync.json:7:22 /mappings/0/validSource: a script with inline "source" needs its language; add "type": ' +
          '"text/javascript"',
      ],
    ],
    [
      'an expression tree with both words',
      { correlationQuery: [{ expressionTree: { any: ['a'], all: ['b'] } }] },
      [
        'conf/sync.json:9:29 /mappings/0/correlationQuery/0/expressionTree: an expression tree has either "any" or "all"',
      ],
    ],
    [
      'a query with two filters',
      { sourceQuery: { _queryFilter: 'true', queryId: 'x' } },
      [
        'conf/sync.json:9:9 /mappings/0/sourceQuery/queryId: a query has one of _queryFilter and queryId, not both; remove one',
      ],
    ],
    [
      'an unknown system, with the path that was meant',
      { source: 'system/hr/acount' },
      [
        'conf/sync.json:5:17 /mappings/0/source: "system/hr/acount" is not an object set of this project; did you mean ' +
          'system/hr/account? Defined: system/hr/account',
      ],
    ],
    [
      'a system without object type',
      { source: 'system/hr' },
      [
        'conf/sync.json:5:17 /mappings/0/source: "system/hr" is not an object set of this project; did you mean ' +
          'system/hr/account? Defined: system/hr/account',
      ],
    ],
    [
      'an unknown managed type',
      { target: 'managed/usr' },
      [
        'conf/sync.json:6:17 /mappings/0/target: "managed/usr" is not an object set of this project; did you mean ' +
          'managed/user? Defined: managed/user, managed/role',
      ],
    ],
    [
      'a root that looks like another one, as a warning',
      { target: 'manged/user' },
      [
        'conf/sync.json:6:17 /mappings/0/target: warning: "manged/user": manged is not a usual root; did you mean managed/user?',
      ],
    ],
    [
      'an unknown link set',
      { links: 'b' },
      [
        'conf/sync.json:7:16 /mappings/0/links: there is no mapping "b" whose link set could be used. No mapping defines one',
      ],
    ],
    [
      'an undefined property',
      { source: 'system/&{sys}/account' },
      [
        'conf/sync.json:5:17 /mappings/0/source: the property sys is not defined; set it in the environment, in ' +
          'conf/boot/boot.properties or by a flag, or give a default: &{sys|default}',
      ],
    ],
  ])('%s', async (_, more, problems) => {
    expect(await problemsOf(withMapping(more))).toEqual(problems)
  })

  it('a filter that cannot be parsed', async () => {
    const [problem, ...others] = await problemsOf(withMapping({ sourceCondition: '/source/active eqq true' }))
    expect(problem).toMatch(
      /^conf\/sync.json:7:26 \/mappings\/0\/sourceCondition: "\/source\/active eqq true" is not a query filter: /,
    )
    expect(others).toEqual([])
  })
})

describe('mappings together', () => {
  const files = (mappings: readonly unknown[], more: object = {}) => ({
    ...sound,
    'conf/sync.json': { mappings },
    ...more,
  })

  it('lose only the broken ones', async () => {
    await using project = await temporaryProject(
      files([mapping('a', { enableSync: 1 }), mapping('b'), mapping('c', { source: '&{nothing}' }), 'd']),
    )
    const { mappings, problems } = await project.read()
    expect(mappings.map(({ name }) => name)).toEqual(['b'])
    expect(problems.map(({ pointer }) => pointer)).toEqual([
      '/mappings/0/enableSync',
      '/mappings/2/source',
      '/mappings/3',
    ])
  })

  it('lose the later of two with the same name', async () => {
    await using project = await temporaryProject(
      files([mapping('a'), mapping('a', { target: 'managed/role' })]),
    )
    const { mappings, problems } = await project.read()
    expect(mappings.map(({ content }) => content.target)).toEqual(['managed/user'])
    expect(problems).toMatchObject([
      { line: 9, column: 15, message: 'the mapping name "a" is taken by conf/sync.json:3; choose another' },
    ])
  })

  it('lose those whose link set is defined by a broken one', async () => {
    await using project = await temporaryProject(
      files([mapping('a', { enableSync: 1 }), mapping('b', { links: 'a' })]),
    )
    const { mappings, problems } = await project.read()
    expect(mappings).toEqual([])
    expect(problems.map(({ message }) => message)).toContain(
      'the mapping a, which defines this link set, has errors; correct it in conf/sync.json first',
    )
  })

  it('reuse only link sets with the same object sets or their reverse', async () => {
    const problems = await problemsOf(
      files([
        mapping('a'),
        mapping('same', { links: 'a' }),
        mapping('reverse', { source: 'managed/user', target: 'system/hr/account', links: 'a' }),
        mapping('other', { target: 'managed/role', links: 'a' }),
        mapping('chained', { links: 'same' }),
      ]),
    )
    expect(problems.map((problem) => problem.replace(/^.*links: /, ''))).toEqual([
      'the link set of a joins system/hr/account and managed/user, but this mapping goes from system/hr/account to ' +
        'managed/role; a reused link set has the same object sets or exactly the reverse',
      'the mapping same itself uses the link set "a" and cannot be reused; name a',
    ])
  })

  it('come in the order of sync.json, then files by syncAfter and name', async () => {
    const separate = (more: object = {}) => ({ source: 'system/hr/account', target: 'managed/user', ...more })
    await using project = await temporaryProject(
      files([mapping('z'), mapping('y')], {
        'conf/mapping-a.json': separate({ syncAfter: ['c', 'z'] }),
        'conf/mapping-b.json': separate(),
        'conf/mapping-c.json': separate({ syncAfter: ['d-e'] }),
        'conf/mapping-d-e.json': separate(),
      }),
    )
    const { mappings, problems } = await project.read()
    expect(problems).toEqual([])
    expect(mappings.map(({ name }) => name)).toEqual(['z', 'y', 'b', 'd-e', 'c', 'a'])
    expect(mappings.at(-1)?.content.name).toBe('a')
  })

  it('cannot come after each other, after themselves, or after unknown ones', async () => {
    const separate = (...syncAfter: string[]) => ({
      source: 'system/hr/account',
      target: 'managed/user',
      syncAfter,
    })
    await using project = await temporaryProject({
      ...sound,
      'conf/mapping-alpha.json': separate('beta'),
      'conf/mapping-beta.json': separate('alpha'),
      'conf/mapping-self.json': separate('self'),
      'conf/mapping-lost.json': separate('alhpa'),
      'conf/mapping-good.json': separate(),
    })
    const { mappings, problems } = await project.read()
    expect(mappings.map(({ name }) => name)).toEqual(['good'])
    expect(problems.map(({ file, message }) => `${file}: ${message}`)).toEqual([
      'conf/mapping-alpha.json: the order is a circle: alpha after beta after alpha; remove one of these names',
      'conf/mapping-beta.json: the order is a circle: beta after alpha after beta; remove one of these names',
      'conf/mapping-lost.json: "alhpa" is not a mapping; did you mean alpha? Allowed: alpha, beta, good, lost, self',
      'conf/mapping-self.json: the order is a circle: self after self; remove one of these names',
    ])
  })
})

describe('a file that is not JSON', () => {
  it('is one error; connectors still load, and nothing is reported as missing because of it', async () => {
    await using project = await temporaryProject({ ...sound, 'conf/sync.json': '{ "mappings": [,] }' })
    const { problems, connectors, managedObjects } = await project.read()
    expect(problems).toHaveLength(1)
    expect([connectors.length, managedObjects.length]).toEqual([1, 2])
  })

  it('does not make mappings wrong that name what it may define', async () => {
    const files = {
      'conf/managed.json': '{',
      'conf/provisioner.openicf-hr.json': '',
      'conf/mapping-b.json': '{"a" 1}',
      'conf/sync.json': { mappings: [mapping('a', { syncAfter: ['b'] })] },
    }
    await using project = await temporaryProject(files)
    const { problems, mappings } = await project.read()
    expect(problems.map(({ file }) => file)).toEqual([
      'conf/managed.json',
      'conf/mapping-b.json',
      'conf/provisioner.openicf-hr.json',
    ])
    expect(mappings.map(({ name }) => name)).toEqual(['a'])
  })
})

describe('a connector', () => {
  const connector = (more: object) => ({
    connectorRef: { connectorName: 'org.example.Csv' },
    configurationProperties: { csvFile: 'x.csv' },
    ...more,
  })
  const connectorSchemas = {
    'org.example.Csv': {
      type: 'object',
      required: ['csvFile'],
      properties: {
        csvFile: { type: 'string' },
        fieldDelimiter: { type: 'string' },
        headerPassword: { type: 'string' },
      },
    },
  }

  it.each<[string, string, object, readonly string[]]>([
    ['is named by its file', 'hr', connector({}), []],
    [
      'needs a name of letters and digits',
      'hr-1',
      connector({}),
      [
        ':1:1: the file name gives the system name "hr-1", which has more than letters and digits; add "name"',
      ],
    ],
    [
      'must be one that exists',
      'hr',
      connector({ connectorRef: { connectorName: 'org.exmaple.Csv' } }),
      [
        ':3:22 /connectorRef/connectorName: "org.exmaple.Csv" is not a connector that Syncline has; did you mean ' +
          'org.example.Csv? Allowed: org.example.Csv',
      ],
    ],
    [
      'must have what its kind requires, and is warned of settings that its kind does not know',
      'hr',
      connector({ configurationProperties: { fieldDelimeter: ';', other: 1, headerPassword: 4711 } }),
      [
        ':5:30 /configurationProperties/csvFile: the required property csvFile is missing; add it (a string)',
        ':6:5 /configurationProperties/fieldDelimeter: warning: the property "fieldDelimeter" is not known and is ' +
          'ignored; did you mean fieldDelimiter?',
        ':7:5 /configurationProperties/other: warning: the property "other" is not known and is ignored. Known: ' +
          'csvFile, fieldDelimiter, headerPassword',
        ':8:23 /configurationProperties/headerPassword: expected a string, found a secret (number)',
      ],
    ],
    [
      'needs the native type of each object type',
      'hr',
      connector({
        objectTypes: { account: { properties: { a: { type: 'text', flags: ['NOT_UPDATABLE'] } } } },
      }),
      [
        ':9:16 /objectTypes/account/nativeType: the required property nativeType is missing; add it (a string)',
        expect.stringMatching(/^:12:19 .*: "text" is not a type\. Allowed: string, number/),
        expect.stringMatching(
          /flags\/0: warning: "NOT_UPDATABLE" is not a flag; did you mean NOT_UPDATEABLE\?/,
        ),
      ],
    ],
    [
      'is warned of settings without effect, unless they say what holds anyway',
      'hr',
      connector({ producerBufferSize: 200, poolConfigOption: { maxObjects: 10, maxIdle: 5 } }),
      [
        ':8:3 /producerBufferSize: warning: this setting has no effect: results are read in pages',
        ':11:5 /poolConfigOption/maxIdle: warning: this setting has no effect: connectors run in this process and need ' +
          'no pool',
      ],
    ],
    [
      'has only warnings while it is switched off',
      'hr',
      { enabled: false, connectorRef: { connectorName: 'org.example.Ldap', bundleName: '&{nothing}' } },
      [
        ':4:22 /connectorRef/connectorName: warning: "org.example.Ldap" is not a connector that Syncline has; did you ' +
          'mean org.example.Csv? Allowed: org.example.Csv',
      ],
    ],
  ])('%s', async (_, name, content, problems) => {
    const file = `conf/provisioner.openicf-${name}.json`
    const found = await problemsOf({ [file]: content }, { connectorSchemas })
    expect(found.map((problem) => problem.replace(file, ''))).toEqual(problems)
  })

  it('is switched on and off by a property', async () => {
    await using project = await temporaryProject({
      'conf/provisioner.openicf-hr.json': connector({ enabled: '&{hr.enabled|true}' }),
    })
    for (const [environment, enabled] of [
      [{}, true],
      [{ HR_ENABLED: 'false' }, false],
    ] as const) {
      const { connectors } = await project.read({ environment })
      expect(connectors.map((each) => [isEnabled(each), each.content.enabled])).toEqual([[enabled, enabled]])
    }
    const { problems } = await project.read({ environment: { HR_ENABLED: 'maybe' } })
    expect(problems.map(({ message }) => message)).toEqual([
      'expected true or false, found the value of &{hr.enabled|true}',
    ])
  })

  it('that is broken or has a name taken is left out; the others stay', async () => {
    await using project = await temporaryProject({
      'conf/provisioner.openicf-a.json': connector({ enabled: 'yes' }),
      'conf/provisioner.openicf-b.json': connector({ name: 'c' }),
      'conf/provisioner.openicf-c.json': connector({}),
      'conf/provisioner.openicf-off.json': connector({ enabled: false, objectTypes: [] }),
    })
    const { connectors } = await project.read()
    expect(connectors.map((each) => [each.name, isEnabled(each), each.document.id])).toEqual([
      ['c', true, 'provisioner.openicf/b'],
      ['off', false, 'provisioner.openicf/off'],
    ])
  })

  it('that is wrong does not make the mappings wrong that use it', async () => {
    await using project = await temporaryProject({
      'conf/managed.json': sound['conf/managed.json'],
      'conf/provisioner.openicf-hr.json': { enabled: 1, ...sound['conf/provisioner.openicf-hr.json'] },
      'conf/sync.json': { mappings: [mapping('a')] },
    })
    const { problems, mappings } = await project.read()
    expect(problems.map(({ pointer }) => pointer)).toEqual(['/enabled'])
    expect(mappings).toHaveLength(1)
  })

  it('never shows the value of a property in a message', async () => {
    const content = connector({ objectTypes: '&{hidden}' })
    const problems = await problemsOf(
      { 'conf/provisioner.openicf-hr.json': content },
      { environment: { HIDDEN: 'p4ss' } },
    )
    expect(problems).toEqual([
      'conf/provisioner.openicf-hr.json:8:18 /objectTypes: expected an object, found the value of &{hidden}',
    ])
  })
})

describe('managed objects', () => {
  it('are checked one by one', async () => {
    const type = (name: string, properties: object = {}) => ({ name, schema: { properties } })
    await using project = await temporaryProject({
      'conf/managed.json': {
        objects: [
          type('good', { mails: { type: 'array', items: { type: ['string', 'null'], pattern: '^.+@' } } }),
          type('pattern', { a: { pattern: '(' } }),
          type('nested', { a: { type: 'object', properties: { b: { type: 'strng' } } } }),
          type('both', { a: { encryption: { key: 'k' }, secureHash: { algorithm: 'SHA-256' } } }),
          type('good'),
          { schema: {} },
        ],
      },
    })
    const { managedObjects, problems } = await project.read()
    expect(managedObjects.map(({ name }) => name)).toEqual(['good'])
    expect(problems.map(({ pointer, message }) => `${pointer}: ${message}`)).toEqual([
      expect.stringMatching(
        /^\/objects\/1\/schema\/properties\/a\/pattern: "\(" is not a regular expression: /,
      ),
      expect.stringMatching(
        /^\/objects\/2\/schema\/properties\/a\/properties\/b\/type: "strng" is not a type; did you mean string\?/,
      ),
      '/objects/3/schema/properties/a/secureHash: encryption and secureHash exclude each other; remove one of them',
      '/objects/4/name: the managed object name "good" is taken by conf/managed.json:3; choose another',
      '/objects/5/name: the required property name is missing; add it (a string)',
    ])
  })
})

describe('a file that is not read', () => {
  it.each([
    ['snyc.json', 'conf/sync.json'],
    ['Managed.json', 'conf/managed.json'],
    ['mappings-x.json', 'conf/mapping-x.json'],
    ['provisioner-hr.json', 'conf/provisioner.openicf-hr.json'],
    ['provisioner.opencif-hr.json', 'conf/provisioner.openicf-hr.json'],
  ])('%s is a warning that names %s', async (file, meant) => {
    expect(await problemsOf({ [`conf/${file}`]: {} })).toEqual([
      `conf/${file}:1:1: warning: nothing reads a file of this name; did you mean ${meant}?`,
    ])
  })

  it.each([
    ['metrics.json', 'no measurements are published'],
    ['identityProvider-google.json', 'there is no social login'],
  ])('that PingIDM reads, %s, is a warning that says what does not happen', async (file, consequence) => {
    expect(await problemsOf({ [`conf/${file}`]: { enabled: true } })).toEqual([
      `conf/${file}:1:1: warning: nothing reads this file: ${consequence}`,
    ])
    expect(await problemsOf({ [`conf/${file}`]: { enabled: false } })).toEqual([])
  })

  it('and looks like nothing known is left alone', async () => {
    expect(await problemsOf({ 'conf/ui-themeconfig.json': {}, 'conf/my.json': {} })).toEqual([])
  })
})

describe('a folder that is no project', () => {
  it.each<[string, Record<string, string>]>([
    ['without conf', { 'data/x.csv': '' }],
    ['with a conf without configuration', { 'conf/readme.txt': '' }],
  ])('%s is refused with the way out', async (_, files) => {
    await using project = await temporaryProject(files)
    await expect(project.read()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/is not a Syncline project: its? /),
      hint: expect.stringContaining('`syncline init`'),
    })
  })
})
