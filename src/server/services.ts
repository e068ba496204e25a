import type { AuditService } from '../audit/service.ts'
import type { Sessions } from '../authentication/sessions.ts'
import type { RotatingSecrets } from '../config/secrets.ts'
import type { ConnectorKind } from '../connectors/kit/kind.ts'
import type { System } from '../connectors/system/open-system.ts'
import type { CompileTools } from '../feature/feature.ts'
import type { Log } from '../kit/log.ts'
import type { ManagedServices } from '../objects/feature.ts'
import type { OnChange } from '../objects/write/changes.ts'
import type { Events } from '../repository/events.ts'
import type { Locks } from '../repository/locks.ts'
import type { Repository } from '../repository/repository.ts'
import type { Resources } from '../router/resources.ts'
import type { ScheduleHost } from '../schedule/feature.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import type { LiveSyncOptions } from '../sync/changes/live-sync/live-sync.ts'
import type { MappingServices } from './mappings.ts'
import type { RefCounted } from './ref-counted.ts'
import type { ServerHost } from './resources/feature.ts'
import type { SystemServices } from './systems.ts'

/** What lives as long as the process. */
export interface Base {
  readonly repository: Repository
  readonly resources: () => Resources
  readonly audit: AuditService
  readonly secrets: RotatingSecrets
  readonly sessions: Sessions
  readonly locks: Locks
  readonly events: Events
  readonly log: Log
}

/** The services with which features begin. `engine` and `readFile` are those of the current configuration. */
export type Host = Base & ServerHost & ScheduleHost

/** The services with which every generation of the configuration is opened. */
export interface GenerationHost extends Base {
  readonly kinds: readonly ConnectorKind[]
  /** Systems shared by several generations are opened once. */
  readonly systems: RefCounted<System>
  readonly engines: RefCounted<ScriptEngine>
  readonly onChange: OnChange
  readonly dataFolder: string
  /** The services of liveSync that do not depend on the configuration. */
  readonly liveSyncOptions: Omit<LiveSyncOptions, 'handlerOf' | 'runScript'>
}

/** The services with which features are opened. */
export type Services = Base & CompileTools & ManagedServices & SystemServices & MappingServices
