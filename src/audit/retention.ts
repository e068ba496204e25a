import { v7 as timeOrderedId } from 'uuid'
import { isJsonObject } from '../model/json.ts'
import type { AuditEvent, Removable, Repository } from '../repository/repository.ts'
import { auditEvent } from './events.ts'
import { positionKey } from './follower.ts'
import type { AuditSettings } from './settings.ts'

/** So many rows are removed in one transaction: others want to write, too. */
const portion = 5_000

export interface Removal {
  readonly userId: string
  readonly transactionId: string
  /** Why, in words of the configuration. */
  readonly reason: string
}

/** Removes what need not be kept, and records it; how many events went. */
export async function removeEvents(
  { audit }: Pick<Repository, 'audit'>,
  what: Removable,
  removal: Removal,
): Promise<number> {
  let total = 0
  for (;;) {
    const removed = await audit.remove(what, portion, recordOf(removal))
    total += removed
    if (removed < portion) return total
  }
}

/** Events that a handler has still to write stay until it has. */
export async function keepWhatIsConfigured(
  repository: Repository,
  { retention, handlers }: AuditSettings,
  now: number,
): Promise<number> {
  if (retention.size === 0) return 0
  const upTo = await takenByAll(
    repository,
    handlers.map(({ name }) => name),
  )
  let total = 0
  const removal = { userId: 'system', transactionId: timeOrderedId() }
  for (const [topic, { maxAge, maxEvents }] of retention) {
    const before = maxAge === undefined ? undefined : new Date(now - maxAge).toISOString()
    if (before)
      total += await removeEvents(repository, { topic, before, upTo }, { ...removal, reason: 'maxAge' })
    if (maxEvents !== undefined)
      total += await removeEvents(
        repository,
        { topic, keep: maxEvents, upTo },
        { ...removal, reason: 'maxEvents' },
      )
  }
  return total
}

/** Up to which event all handlers have come; undefined: there is none. One that has not begun wants what is to come. */
export async function takenByAll(
  { settings }: Pick<Repository, 'settings'>,
  handlers: readonly string[],
): Promise<number | undefined> {
  const positions: number[] = []
  for (const name of handlers) {
    const stored = await settings.read(positionKey(name))
    if (isJsonObject(stored)) positions.push(Number(stored.seq))
  }
  return positions.length === 0 ? undefined : Math.min(...positions)
}

function recordOf({
  userId,
  transactionId,
  reason,
}: Removal): Pick<AuditEvent, 'id' | 'timestamp' | 'content'> {
  return auditEvent.retention({ userId, transactionId, reason })
}
