import type { Finding } from '../../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext } from '../../router/resources.ts'
import { type Connector, offers } from '../kit/connector.ts'
import { systemClock } from '../kit/host.ts'
import {
  type ConnectorHost,
  type ConnectorKind,
  defaultPool,
  type PoolLimits,
  type Resilience,
} from '../kit/kind.ts'
import { misconfigured } from '../kit/misconfigured.ts'
import { type Calls, callsOf } from './calls.ts'
import { type OperationName, operationNames } from './failure.ts'
import { kindFor, versionWarning } from './kinds.ts'
import { objectTypesOf } from './object-type.ts'
import { timeoutOf } from './operation.ts'
import type { Decrypt } from './secrets.ts'
import { type SystemObjects, systemObjects } from './system-objects.ts'

/** One configured system: a connector, and its object types in the configuration's names. */
export interface System extends AsyncDisposable {
  readonly name: string
  readonly connector: Connector
  readonly configuration: JsonObject
  readonly objects: ReadonlyMap<string, SystemObjects>
  /** Settings that are accepted without effect, or with an unexpected one. */
  readonly warnings: readonly Finding[]
  /** Resolves if the system can be used as configured; otherwise rejects with a Problem that says why. */
  test(): Promise<void>
}

export interface SystemEnvironment {
  readonly kinds: readonly ConnectorKind[]
  readonly projectFolder: string
  readonly decrypt: Decrypt
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
  const decrypted = await environment.decrypt(configuration.configurationProperties ?? {})
  const properties = isJsonObject(decrypted) ? decrypted : {}
  requireSettings(properties, kind)
  const closed = new AbortController()
  const connector = kind.create(properties, hostOf(name, configuration, environment, closed.signal))
  const calls = callsOf({ ...kind.resilience, ...resilienceOf(configuration), rates: ratesOf(configuration) })
  const facts = {
    system: name,
    connector,
    configuration,
    decrypt: environment.decrypt,
    calls,
    log: environment.log ?? ignore,
  }
  const types = objectTypesOf(configuration, connector)
  return {
    name,
    connector,
    configuration,
    objects: new Map(Array.from(types, ([typeName, type]) => [typeName, systemObjects(facts, type)])),
    warnings: [
      ...versionWarning(configuration.connectorRef, kind),
      ...unknownSettings(properties, kind),
      ...withoutEffect(configuration),
    ],
    test: () => testConnector(name, connector, configuration, calls),
    [Symbol.asyncDispose]: async () => {
      closed.abort(new Problem('UNAVAILABLE', `The system ${name} has been closed`))
      await connector[Symbol.asyncDispose]()
    },
  }
}

function ignore(): void {}

function hostOf(
  system: string,
  { poolConfigOption }: JsonObject,
  { projectFolder, log = ignore }: SystemEnvironment,
  signal: AbortSignal,
): ConnectorHost {
  return {
    projectFolder,
    log: (level, message) => log(`system ${system}: ${level === 'info' ? '' : `${level}: `}${message}`),
    clock: systemClock,
    signal,
    pool: poolLimitsOf(poolConfigOption),
  }
}

function poolLimitsOf(given: Json | undefined): PoolLimits {
  const names = ['maxObjects', 'minIdle', 'minEvictableIdleTimeMillis', 'maxWait'] as const
  const { maxObjects, minIdle, minEvictableIdleTimeMillis, maxWait } = numbersOf(given, names)
  const endless = (milliseconds: number) => (milliseconds < 0 ? Number.POSITIVE_INFINITY : milliseconds)
  return {
    max: maxObjects ?? defaultPool.max,
    min: minIdle ?? defaultPool.min,
    idleTime: endless(minEvictableIdleTimeMillis ?? defaultPool.idleTime),
    patience: endless(maxWait ?? defaultPool.patience),
  }
}

const resilienceNames = ['retries', 'firstDelay', 'longestDelay', 'breakAfter', 'breakFor'] as const

function resilienceOf({ resilience }: JsonObject): Resilience {
  return numbersOf(resilience, resilienceNames)
}

function ratesOf({ operationRateLimits }: JsonObject): Partial<Record<OperationName, number>> {
  return numbersOf(operationRateLimits, operationNames)
}

function numbersOf<K extends string>(
  given: Json | undefined,
  names: readonly K[],
): { readonly [name in K]?: number } {
  const result: { [name in K]?: number } = {}
  for (const name of names) {
    const value = isJsonObject(given) ? given[name] : undefined
    if (typeof value === 'number') result[name] = value
  }
  return result
}

async function testConnector(
  system: string,
  connector: Connector,
  configuration: JsonObject,
  calls: Calls,
): Promise<void> {
  if (!offers(connector, 'test')) return
  const timeout = timeoutOf(configuration, 'TEST')
  await calls.call({ system, name: 'TEST', timeout }, undefined, (signal) => connector.test(signal))
}

interface SettingsSchema {
  readonly required: readonly string[]
  readonly properties: Readonly<Record<string, Json>>
}

function settingsOf({ configurationSchema }: ConnectorKind): SettingsSchema {
  const schema = isJsonObject(configurationSchema) ? configurationSchema : {}
  const required = Array.isArray(schema.required)
    ? schema.required.filter((name) => typeof name === 'string')
    : []
  const properties = isJsonObject(schema.properties) ? schema.properties : {}
  return { required, properties: properties as SettingsSchema['properties'] }
}

function requireSettings(properties: JsonObject, kind: ConnectorKind): void {
  const missing = settingsOf(kind).required.filter((name) => (properties[name] ?? '') === '')
  if (missing.length === 0) return
  throw misconfigured(
    ['configurationProperties'],
    `lacks ${missing.join(', ')}, which the ${kind.displayName} needs`,
  )
}

function unknownSettings(properties: JsonObject, kind: ConnectorKind): readonly Finding[] {
  const known = settingsOf(kind).properties
  return Object.keys(properties)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => ({
      place: ['configurationProperties', name],
      message: `${name} is no setting of the ${kind.displayName}; it has no effect`,
    }))
}

const ineffective: Readonly<Record<string, string>> = {
  excludeUnmodified: 'all attributes that are present are sent',
  systemActions: 'scripts do not run at systems',
}

function withoutEffect(configuration: JsonObject): readonly Finding[] {
  const given = Object.entries(ineffective).filter(([name]) => isSet(configuration[name]))
  return [
    ...given.map(([name, fact]) => ({ place: [name], message: `${name} has no effect: ${fact}` })),
    ...propertiesOf(configuration).flatMap(([place, property]) => [
      ...(property.runAsUser === true
        ? [
            {
              place: [...place, 'runAsUser'],
              message: "runAsUser has no effect: writes are made as the system's account",
            },
          ]
        : []),
      ...(property.key !== undefined
        ? [
            {
              place: [...place, 'key'],
              message: 'key has no effect: the value cannot be encrypted on reading, and is not returned',
            },
          ]
        : []),
    ]),
  ]
}

function isSet(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isJsonObject(value) ? Object.keys(value).length > 0 : value === true
}

function propertiesOf({
  objectTypes,
}: JsonObject): readonly (readonly [place: readonly string[], property: JsonObject])[] {
  return Object.entries(isJsonObject(objectTypes) ? objectTypes : {}).flatMap(([type, declaration]) => {
    const properties =
      isJsonObject(declaration) && isJsonObject(declaration.properties) ? declaration.properties : {}
    return Object.entries(properties).flatMap(([name, property]) =>
      isJsonObject(property) ? [[['objectTypes', type, 'properties', name], property] as const] : [],
    )
  })
}
