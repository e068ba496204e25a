import { isJsonObject } from '../../model/json.ts'
import { completeListing, heeding, type Listing } from '../../model/listing.ts'
import { Problem } from '../../model/problem.ts'
import type { Remark, SetChange, SetChanges, SyncToken as StoredToken } from '../../router/resources.ts'
import type { Changes, SyncToken } from '../kit/changes.ts'
import { kindOfError } from '../kit/errors.ts'
import { readableProperties, reader } from './convert.ts'
import type { TypeAccess } from './type-access.ts'
import { withPlace } from './unreadable.ts'

/** liveSync's view (engine §9): the same conversion and the same limits as for everything else. */
export function setChanges(access: TypeAccess, connector: Changes): SetChanges {
  const { objectClass } = access.type
  return {
    async latestToken(signal) {
      access.permission('SYNC')
      return stored(await access.call('SYNC', signal, (both) => connector.latestToken(objectClass, both)))
    },
    async *since(token, signal) {
      access.permission('SYNC')
      try {
        yield* told(access, connector, token, signal)
      } catch (error) {
        const reason = token === null ? undefined : staleness(error)
        if (reason === undefined) throw error
        yield { kind: 'LOST', reason }
      }
    },
  }
}

async function* told(
  access: TypeAccess,
  connector: Changes,
  token: StoredToken | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<SetChange | Remark> {
  const toResource = reader(access.type, undefined)
  const { objectClass } = access.type
  // All that is declared: what came only by itself would look as if it had no value.
  const fields = readableProperties(access.type, undefined).map(({ attribute }) => attribute)
  const from = token === null ? null : restored(token)
  const pages = access.stream('SYNC', signal, (both) =>
    connector.changesSince(objectClass, from, both, fields),
  )
  let reached = token
  let listing: Listing = completeListing
  const heed = (end: Listing) => {
    listing = end
  }
  for await (const page of heeding(pages, heed)) {
    const after = page.token === null ? reached : stored(page.token)
    if (page.present) yield { kind: 'PRESENT', ids: page.present }
    for (const [position, change] of page.changes.entries()) {
      // A page is complete only with its last change.
      const current = position === page.changes.length - 1 ? after : reached
      yield change.kind === 'DELETE'
        ? { ...change, token: current }
        : { ...change, object: await withPlace(access, toResource(change.object)), token: current }
    }
    reached = after
  }
  if (listing.state !== 'complete') yield { kind: 'INCOMPLETE', listing }
  else if (reached !== null && reached !== token) yield { kind: 'END', token: reached }
}

/** Why a token is of no use any more; undefined for other errors. The call has wrapped the one of the connector. */
function staleness(error: unknown): string | undefined {
  if (!(error instanceof Problem)) return undefined
  return [error, error.cause].some((one) => kindOfError(one) === 'staleToken') ? error.message : undefined
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
