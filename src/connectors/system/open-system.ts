import { join } from 'node:path'
import type { Finding } from '../../model/finding.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext, ResourceAction } from '../../router/resources.ts'
import { type Connector, offers } from '../kit/connector.ts'
import { misconfigured } from '../kit/errors.ts'
import { systemClock } from '../kit/host.ts'
import { type ConnectorHost, type ConnectorKind, defaultPool, type PoolLimits } from '../kit/kind.ts'
import { Calls } from './calls.ts'
import { type Discovered, discoverSystem } from './discovery.ts'
import { kindFor, versionWarning } from './kinds.ts'
import { objectTypesOf } from './object-type.ts'
import { ratesOf } from './pace.ts'
import { scriptAction } from './script-action.ts'
import { type SystemObjects, systemObjects } from './system-objects.ts'
import type { TestResult } from './test-steps.ts'
import { testSystem } from './test-system.ts'
import type { SystemFacts } from './type-access.ts'

/** One configured system: a connector, and its object types in the configuration's names. */
export interface System extends AsyncDisposable {
  readonly name: string
  readonly connector: Connector
  readonly configuration: JsonObject
  readonly objects: ReadonlyMap<string, SystemObjects>
  /** Settings that are accepted without effect, or with an unexpected one. */
  readonly warnings: readonly Finding[]
  /** Whether the system can be used as configured, step by step. */
  test(): Promise<TestResult>
  /** What the system has, for a configuration that is being made. */
  discover(): Promise<Discovered>
  /** Runs scripts of `systemActions`. */
  script(action: ResourceAction): Promise<Json>
}

export interface SystemEnvironment {
  readonly kinds: readonly ConnectorKind[]
  readonly projectFolder: string
  /** Each system may keep files in a folder below it; absent: none may. */
  readonly dataFolder?: string
  readonly decrypt: SystemFacts['decrypt']
  /** Synchronizes the changes of a system since the last time; absent: synchronization is not possible here. */
  readonly liveSync?: (
    request: {
      readonly source: string
      readonly detailedFailure: boolean
      readonly fromBeginning: boolean
      readonly overrides: JsonObject
    },
    context: RequestContext,
  ) => Promise<Json>
  /** Replaces placeholders in a configuration that comes with a request; absent: there are none. */
  readonly expand?: (configuration: JsonObject) => JsonObject
  /** Absent: systems whose operations are scripts cannot be opened here. */
  readonly scripts?: ConnectorHost['scripts']
  /** Encrypts the secrets of a configuration that is answered; absent: there are none. */
  readonly seal?: (configuration: JsonObject) => Promise<JsonObject>
  /** Called for operations that `onDeny: DO_NOTHING` skipped. */
  readonly log?: (message: string) => void
}

/**
 * Builds the system of a `provisioner.openicf/{name}` document (platform §4.1). CONFIGURATION for an
 * unknown connector, a missing or wrong setting. Does not connect to the system: `test` does.
 */
export async function openSystem(configuration: JsonObject, environment: SystemEnvironment): Promise<System> {
  const { name } = configuration
  if (typeof name !== 'string' || !/^[A-Za-z0-9]+$/.test(name)) {
    throw misconfigured(['name'], `${JSON.stringify(name)} is no system name; use letters and digits`)
  }
  const kind = kindFor(configuration.connectorRef, environment.kinds)
  // Secrets in the settings are plaintext only from here on.
  const settings = asObject(await environment.decrypt(configuration.configurationProperties ?? {}))
  requireSettings(settings, kind)
  const closed = new AbortController()
  const { decrypt, log = ignore } = environment
  const host = hostOf(name, configuration, environment, closed.signal)
  await kind.check?.(settings, host)
  const connector = kind.create(settings, host)
  const calls = new Calls({
    ...kind.resilience,
    ...numbersIn(configuration.resilience),
    rates: ratesOf(configuration),
  })
  const facts: SystemFacts = { system: name, connector, configuration, decrypt, calls, log }
  const types = objectTypesOf(configuration, connector)
  return {
    name,
    connector,
    configuration,
    objects: new Map(Array.from(types, ([typeName, type]) => [typeName, systemObjects(facts, type)])),
    warnings: [
      ...versionWarning(configuration.connectorRef, kind),
      ...unknownSettings(settings, kind),
      ...withoutEffect(configuration, connector),
    ],
    test: () => testSystem({ system: name, connector, configuration, types, calls }),
    discover: () => discoverSystem({ system: name, connector, configuration, calls }),
    script: (action) => {
      const read = environment.scripts?.read ?? (() => undefined)
      return scriptAction({ system: name, connector, configuration, calls, read }, action)
    },
    async [Symbol.asyncDispose]() {
      closed.abort(new Problem('UNAVAILABLE', `The system ${name} has been closed`))
      await connector[Symbol.asyncDispose]()
    },
  }
}

function ignore(): void {}

function hostOf(
  system: string,
  { poolConfigOption }: JsonObject,
  { projectFolder, dataFolder, scripts, log = ignore }: SystemEnvironment,
  signal: AbortSignal,
): ConnectorHost {
  return {
    projectFolder,
    log: (level, message) => log(`system ${system}: ${level === 'info' ? '' : `${level}: `}${message}`),
    clock: systemClock,
    signal,
    pool: poolLimitsOf(poolConfigOption),
    stateFolder: dataFolder === undefined ? undefined : join(dataFolder, 'systems', system),
    scripts,
  }
}

function poolLimitsOf(given: Json | undefined): PoolLimits {
  const {
    maxObjects: max = defaultPool.max,
    minIdle: min = defaultPool.min,
    minEvictableIdleTimeMillis = defaultPool.idleTime,
    maxWait = defaultPool.patience,
  } = numbersIn(given)
  const endless = (milliseconds: number) => (milliseconds < 0 ? Number.POSITIVE_INFINITY : milliseconds)
  return { max, min, idleTime: endless(minEvictableIdleTimeMillis), patience: endless(maxWait) }
}

/** The members that are numbers; others have no effect. */
function numbersIn(given: Json | undefined): Readonly<Record<string, number>> {
  const members = Object.entries(asObject(given))
  return Object.fromEntries(members.filter((one): one is [string, number] => typeof one[1] === 'number'))
}

/** The names of the settings that a kind of connector needs, and what it says about each setting. */
export function settingsOf({ configurationSchema }: ConnectorKind): {
  readonly required: readonly string[]
  readonly properties: JsonObject
} {
  const { required, properties } = asObject(configurationSchema)
  const names = Array.isArray(required) ? required : []
  return { required: names.filter((name) => typeof name === 'string'), properties: asObject(properties) }
}

function requireSettings(settings: JsonObject, kind: ConnectorKind): void {
  const missing = settingsOf(kind).required.filter((name) => (settings[name] ?? '') === '')
  if (missing.length === 0) return
  const fact = `lacks ${missing.join(', ')}, which the ${kind.displayName} needs`
  throw misconfigured(['configurationProperties'], fact)
}

function unknownSettings(settings: JsonObject, kind: ConnectorKind): readonly Finding[] {
  const { properties } = settingsOf(kind)
  const unknown = Object.keys(settings).filter((name) => !Object.hasOwn(properties, name))
  return unknown.map((name) => ({
    place: ['configurationProperties', name],
    message: `${name} is no setting of the ${kind.displayName}; it has no effect`,
  }))
}

type Ineffective = readonly [name: string, isSet: (value: Json | undefined) => boolean, fact: string]

const ineffective: readonly Ineffective[] = [
  ['excludeUnmodified', isSet, 'all attributes that are present are sent'],
]

const scriptsOnly: readonly Ineffective[] = [
  ['systemActions', isSet, 'scripts do not run at systems of this kind'],
]

const ineffectiveOfProperties: readonly Ineffective[] = [
  ['runAsUser', (value) => value === true, "writes are made as the system's account"],
  ['key', (value) => value !== undefined, 'the value cannot be encrypted on reading, and is not returned'],
]

function withoutEffect(configuration: JsonObject, connector: Connector): readonly Finding[] {
  const found = (settings: JsonObject, place: readonly string[], table: readonly Ineffective[]) =>
    table
      .filter(([name, isSet]) => isSet(settings[name]))
      .map(([name, _, fact]) => ({ place: [...place, name], message: `${name} has no effect: ${fact}` }))
  return [
    ...found(configuration, [], ineffective),
    ...(offers(connector, 'runScript') ? [] : found(configuration, [], scriptsOnly)),
    ...Object.entries(asObject(configuration.objectTypes)).flatMap(([type, declaration]) =>
      Object.entries(asObject(asObject(declaration).properties)).flatMap(([name, property]) =>
        found(asObject(property), ['objectTypes', type, 'properties', name], ineffectiveOfProperties),
      ),
    ),
  ]
}

function isSet(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isJsonObject(value) ? Object.keys(value).length > 0 : value === true
}
