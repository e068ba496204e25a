/** The package's public face: a server or a run inside another program, and what a connector is made of. */

export type { ConfigurationProblem } from './config/project.ts'
export type { Connector } from './connectors/kit/connector.ts'
export type { ConnectorKind } from './connectors/kit/kind.ts'
export type { ConnectorObject, ConnectorQuery } from './connectors/kit/query.ts'
export type { ConnectorWrite } from './connectors/kit/write.ts'
export type { Json, JsonObject } from './model/json.ts'
export { Problem, type ProblemCode } from './model/problem.ts'
export type { PlanEntry } from './plan/entry.ts'
export {
  type Application,
  type OpenOptions,
  openApplication,
} from './server/application.ts'
export { type CheckedProject, checkOnly, type ProjectOptions } from './server/check.ts'
export { openServer, type ServerOptions } from './server/server.ts'
export { ConfigurationFailure } from './server/usable.ts'
