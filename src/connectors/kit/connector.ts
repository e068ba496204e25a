import type { Json, JsonObject } from '../../model/json.ts'
import type { Changes } from './changes.ts'
import type { Count, Locate, Page, ReadMany, Search, Split } from './query.ts'
import type { Schema } from './schema.ts'
import type { Steps } from './steps.ts'
import type { Secret, Value } from './values.ts'
import type { Deltas, ExchangesIds, Held, IdOf, Ordered, Refusals, Write } from './write.ts'

/**
 * What a connector is: an object that implements the capabilities that its system supports. Callers ask
 * `offers(connector, 'search')`; there are no flags. Everything works on pages.
 *
 * Around every call, Syncline adds permissions, timeouts, retries, limits and the conversion of names and types
 * (connectors/system/). A connector only talks to its system and reports errors.
 */
export interface Lifecycle extends AsyncDisposable {
  readonly displayName: string
  /** The native attributes for agreed names, e.g. `__NAME__` and `__PASSWORD__`; other names stay as they are. */
  agreedNames?(objectClass: string): Readonly<Record<string, string>>
  /**
   * Present where a list that the configuration declares, and of which an object has no value, reads as an empty list: it
   * returns true. Otherwise it reads as nothing.
   */
  givesEmptyLists?(): boolean
}

export interface Test {
  /**
   * Resolves if the system can be used as configured; otherwise rejects with an error that says why. `steps` hears how far
   * the test has come.
   */
  test(signal?: AbortSignal, steps?: Steps): Promise<void>
}

export interface Authenticate {
  /** The uid of the account; `wrongCredentials` if the password is wrong or there is no such account. */
  authenticate(objectClass: string, username: string, password: Secret, signal?: AbortSignal): Promise<string>
}

export interface ResolveUsername {
  /** The uid of the account that logs in under this name; `unknownId` if there is none. */
  resolveUsername(objectClass: string, username: string, signal?: AbortSignal): Promise<string>
}

export interface ScriptCall {
  readonly language: string
  readonly text: string
  readonly variables: JsonObject
}

export interface Script {
  /** Runs a script at the system, or at the connector, and returns its value. */
  runScript(call: ScriptCall, signal?: AbortSignal): Promise<Value>
}

export interface Discover {
  /** Suggested values by setting, as far as the system lists them: base contexts, tables, columns. */
  discover(signal?: AbortSignal): Promise<Readonly<Record<string, readonly Json[]>>>
  /** Settings that suit the system better than the defaults, by name: for a new configuration that does not set them. */
  recommend?(signal?: AbortSignal): Promise<JsonObject>
}

export interface Capabilities
  extends Test,
    Schema,
    Search,
    Split,
    Page,
    ReadMany,
    Count,
    Locate,
    Write,
    Deltas,
    IdOf,
    ExchangesIds,
    Held,
    Ordered,
    Refusals,
    Changes,
    Authenticate,
    ResolveUsername,
    Script,
    Discover {}

export type Connector = Lifecycle & Partial<Capabilities>

export function offers<K extends keyof Capabilities>(
  connector: Connector,
  capability: K,
): connector is Connector & Pick<Capabilities, K> {
  return connector[capability] !== undefined
}
