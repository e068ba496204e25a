import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { ResourceAction } from '../../router/resources.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import { kindFor } from './kinds.ts'
import { openSystem, type System, type SystemEnvironment, settingsOf } from './open-system.ts'
import { formAnswer } from './settings-form.ts'
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
    const kind = kindFor(bodyOf(content).connectorRef, kinds)
    return { ...coreConfiguration(kind), configurationSchema: formAnswer(kind) }
  },

  async createFullConfig(_, environment, { content }) {
    const { seal = asItIs } = environment
    const given = bodyOf(content)
    const core = coreConfiguration(kindFor(given.connectorRef, environment.kinds))
    const configuration = { name: 'draft', ...core, ...given }
    await using system = await openSystem(expanded(configuration, environment), environment)
    const { steps, error } = await system.test()
    // What a test finds, such as a row that cannot be read, does not keep the rest from being described.
    const { objectTypes, findings, suggestions, recommended } = await system
      .discover()
      .catch((thrown: unknown) => {
        throw error ?? thrown
      })
    const listed = Object.fromEntries(
      Object.entries(suggestions).map(([name, values]) => [name, [...values]]),
    )
    return {
      ...core,
      ...(await seal(given)),
      objectTypes,
      operationOptions: {},
      discovery: {
        ...resultOf({ steps, ...(error && { error }) }),
        findings: findings.map((finding): Json => ({ ...finding })),
        suggestions: listed,
        recommended,
      },
    }
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

async function asItIs(configuration: JsonObject): Promise<JsonObject> {
  return configuration
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

/** Without what answers of the actions add for people. */
function bodyOf(content: Json): JsonObject {
  if (isJsonObject(content)) {
    const { configurationSchema: _, discovery: __, ...configuration } = content
    return configuration
  }
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
