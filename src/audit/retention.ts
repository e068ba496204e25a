import { timeOrderedId } from '../kit/time-ordered-id.ts'
import { isJsonObject } from '../model/json.ts'
import type { Removable } from '../repository/audit.ts'
import type { Repository } from '../repository/repository.ts'
import { auditEvent } from './events.ts'
import { positionKey } from './follower.ts'
import type { AuditSettings } from './settings.ts'

/** The number of rows to remove in one transaction: a longer one would block other writers. */
const batchSize = 5_000

export interface Removal {
  readonly userId: string
  readonly transactionId: string
  /** The setting that causes the removal. */
  readonly reason: string
}

/** Removes the events and records it. Returns how many were removed. */
export async function removeEvents(
  { audit }: Pick<Repository, 'audit'>,
  what: Removable,
  removal: Removal,
): Promise<number> {
  let total = 0
  for (;;) {
    const removed = await audit.remove(what, batchSize, auditEvent.retention(removal))
    total += removed
    if (removed < batchSize) return total
  }
}

/** Applies the configured retention. Events stay until all handlers have written them. */
export async function applyRetention(
  repository: Repository,
  { retention, handlers }: AuditSettings,
  now: number,
): Promise<number> {
  if (retention.size === 0) return 0
  const upTo = await writtenByAll(repository, handlers)
  let total = 0
  const removal = { userId: 'system', transactionId: timeOrderedId() }
  for (const [topic, { maxAge, maxEvents }] of retention) {
    const before = maxAge === undefined ? undefined : new Date(now - maxAge).toISOString()
    const remove = (what: Partial<Removable>, reason: string) =>
      removeEvents(repository, { ...what, topic, upTo }, { ...removal, reason })
    if (before) total += await remove({ before }, 'maxAge')
    if (maxEvents !== undefined) total += await remove({ keep: maxEvents }, 'maxEvents')
  }
  return total
}

/** The position that all handlers have reached; undefined: there are none. A handler that has not begun needs only future events. */
export async function writtenByAll(
  { settings }: Pick<Repository, 'settings'>,
  handlers: AuditSettings['handlers'],
): Promise<number | undefined> {
  const positions: number[] = []
  for (const { name } of handlers) {
    const stored = await settings.read(positionKey(name))
    if (isJsonObject(stored)) positions.push(Number(stored.seq))
  }
  return positions.length === 0 ? undefined : Math.min(...positions)
}
