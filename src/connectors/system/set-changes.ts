import { isJsonObject } from '../../model/json.ts'
import type { SetChange, SetChanges, SyncToken as StoredToken } from '../../router/resources.ts'
import type { Changes, SyncToken } from '../kit/changes.ts'
import { type Connector, offers } from '../kit/connector.ts'
import { reader } from './convert.ts'
import { operation, type SystemFacts } from './facts.ts'
import type { ObjectType } from './object-type.ts'
import { permission } from './operation.ts'

export function offersChanges(connector: Connector): connector is Connector & Changes {
  return offers(connector, 'latestToken') && offers(connector, 'changesSince')
}

/** liveSync's view (engine §9): the same conversion and the same limits as for everything else. */
export function setChanges(facts: SystemFacts, type: ObjectType, connector: Changes): SetChanges {
  const toResource = reader(type, undefined)
  return {
    async latestToken(signal) {
      permission(facts.configuration, 'SYNC', type)
      const token = await facts.calls.call(operation(facts, 'SYNC', type), signal, (both) =>
        connector.latestToken(type.objectClass, both),
      )
      return stored(token)
    },
    async *since(token, signal) {
      permission(facts.configuration, 'SYNC', type)
      const from = token === null ? null : restored(token)
      const pages = facts.calls.stream(operation(facts, 'SYNC', type), signal, (both) =>
        connector.changesSince(type.objectClass, from, both),
      )
      let reached = token
      for await (const page of pages) {
        const after = page.token === null ? reached : stored(page.token)
        for (const [position, change] of page.changes.entries()) {
          // Only with the last one of its page is the page told.
          const told = position === page.changes.length - 1 ? after : reached
          yield change.kind === 'DELETE'
            ? { ...change, token: told }
            : { ...change, object: toResource(change.object), token: told }
        }
        reached = after
      }
      if (reached !== null && reached !== token) yield end(reached)
    },
  }
}

function end(token: StoredToken): SetChange {
  return { kind: 'END', token }
}

/** Tokens are stored as text, with their epoch. */
function stored({ epoch, position }: SyncToken): string {
  return JSON.stringify({ epoch, position })
}

/** A token without an epoch is none of ours; the connector says that it does not know it. */
function restored(token: StoredToken): SyncToken {
  const known = parsed(token)
  if (!isJsonObject(known) || typeof known.epoch !== 'string') return { epoch: '', position: token }
  return { epoch: known.epoch, position: known.position ?? null }
}

function parsed(token: StoredToken): unknown {
  try {
    return typeof token === 'string' ? JSON.parse(token) : token
  } catch {
    return undefined
  }
}
