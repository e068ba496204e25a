import { configurationSchema as tableSchema } from '../sql/settings-schema.ts'
import { hooks } from './settings.ts'

/** JSON Schemas of `configurationProperties` (platform §5.4). Every property of the Java connectors is known here. */
const without = (reason: string, type = 'string') => ({
  type,
  description: 'Of Groovy.',
  'x-noEffect': reason,
})
const ofGroovy = 'scripts are JavaScript, and a changed file is loaded again by itself'

const withoutIt: Readonly<Record<string, string>> = {
  customizer: 'nothing runs before the other scripts.',
  schema: 'nothing is known of the attributes but what objectTypes declares.',
  test: 'a connection is tested.',
  scriptOnResource: 'the script of a call runs itself.',
}

const scripted = {
  ...Object.fromEntries(
    Object.entries(hooks).map(([hook, setting]) => [
      setting,
      {
        type: 'string',
        description: `The file of the ${hook} script. Empty: ${withoutIt[hook] ?? 'the operation is not offered.'}`,
        default: '',
      },
    ]),
  ),
  scriptRoots: {
    type: 'array',
    items: { type: 'string' },
    description: 'The folders in which the files are looked for, within the project.',
  },
  customConfiguration: {
    type: 'string',
    description:
      "What scripts get as `configuration.propertyBag`: JSON, or blocks such as `kadmin { cmd = '…' }`.",
    default: '',
  },
  customSensitiveConfiguration: {
    type: 'string',
    description: 'The same for what must not be shown: it is in no log and in no error.',
    default: '',
    writeOnly: true,
  },
  classpath: { ...without(ofGroovy, 'array') },
  scriptExtensions: without(ofGroovy, 'array'),
  sourceEncoding: without('files are UTF-8'),
  targetDirectory: without(ofGroovy),
  scriptBaseClass: without(ofGroovy),
  debug: without(ofGroovy, 'boolean'),
  verbose: without(ofGroovy, 'boolean'),
  warningLevel: without(ofGroovy, 'integer'),
  tolerance: without(ofGroovy, 'integer'),
  disabledGlobalASTTransformations: without(ofGroovy, 'array'),
  recompileGroovySource: without(ofGroovy, 'boolean'),
  minimumRecompilationInterval: without(ofGroovy, 'integer'),
  reloadScriptOnExecution: without(ofGroovy, 'boolean'),
  scriptingLanguage: without(ofGroovy),
  clearTextPasswordToScript: without('passwords come to scripts as texts', 'boolean'),
}

const ofTheDatabase = [
  'user',
  'username',
  'password',
  'host',
  'port',
  'database',
  'jdbcDriver',
  'driverClassName',
  'jdbcUrlTemplate',
  'url',
  'datasource',
  'jndiProperties',
  'validConnectionQuery',
  'validationQuery',
  'maxActive',
  'minIdle',
  'maxWait',
  'minEvictableIdleTimeMillis',
  'maxIdle',
  'initialSize',
  'testOnBorrow',
  'testOnReturn',
  'testWhileIdle',
  'validationInterval',
  'timeBetweenEvictionRunsMillis',
  'removeAbandoned',
  'removeAbandonedTimeout',
  'logAbandoned',
  'maxAge',
  'jmxEnabled',
  'jdbcInterceptors',
] as const satisfies readonly (keyof typeof tableSchema.properties)[]

const ofJava = 'each operation that writes is one transaction'

export const plainSchema = { type: 'object', required: [], properties: scripted }
export const sqlSchema = {
  type: 'object',
  required: [],
  properties: {
    ...scripted,
    ...Object.fromEntries(ofTheDatabase.map((name) => [name, tableSchema.properties[name]])),
    autoCommit: without(ofJava, 'boolean'),
    defaultAutoCommit: without(ofJava, 'boolean'),
  },
}
