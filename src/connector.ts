/** The public face for connectors: what they implement, what they are made of, and the contract that they must keep. */

export {
  type Changes,
  type ChangesPage,
  type ConnectorChange,
  requireEpoch,
  type SyncToken,
} from './connectors/kit/changes.ts'
export {
  type Authenticate,
  type Capabilities,
  type Connector,
  type Discover,
  type Lifecycle,
  offers,
  type ResolveUsername,
  type Script,
  type ScriptCall,
  type Test,
} from './connectors/kit/connector.ts'
export {
  type ContractCase,
  type ContractFacts,
  connectorContract,
  contractCases,
  type OpenSystem,
  type TestRunner,
} from './connectors/kit/contract/contract.ts'
export {
  ConnectorError,
  type ErrorKind,
  type ErrorOptions,
  kindOfError,
  misconfigured,
} from './connectors/kit/errors.ts'
export { standaloneHost, systemClock } from './connectors/kit/host.ts'
export type {
  Clock,
  ConnectorHost,
  ConnectorKind,
  PoolLimits,
  Resilience,
  SettingGroup,
} from './connectors/kit/kind.ts'
export { Pool, type PoolOptions, type UseOptions } from './connectors/kit/pool.ts'
export {
  type ConnectorEntry,
  type ConnectorObject,
  type ConnectorQuery,
  type Count,
  type Locate,
  type ObjectPage,
  type Page,
  type PageQuery,
  type Place,
  type PlaceQuery,
  type ReadMany,
  type Search,
  type SearchEnd,
  type Split,
  type SplitFilter,
  splitBy,
} from './connectors/kit/query.ts'
export type {
  AttributeType,
  ClassOperation,
  Comparison,
  NativeAttribute,
  ObjectClass,
  Schema,
} from './connectors/kit/schema.ts'
export { followSocket, noSteps, type Opening, type StepName, type Steps } from './connectors/kit/steps.ts'
export {
  type Attributes,
  attribute,
  dateOf,
  dateText,
  revealed,
  Secret,
  sameValue,
  setAttribute,
  type Value,
  type ValueObject,
  valuesOf,
} from './connectors/kit/values.ts'
export {
  type AttributeChange,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  changed,
  type Deltas,
  type ExchangesIds,
  eachWrite,
  type IdOf,
  settingOf,
  valueAfter,
  type Write,
} from './connectors/kit/write.ts'
export { compileFilter } from './model/filter/evaluate.ts'
export {
  type ComparisonOperator,
  everything,
  type Filter,
  matchesEverything as isEverything,
} from './model/filter/filter.ts'
export type { FilterLeaf } from './model/filter/walk.ts'
export type { Json, JsonObject } from './model/json.ts'
export { completeListing, type Listing } from './model/listing.ts'
export { compareBy, type SortKey } from './model/sort.ts'
export { isUnreadable, Unreadable } from './model/unreadable.ts'
