import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { ResourceAction } from '../../router/resources.ts'
import { offers } from '../kit/connector.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import type { AttributeType, NativeAttribute } from '../kit/schema.ts'
import { kindFor } from './kinds.ts'
import { openSystem, type System, type SystemEnvironment, settingsOf } from './open-system.ts'
import { RecordedSteps, resultOf, type TestResult } from './test-steps.ts'

/** The actions on `system` (platform §4.6): tests, and the steps of configuring a new system. */
type SystemAction = (
  systems: ReadonlyMap<string, System>,
  environment: SystemEnvironment,
  action: ResourceAction,
) => Promise<Json>

export const systemActions: Readonly<Record<string, SystemAction>> = {
  async test(systems, _, { parameters: { id } }) {
    const asked = [...systems.values()].filter(({ name }) => id === undefined || name === id)
    if (id !== undefined && asked.length === 0) throw new Problem('NOT_FOUND', `There is no system ${id}`)
    return Promise.all(asked.map(testReport))
  },

  async availableConnectors(_, { kinds }) {
    return { connectorRef: kinds.map(referenceTo) }
  },

  async createCoreConfig(_, { kinds }, { content }) {
    return coreConfiguration(kindFor(bodyOf(content).connectorRef, kinds))
  },

  async createFullConfig(_, environment, { content }) {
    const core = coreConfiguration(kindFor(bodyOf(content).connectorRef, environment.kinds))
    const configuration = { name: 'draft', ...core, ...bodyOf(content) }
    await using system = await openSystem(expanded(configuration, environment), environment)
    const { error } = await system.test()
    if (error) throw error
    return { ...core, ...bodyOf(content), objectTypes: await declaredTypes(system), operationOptions: {} }
  },

  async testConfig(_, environment, { content }) {
    const { name } = bodyOf(content)
    if (typeof name !== 'string')
      throw new Problem('BAD_REQUEST', 'testConfig needs the complete configuration with a name')
    try {
      await using system = await openSystem(expanded(bodyOf(content), environment), environment)
      return { name, ...resultOf(await system.test()) }
    } catch (error) {
      return { name, ...resultOf(unusable(error)) }
    }
  },
}

/** As files are when they are read: the answer has the placeholders, the connector what they stand for. */
function expanded(configuration: JsonObject, { expand }: SystemEnvironment): JsonObject {
  return expand ? expand(configuration) : configuration
}

/** The state of one system, tested now. */
export async function testReport(system: System): Promise<JsonObject> {
  const { name, configuration, objects, connector } = system
  return {
    name,
    enabled: configuration.enabled !== false,
    config: `config/provisioner.openicf/${name}`,
    objectTypes: ['__ALL__', ...objects.keys()],
    connectorRef: configuration.connectorRef ?? null,
    displayName: connector.displayName,
    ...resultOf(await system.test()),
  }
}

/** Of a configuration from which no connector can be made. */
function unusable(error: unknown): TestResult {
  const steps = new RecordedSteps(() => performance.now())
  steps.enter('settings')
  return steps.end(asProblem(error))
}

function bodyOf(content: Json): JsonObject {
  if (isJsonObject(content)) return content
  throw new Problem('BAD_REQUEST', 'The action needs a JSON object as body')
}

function referenceTo({ connectorName, displayName, bundleName, bundleVersion }: ConnectorKind): JsonObject {
  return { connectorName, displayName, bundleName, bundleVersion, systemType: 'provisioner.openicf' }
}

const operations = ['CREATE', 'UPDATE', 'DELETE', 'GET', 'SEARCH', 'AUTHENTICATE', 'TEST', 'SCHEMA', 'SYNC']

function coreConfiguration(kind: ConnectorKind): JsonObject {
  return {
    connectorRef: referenceTo(kind),
    poolConfigOption: {
      maxObjects: 10,
      maxIdle: 10,
      maxWait: 150000,
      minEvictableIdleTimeMillis: 120000,
      minIdle: 1,
    },
    resultsHandlerConfig: {
      enableNormalizingResultsHandler: true,
      enableFilteredResultsHandler: true,
      enableCaseInsensitiveFilter: false,
      enableAttributesToGetSearchResultsHandler: true,
    },
    operationTimeout: Object.fromEntries(operations.map((name) => [name, -1])),
    configurationProperties: defaultsOf(kind),
  }
}

function defaultsOf(kind: ConnectorKind): JsonObject {
  const properties = Object.entries(settingsOf(kind).properties)
  return Object.fromEntries(properties.map(([name, property]) => [name, asObject(property).default ?? null]))
}

async function declaredTypes({ connector }: System): Promise<JsonObject> {
  if (!offers(connector, 'schema')) return {}
  const classes = Object.entries(await connector.schema())
  return Object.fromEntries(
    classes.map(([objectClass, { attributes }]) => [
      typeName(objectClass),
      {
        $schema: 'http://json-schema.org/draft-03/schema',
        id: objectClass,
        type: 'object',
        nativeType: objectClass,
        properties: Object.fromEntries(
          attributes.map((attribute) => [attribute.name, declarationOf(attribute)]),
        ),
      },
    ]),
  )
}

/** `__ACCOUNT__` is called `account`. */
function typeName(objectClass: string): string {
  return /^__.+__$/.test(objectClass) ? objectClass.slice(2, -2).toLowerCase() : objectClass
}

function declarationOf(attribute: NativeAttribute): JsonObject {
  const { name, type, multivalued, required } = attribute
  const element = { type: jsonType(type), nativeType: nativeTypes[type] ?? type }
  const shape = multivalued ? { type: 'array', items: element } : element
  const flags = [
    ...(attribute.creatable === false ? ['NOT_CREATABLE'] : []),
    ...(attribute.updateable === false ? ['NOT_UPDATEABLE'] : []),
    ...(attribute.readable === false ? ['NOT_READABLE'] : []),
    ...(attribute.returnedByDefault === false ? ['NOT_RETURNED_BY_DEFAULT'] : []),
  ]
  return { ...shape, nativeName: name, ...(required && { required }), ...(flags.length > 0 && { flags }) }
}

const nativeTypes: Partial<Record<AttributeType, string>> = {
  bytes: 'JAVA_TYPE_BYTE_ARRAY',
  date: 'JAVA_TYPE_DATE',
}

function jsonType(type: AttributeType): string {
  return type === 'bytes' || type === 'date' ? 'string' : type
}
