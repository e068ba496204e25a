import { isJsonObject, type Json } from '../../model/json.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ObjectClass } from '../kit/schema.ts'
import { objectOf } from './objects.ts'

/**
 * Changes as a sync script hands them over: `{ deltaType, object: { uid, id, attributes }, syncToken?, previousUid? }`, or
 * `{ deltaType: 'DELETE', uid, syncToken? }`. The last page has the token that the script returns, or that of its last change.
 */
export async function* changesOf(
  handed: AsyncGenerator<readonly Json[], Json>,
  described: ObjectClass | undefined,
  after: (position: Json) => SyncToken,
): AsyncGenerator<ChangesPage> {
  let waiting: readonly Json[] | undefined
  let next = await handed.next()
  try {
    for (; !next.done; next = await handed.next()) {
      if (waiting) yield page(waiting, described, null)
      waiting = next.value
    }
  } finally {
    if (!next.done) await handed.return(null)
  }
  if (!waiting) return
  const position = next.value ?? tokenIn(waiting)
  yield page(waiting, described, position === null ? null : after(position))
}

function page(
  given: readonly Json[],
  described: ObjectClass | undefined,
  token: SyncToken | null,
): ChangesPage {
  return { changes: given.map((change) => changeOf(change, described)), token }
}

function tokenIn(given: readonly Json[]): Json {
  return given.reduce<Json>(
    (last, change) => (isJsonObject(change) ? (change.syncToken ?? last) : last),
    null,
  )
}

const kinds = ['CREATE', 'UPDATE', 'CREATE_OR_UPDATE'] as const

function changeOf(given: Json, described: ObjectClass | undefined): ConnectorChange {
  if (!isJsonObject(given)) throw unusable('is no object')
  const { deltaType = 'CREATE_OR_UPDATE', object, previousUid } = given
  if (deltaType === 'DELETE') {
    const { uid } = isJsonObject(object) ? object : given
    if (typeof uid !== 'string' && typeof uid !== 'number') throw unusable('is a DELETE without uid')
    return { kind: 'DELETE', id: String(uid) }
  }
  const kind = kinds.find((one) => one === deltaType)
  if (!kind)
    throw unusable(`has the deltaType ${JSON.stringify(deltaType)}; there are ${kinds.join(', ')}, DELETE`)
  const found = objectOf(object ?? null, described)
  const renamed = typeof previousUid === 'string' || typeof previousUid === 'number'
  return { kind, id: found._id, object: found, ...(renamed && { previousId: String(previousUid) }) }
}

function unusable(fact: string): ConnectorError {
  return new ConnectorError('failed', `A change that the sync script gave to its handler ${fact}`)
}
