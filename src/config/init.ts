/**
 * A new project: small, complete and runnable, so that the first thing a person does works. Three people in a CSV
 * file become managed users.
 */
import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { JsonSchema } from './check/schema.ts'
import { jsonText } from './json-text.ts'
import { type Kind, kinds, standaloneSchema } from './schemas/kinds.ts'

/**
 * Writes the project and returns its files, relative to the folder. Writes nothing if one of them exists.
 * `connectors`: schemas of their settings, for editors.
 */
export async function writeNewProject(
  folder: string,
  connectors: Readonly<Record<string, JsonSchema>> = {},
): Promise<readonly string[]> {
  const files = newProject(connectors)
  const taken = await existing(folder, Object.keys(files))
  if (taken.length > 0) {
    const message = `${resolve(folder)} has these files already: ${taken.join(', ')}`
    const hint = 'Choose an empty folder, or move these files. Nothing was written.'
    throw new Problem('CONFIGURATION', message, { detail: { files: taken }, hint })
  }
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    // `wx` refuses a file that has appeared since the check.
    await writeFile(join(folder, file), text, { flag: 'wx' })
  }
  return Object.keys(files)
}

async function existing(folder: string, files: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    files.map((file) =>
      access(join(folder, file)).then(
        () => true,
        () => false,
      ),
    ),
  )
  return files.filter((_, index) => found[index])
}

/** The text of every file. The schemas are included so that editors complete and explain without a network. */
function newProject(connectors: Readonly<Record<string, JsonSchema>>): Readonly<Record<string, string>> {
  return {
    'conf/sync.json': configuration('sync', sync),
    'conf/managed.json': configuration('managed', managed),
    'conf/provisioner.openicf-hr.json': configuration('provisioner', provisioner),
    'data/hr.csv': people,
    'script/displayName.js': displayName,
    'README.md': readme,
    '.gitignore': '.syncline/\n',
    ...Object.fromEntries(
      kinds.map((kind) => [`schemas/${kind}.json`, jsonText(standaloneSchema(kind, connectors))]),
    ),
  }
}

function configuration(kind: Kind, content: JsonObject): string {
  return jsonText({ $schema: `../schemas/${kind}.json`, ...content })
}

const sync: JsonObject = {
  mappings: [
    {
      name: 'hrAccount_managedUser',
      source: 'system/hr/account',
      target: 'managed/user',
      correlationQuery: [
        {
          linkQualifier: 'default',
          type: 'text/javascript',
          file: 'ui/correlateTreeToQueryFilter.js',
          mapping: 'hrAccount_managedUser',
          expressionTree: { any: ['userName'] },
        },
      ],
      properties: [
        { source: 'uid', target: 'userName' },
        { source: 'firstName', target: 'givenName' },
        { source: 'lastName', target: 'sn' },
        { source: 'email', target: 'mail' },
        { source: 'employeeNumber', target: 'employeeNumber' },
        {
          source: '',
          target: 'displayName',
          transform: { type: 'text/javascript', file: 'script/displayName.js' },
        },
      ],
      policies: [
        { situation: 'ABSENT', action: 'CREATE' },
        { situation: 'FOUND', action: 'UPDATE' },
        { situation: 'CONFIRMED', action: 'UPDATE' },
        { situation: 'AMBIGUOUS', action: 'EXCEPTION' },
        { situation: 'MISSING', action: 'CREATE' },
        { situation: 'SOURCE_MISSING', action: 'DELETE' },
        { situation: 'UNASSIGNED', action: 'REPORT' },
      ],
    },
  ],
}

const managed: JsonObject = {
  objects: [
    {
      name: 'user',
      schema: {
        title: 'User',
        type: 'object',
        properties: {
          userName: {
            title: 'User name',
            type: 'string',
            searchable: true,
            policies: [{ policyId: 'unique' }],
          },
          givenName: { title: 'First name', type: 'string', searchable: true },
          sn: { title: 'Last name', type: 'string', searchable: true },
          displayName: { title: 'Display name', type: 'string' },
          mail: {
            title: 'Mail',
            type: ['string', 'null'],
            policies: [{ policyId: 'valid-email-address-format' }],
          },
          employeeNumber: { title: 'Employee number', type: ['string', 'null'] },
        },
        required: ['userName', 'givenName', 'sn'],
        order: ['userName', 'givenName', 'sn', 'displayName', 'mail', 'employeeNumber'],
      },
    },
  ],
}

const provisioner: JsonObject = {
  name: 'hr',
  displayName: 'HR export',
  enabled: true,
  connectorRef: {
    connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
    bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
    bundleVersion: '[1.4,2)',
  },
  configurationProperties: {
    csvFile: '&{hr.file|&{launcher.project.location}/data/hr.csv}',
    headerUid: 'uid',
  },
  objectTypes: {
    account: {
      $schema: 'http://json-schema.org/draft-03/schema',
      id: '__ACCOUNT__',
      type: 'object',
      nativeType: '__ACCOUNT__',
      properties: {
        uid: { type: 'string', nativeName: '__NAME__', required: true },
        firstName: { type: 'string' },
        lastName: { type: 'string' },
        email: { type: 'string' },
        employeeNumber: { type: 'string' },
      },
    },
  },
}

const people = `uid,firstName,lastName,email,employeeNumber
bjensen,Barbara,Jensen,bjensen@example.com,123456
scarter,Steven,Carter,scarter@example.com,234567
jdoe,Jane,Doe,jdoe@example.com,654321
`

const displayName = `// The transform of displayName: \`source\` is the whole person, because the property has "source": "".
// The value of a script is the value of its last expression.
\`\${source.firstName} \${source.lastName}\`
`

const readme = `# A Syncline project

Three people in an HR export (\`data/hr.csv\`) become managed users.

| | |
|---|---|
| \`conf/provisioner.openicf-hr.json\` | the connector: how the HR export is read |
| \`conf/managed.json\` | the users that Syncline keeps |
| \`conf/sync.json\` | the mapping: how people become users |
| \`script/displayName.js\` | a script that the mapping uses |
| \`schemas/\` | lets your editor complete and explain the files of \`conf/\` |

\`\`\`
npx syncline check                          # is the configuration right?
npx syncline plan hrAccount_managedUser     # what would happen?
npx syncline recon hrAccount_managedUser    # make it happen
npx syncline query managed/user             # look at the result
\`\`\`

Change a name in \`data/hr.csv\`, remove a line, and plan again. What Syncline remembers is in \`.syncline/\`;
another export is used with \`HR_FILE=/path/to/export.csv\`.
`
