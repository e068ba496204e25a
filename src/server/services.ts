import type { AuditService } from '../audit/service.ts'
import type { ConnectorKind } from '../connectors/kit/kind.ts'
import type { System, SystemEnvironment } from '../connectors/system/open-system.ts'
import type { Log } from '../kit/log.ts'
import type { Json } from '../model/json.ts'
import type { OnChange } from '../objects/write/changes.ts'
import type { Locks } from '../repository/locks.ts'
import type { Repository } from '../repository/repository.ts'
import type { ResourceProvider, Resources } from '../router/resources.ts'
import type { ScriptEngine, Secrets } from '../scripts/engine.ts'
import type { LiveSyncOptions } from '../sync/changes/live-sync/live-sync.ts'
import type { RefCounted } from './ref-counted.ts'
import type { ServerHost } from './resources/feature.ts'

/** Services that live as long as the process, for features. `engine` and `readFile` are those of the current configuration. */
export interface Host extends ServerHost {
  readonly repository: Repository
  readonly resources: () => Resources
  readonly audit: AuditService
  readonly locks: Locks
  readonly log: Log
  readonly engine: () => ScriptEngine
  readonly readFile: (path: string) => string | undefined
  /** The current configuration stays open until the work is done. */
  during<T>(work: () => Promise<T>): Promise<T>
}

/** The services with which every generation of the configuration is opened. */
export interface GenerationHost {
  readonly repository: Repository
  readonly resources: () => Resources
  readonly audit: AuditService
  readonly secrets: Secrets
  readonly kinds: readonly ConnectorKind[]
  /** Systems shared by several generations are opened once. */
  readonly systems: RefCounted<System>
  readonly engines: RefCounted<ScriptEngine>
  readonly onChange: OnChange
  /** The services of liveSync that do not depend on the configuration. */
  readonly liveSyncOptions: Omit<LiveSyncOptions, 'handlerOf' | 'runScript'>
  readonly log: Log
}

/** The services with which features are opened. */
export interface Services extends Omit<GenerationHost, 'systems' | 'engines' | 'liveSyncOptions'> {
  readonly engine: ScriptEngine
  readonly liveSync: NonNullable<SystemEnvironment['liveSync']>
  /** Of the project. */
  readonly folder: string
  readFile(path: string): string | undefined
  property(name: string): Json | undefined
  mappingExists(name: string): boolean
  /** Is there an object set of this path? */
  isReady(path: string): boolean
  /** The same, with its operations in the audit. */
  recordingActivity(provider: ResourceProvider, of: 'managed' | 'system'): ResourceProvider
}
