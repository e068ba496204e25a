import { type Entry, PresenceFilter } from 'ldapts'
import { asObject, isJsonObject, type Json } from '../../../model/json.ts'
import { ConnectorError } from '../../kit/errors.ts'
import { resultCode } from '../errors.ts'
import { type Controller, controllerOf, idIn, isDeleted, requireNotPutBack } from './controllers.ts'
import { DirSync } from './dir-sync-control.ts'
import {
  concernsAttributes,
  requireInstance,
  type Session,
  type Strategy,
  tokenOf,
  Written,
} from './strategy.ts'

/**
 * Changes of Active Directory and Samba by the DirSync control: what was written anywhere in a naming context since a cookie, deletions and
 * changes of names included. It needs the right to replicate (DS-Replication-Get-Changes).
 *
 * The control can be asked of a naming context only; which of its entries matter is seen when they are read. It is asked without a list of
 * attributes: with one, some servers keep changes of names back, and what was cleared looks like what did not change.
 *
 * A cookie of another controller is answered with nothing, as if nothing had changed: so the token names the controller.
 */
interface Position {
  /** By naming context, in base64. */
  readonly cookies: Readonly<Record<string, string>>
  readonly usn: string
}

export const dirSync: Strategy = {
  async latest(session) {
    const controller = await controllerOf(session)
    const cookies: Record<string, string> = {}
    // Only the cookie is wanted of all there is.
    for (const tree of controller.trees)
      cookies[tree] = (await delta(session, tree, '', ['objectGUID'])).cookie
    return tokenAt(controller, cookies)
  },
  async since(session, token) {
    const controller = await controllerOf(session)
    requireInstance(token, 'dirSync', controller.invocation, `The controller ${session.facts.server}`)
    const { cookies, usn } = positionOf(token.position)
    requireNotPutBack(session, controller, usn)
    const written = new Written()
    const renamed = new Set<string>()
    const next: Record<string, string> = {}
    for (const tree of controller.trees) {
      const before = cookies[tree]
      if (before === undefined) throw stale(`The token knows nothing of ${tree}`)
      const { entries, cookie } = await delta(session, tree, before, [])
      next[tree] = cookie
      gather(session, entries, { written, renamed })
    }
    return { ids: written.ids, renamed, hasUnknownDeletions: false, token: tokenAt(controller, next) }
  },
}

function gather(
  session: Session,
  entries: readonly Entry[],
  { written, renamed }: { readonly written: Written; readonly renamed: Set<string> },
): void {
  const concerns = concernsAttributes(session.settings)
  for (const entry of entries) {
    const id = idIn(entry, session)
    if (id === undefined) continue
    const isNew = entry.whenCreated !== undefined && !isDeleted(entry)
    const isNamed = entry.name !== undefined
    if (!isNew && !isNamed && !isDeleted(entry) && !concerns(Object.keys(entry))) continue
    written.add(id, isNew)
    if (isNamed && !isNew && !isDeleted(entry)) renamed.add(id)
  }
}

/** All that has changed since a cookie; empty: everything there is. */
async function delta(session: Session, tree: string, before: string, attributes: readonly string[]) {
  const { connection, facts, signal } = session
  const entries: Entry[] = []
  let cookie = Buffer.from(before, 'base64')
  for (;;) {
    const control = new DirSync(cookie)
    const options = {
      ...({ scope: 'sub', filter: new PresenceFilter({ attribute: 'objectClass' }) } as const),
      ...{ attributes: [...attributes], explicitBufferAttributes: [facts.uidAttribute] },
    }
    const answer = await connection
      .run((client) => client.search(tree, options, [control]), signal)
      .catch((error: unknown) => {
        throw before !== '' && resultCode(error) === 12
          ? stale(
              `${facts.server} does not take its cookie back: ${error instanceof Error ? error.message : error}`,
            )
          : error
      })
    entries.push(...answer.searchEntries)
    if (!control.cookie) throw new ConnectorError('unsupported', `${facts.server} does not answer DirSync`)
    cookie = Buffer.from(control.cookie)
    if (!control.hasMore) return { entries, cookie: cookie.toString('base64') }
  }
}

function tokenAt({ invocation, highest }: Controller, cookies: Readonly<Record<string, string>>) {
  return tokenOf('dirSync', invocation, { cookies, usn: String(highest) })
}

function positionOf(position: Json): Position {
  const { cookies, usn } = isJsonObject(position) ? position : {}
  const known = Object.entries(asObject(cookies)).map(([tree, cookie]) => [tree, String(cookie)])
  if (typeof usn === 'string' && known.length > 0) return { cookies: Object.fromEntries(known), usn }
  throw stale('The token is none of DirSync')
}

function stale(message: string): ConnectorError {
  return new ConnectorError('staleToken', message)
}

/** Does the account lack the right to ask in this way? */
export function isForbidden(error: unknown): boolean {
  return [8, 12, 50, 53].includes(resultCode(error) ?? 0)
}
