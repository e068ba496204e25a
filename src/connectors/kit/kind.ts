import type { Log } from '../../kit/log.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Connector } from './connector.ts'
import type { ConnectorScripts } from './scripts.ts'

/** A kind of connector, selected by `connectorRef.connectorName`. */
export interface ConnectorKind {
  /** e.g. `org.forgerock.openicf.csvfile.CSVFileConnector`. */
  readonly connectorName: string
  readonly displayName: string
  readonly bundleName: string
  readonly bundleVersion: string
  /** Other versions of the Java bundle whose configurations mean the same. */
  readonly alsoFollows?: readonly string[]
  /**
   * JSON Schema of `configurationProperties`, with `description` and `default` for every property; `writeOnly` marks what is
   * secret, `x-noEffect` what is accepted without effect and why.
   */
  readonly configurationSchema: Json
  /** The settings in the order and under the headings of a form; those that no group names follow. */
  readonly settingGroups?: readonly SettingGroup[]
  /** Default limits and retries for systems of this kind. Absent: no limits, no retries. */
  readonly resilience?: Resilience
  /**
   * Creates a connector from settings with secrets in plaintext. Does no I/O: connections are opened when they are
   * needed.
   */
  create(settings: JsonObject, host: ConnectorHost): Connector
  /**
   * What is wrong in files that the settings name; the first such thing is thrown as a `misconfigured` error. Asks nothing of the
   * system.
   */
  check?(settings: JsonObject, host: ConnectorHost): Promise<void>
}

export interface SettingGroup {
  readonly title: string
  readonly settings: readonly string[]
}

/** `resilience` of a system's configuration. */
export interface Resilience {
  /**
   * How often a call is repeated after a temporary failure. Writes only where nothing can have been done, or where a look at the
   * system has shown that.
   */
  readonly retries?: number
  /** Milliseconds before the first retry; doubled for each further one. */
  readonly firstDelay?: number
  readonly longestDelay?: number
  /** After so many connection failures in a row, the system gets no requests for a while. 0: never. */
  readonly breakAfter?: number
  /** How long, in milliseconds. */
  readonly breakFor?: number
  /** So many calls at a time. Absent: no limit. */
  readonly concurrency?: number
  /** So many objects of a page are written at a time, by calls of their own; the writes of one object keep their order. */
  readonly writesAtOnce?: number
}

/** What the host gives to a connector. */
export interface ConnectorHost {
  /** Relative paths in the settings start here. */
  readonly projectFolder: string
  readonly log: Log
  readonly clock: Clock
  /** Aborted when the system is closed. */
  readonly signal: AbortSignal
  /** Where the connector may keep files between calls; need not be there yet. Undefined: nowhere, as in a check. */
  readonly stateFolder: string | undefined
  /** `poolConfigOption` of the system, for connectors that keep connections. */
  readonly pool: PoolLimits
  /** Absent outside of a server: connectors whose operations are scripts cannot be used there. */
  readonly scripts?: ConnectorScripts | undefined
}

/** How many connections a system may have, and how long callers wait for one, in milliseconds. */
export interface PoolLimits {
  readonly max: number
  readonly min: number
  readonly idleTime: number
  readonly patience: number
}

export const defaultPool: PoolLimits = { max: 10, min: 1, idleTime: 120_000, patience: 150_000 }

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Rejects with the signal's reason if it is aborted meanwhile. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}
