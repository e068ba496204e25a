/** The schema of `provisioner.openicf-<name>.json`, one connector (platform §4.1–§4.3). */
import Type, { type TSchema } from 'typebox'
import {
  anyObject,
  choice,
  dictionary,
  flag,
  list,
  object,
  ref,
  required,
  shape,
  text,
  texts,
  whole,
  withoutEffect,
} from './author.ts'

const operations = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'GET',
  'SEARCH',
  'SYNC',
  'AUTHENTICATE',
  'RESOLVEUSERNAME',
  'TEST',
  'VALIDATE',
  'SCHEMA',
  'SCRIPT_ON_CONNECTOR',
  'SCRIPT_ON_RESOURCE',
] as const

const javaTypes = (
  'BIGDECIMAL BIGINTEGER BOOLEAN BYTE BYTE_ARRAY CHAR CHARACTER DATE DOUBLE FILE FLOAT GUARDEDSTRING GUARDEDBYTEARRAY ' +
  'INT LONG NAME UID URI OBJECTCLASS QUALIFIEDUID SCRIPT'
)
  .split(' ')
  .map((name) => `JAVA_TYPE_${name}`)
const primitiveTypes = 'BOOLEAN BYTE CHAR DOUBLE FLOAT INT LONG'
  .split(' ')
  .map((name) => `JAVA_TYPE_PRIMITIVE_${name}`)
const jsonTypes = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'any']
const types = [...jsonTypes, ...javaTypes, ...primitiveTypes]

function eachOperation(make: (operation: string) => TSchema): Record<string, TSchema> {
  return Object.fromEntries(operations.map((operation) => [operation, make(operation)]))
}

function rate(what: string): TSchema {
  return Type.Optional(
    Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.String()], {
      description: `${what}: \`30/sec\`, \`100/min\`, \`5000/hour\`, or a number, in a second.`,
    }),
  )
}

const noPool = withoutEffect('connectors run in this process and need no pool')
const paged = withoutEffect('results are read in pages')

export const provisionerDefinitions: Readonly<Record<string, TSchema>> = {
  connectorProperty: Type.Object(
    {
      type: choice('a type', types, 'The type of values; `array` makes the property multi-valued.'),
      nativeName: text('The name of the attribute at the system. Default: the name of the property.'),
      nativeType: choice('a native type', types, 'The type at the system. Default: from `type`.', {
        'x-lenient': true,
      }),
      items: object(
        {
          type: choice('a type', types, 'The type of elements.'),
          nativeType: choice('a native type', types, 'Their type at the system.', { 'x-lenient': true }),
        },
        'The elements of an array.',
      ),
      required: flag('Must have a value on create.', false),
      flags: list(
        required(
          choice(
            'a flag',
            ['NOT_CREATABLE', 'NOT_UPDATEABLE', 'NOT_READABLE', 'NOT_RETURNED_BY_DEFAULT', 'MULTIVALUED'],
            'A flag.',
            { 'x-lenient': true },
          ),
        ),
        '`NOT_CREATABLE`, `NOT_UPDATEABLE`: not sent; `NOT_READABLE`: never returned; `NOT_RETURNED_BY_DEFAULT`: only ' +
          'if named in `_fields`; `MULTIVALUED`: has several values.',
        { default: [] },
      ),
      key: text('The alias of the key that encrypts the value on read.'),
      cipher: text('The cipher that encrypts the value on read.'),
      runAsUser: flag("Written in the user's own name.", false),
    },
    { title: 'Connector property', description: 'A property of the objects of a system.' },
  ),
  objectType: Type.Object(
    {
      $schema: text('The schema language.', { default: 'http://json-schema.org/draft-03/schema' }),
      id: text('The id of the schema; usually the native type.'),
      type: text('Always `object`.', { default: 'object' }),
      nativeType: required(text('The object class at the connector, e.g. `__ACCOUNT__` or `__GROUP__`.')),
      properties: dictionary(ref('connectorProperty'), 'The properties, by name.'),
    },
    { title: 'Object type', description: 'A type of objects of a system.', 'x-rule': 'objectType' },
  ),
  operationOption: Type.Object(
    {
      denied: flag('Refuse the operation.', false),
      onDeny: choice(
        'a way to deny',
        ['THROW_EXCEPTION', 'DO_NOTHING'],
        '`THROW_EXCEPTION`: 403; `DO_NOTHING`: succeed without doing anything.',
        { default: 'THROW_EXCEPTION' },
      ),
      supportedObjectTypes: texts('Object types that the setting is for. Default: all.'),
      operationOptionInfo: anyObject('Options that the operation takes; information only.'),
      objectFeatures: dictionary(ref('operationOption'), 'The same settings for single object types.'),
    },
    { title: 'Operation option', description: 'What an operation may do.' },
  ),
}

export const provisionerSchema = Type.Object(
  {
    name: text(
      'The name of the system in `system/<name>`: letters and digits. Default: from the file name.',
      {
        pattern: '^[A-Za-z0-9]+$',
        'x-noun': 'a system name (letters and digits only)',
      },
    ),
    displayName: text('A name for people.'),
    enabled: flag('False: the system is not available, and errors in its file are only warnings.', true),
    connectorRef: required(
      object(
        {
          connectorName: required(
            text('Which connector, e.g. `org.forgerock.openicf.csvfile.CSVFileConnector`.'),
          ),
          bundleName: text('The bundle that holds it.'),
          bundleVersion: text('Its version, or a range such as `[1.4,2)`.'),
          connectorHostRef: text('Where it runs.', { default: '#LOCAL' }),
          systemType: text('The kind of configuration.', { default: 'provisioner.openicf' }),
          displayName: text('A name for people.'),
        },
        'The connector that reaches the system.',
      ),
    ),
    configurationProperties: anyObject('The settings of the connector.', { default: {} }),
    objectTypes: dictionary(ref('objectType'), 'The types of objects, by name.', {
      default: {},
    }),
    operationOptions: object(
      eachOperation((operation) => shape('operationOption', `What ${operation} may do.`)),
      'What operations may do.',
      { default: {} },
    ),
    operationTimeout: object(
      eachOperation((operation) =>
        whole(`Milliseconds that ${operation} may take; -1: no limit.`, -1, { minimum: -1 }),
      ),
      'How long operations may take.',
    ),
    operationRateLimits: object(
      eachOperation((operation) => rate(`How often ${operation} may happen`)),
      'How often operations may happen.',
    ),
    resilience: object(
      {
        retries: whole(
          'How often a call is tried again after a failure that may pass; a write only where a look at the system shows that it is not done.',
          undefined,
          { minimum: 0 },
        ),
        firstDelay: whole('Milliseconds before it is tried again; longer each time.', 500, { minimum: 1 }),
        longestDelay: whole('Milliseconds that it waits at most.', 30000, { minimum: 1 }),
        breakAfter: whole(
          'So many failures of the connection in a row, and the system is not asked for a while; 0: it always is.',
          undefined,
          { minimum: 0 },
        ),
        breakFor: whole('For how many milliseconds it is not asked.', 30000, { minimum: 1 }),
        readRateLimit: rate('How often the system is read'),
        writeRateLimit: rate('How often it is written; each object of a page counts'),
        concurrency: whole('So many calls at a time. Absent: no limit.', undefined, { minimum: 1 }),
        writesAtOnce: whole(
          'So many objects of a page are written at a time; the writes of one object keep their order.',
          1,
          { minimum: 1 },
        ),
      },
      'What happens when the system does not answer. `retries` and `breakAfter` are 0 unless the connector says otherwise.',
    ),
    resultsHandlerConfig: object(
      {
        enableNormalizingResultsHandler: flag('Normalize results.', true),
        enableFilteredResultsHandler: flag('Filter results again after the connector.', true),
        enableCaseInsensitiveFilter: flag('That filter ignores letter case.', false),
        enableAttributesToGetSearchResultsHandler: flag('Drop attributes that were not requested.', true),
      },
      'Filters after the connector.',
    ),
    poolConfigOption: object(
      {
        maxObjects: whole('The maximum number of instances.', 10, { minimum: 1, ...noPool }),
        maxIdle: whole('The maximum number of idle instances.', 10, { minimum: 0, ...noPool }),
        maxWait: whole('Milliseconds to wait for an instance.', 150000, { minimum: -1, ...noPool }),
        minEvictableIdleTimeMillis: whole('Milliseconds until an idle instance is closed.', 120000, {
          minimum: -1,
          ...noPool,
        }),
        minIdle: whole('The minimum number of idle instances.', 1, { minimum: 0, ...noPool }),
      },
      'The connector pool of OpenIDM.',
      { 'x-rule': 'pool' },
    ),
    producerBufferSize: whole('The result buffer of OpenIDM.', 100, {
      minimum: 1,
      ...paged,
    }),
    bufferSize: whole('The same as `producerBufferSize`.', 100, {
      minimum: 1,
      ...paged,
    }),
    connectorPoolingSupported: flag('Information only.'),
    excludeUnmodified: flag('Send only changed attributes on update.', false),
    syncFailureHandler: shape('syncFailureHandler', 'What liveSync does with a change that fails.'),
    systemActions: list(
      Type.Object({
        scriptId: required(text('The name of the action.')),
        actions: list(
          Type.Object({
            systemType: text('A regular expression over the kind of connector.', { format: 'regex' }),
            actionType: text('The language of the action.'),
            actionSource: text('The code.'),
            actionFile: text('A file with the code.'),
          }),
          'The code for each kind of connector.',
        ),
      }),
      'Scripts that run on the system.',
      { default: [] },
    ),
  },
  {
    title: 'Connector',
    description: '`conf/provisioner.openicf-<name>.json`: one system and the connector to it.',
  },
)
