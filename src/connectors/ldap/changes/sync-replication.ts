import { PresenceFilter } from 'ldapts'
import { asObject, isJsonObject, type Json } from '../../../model/json.ts'
import { ConnectorError } from '../../kit/errors.ts'
import { idOf, valuesIn } from '../entries.ts'
import { resultCode } from '../errors.ts'
import { treesOf } from './scope.ts'
import { requireInstance, type Session, type Strategy, tokenOf, treeOf, Written } from './strategy.ts'
import { type SyncMessage, SyncRequest, syncMessageIn } from './sync-messages.ts'

/**
 * Changes of OpenLDAP without an access log, by what its replicas use (syncrepl, RFC 4533): the overlay syncprov answers a search with what has
 * changed since a cookie. With a session log it says who was deleted; without one, or where that does not reach back, it mentions whoever
 * is left, and all ids are listed. A cookie is made of the change sequence numbers of the root entry.
 */
export const syncReplication: Strategy = {
  async latest(session) {
    const cookies: Record<string, string> = {}
    for (const { text } of treesOf(session.facts, session.settings)) {
      const csns = await contextCsns(session, text)
      if (csns.length === 0) throw notProvided(session, text)
      cookies[text] = `rid=000,csn=${csns.join(';')}`
    }
    return tokenAt(session, cookies)
  },
  async since(session, token) {
    const { facts, settings } = session
    requireInstance(token, 'syncrepl', await treeOf(session), `The database of ${facts.server}`)
    const known = isJsonObject(token.position) ? asObject(token.position.cookies) : {}
    const written = new Written()
    const renamed = new Set<string>()
    const cookies: Record<string, string> = {}
    let hasUnknownDeletions = false
    for (const { text } of treesOf(facts, settings)) {
      const before = known[text]
      if (typeof before !== 'string') throw new ConnectorError('staleToken', 'The token is none of syncrepl')
      const answer = await refreshed(session, text, before)
      for (const id of answer.ids) written.add(id, false)
      for (const id of answer.containers) renamed.add(id)
      cookies[text] = answer.cookie ?? before
      hasUnknownDeletions ||= !answer.tellsDeletions
    }
    return { ids: written.ids, renamed, hasUnknownDeletions, token: await tokenAt(session, cookies) }
  },
}

/** Does the database of the base contexts have the overlay? */
export async function offersSync(session: Session): Promise<boolean> {
  if (session.facts.uidAttribute.toLowerCase() !== 'entryuuid') return false
  for (const { text } of treesOf(session.facts, session.settings))
    if ((await contextCsns(session, text)).length === 0) return false
  return true
}

async function contextCsns({ connection, signal }: Session, tree: string): Promise<readonly string[]> {
  const entry = await connection.entry(tree, { attributes: ['contextCSN'] }, signal)
  return valuesIn(entry?.contextCSN).map(String).toSorted()
}

async function refreshed({ connection, facts, signal }: Session, tree: string, before: string) {
  const messages: Exclude<SyncMessage, undefined>[] = []
  const hear = (message: Buffer) => {
    const said = syncMessageIn(message)
    if (said) messages.push(said)
  }
  const question = {
    ...{ filter: new PresenceFilter({ attribute: 'objectClass' }), attributes: ['entryUUID', 'objectClass'] },
    ...{ binary: [], pageSize: undefined, controls: [new SyncRequest(before)], hear },
  }
  const containers: string[] = []
  try {
    for await (const { entries } of connection.search(tree, question, signal))
      for (const entry of entries) {
        const id = idOf(entry, facts.uidAttribute)
        const isUnit = valuesIn(entry.objectClass).some((name) => String(name) === 'organizationalUnit')
        if (id !== undefined && isUnit) containers.push(id)
      }
  } catch (error) {
    // The cookie is newer than the server, or too old for it (e-syncRefreshRequired).
    if (![53, 4096].includes(resultCode(error) ?? 0)) throw error
    throw new ConnectorError('staleToken', `${facts.server} cannot go on from the cookie of last time`, {
      cause: error,
    })
  }
  const ids = messages.flatMap((said) =>
    said.kind === 'entry' ? [said.id] : said.kind === 'ids' && said.areDeleted ? said.ids : [],
  )
  const done = messages.find((said) => said.kind === 'done')
  if (!done) throw new ConnectorError('failed', `${facts.server} did not end its synchronization of ${tree}`)
  const told = messages.findLast((said) => said.kind === 'cookie')
  return { ids, containers, cookie: done.cookie ?? told?.cookie, tellsDeletions: done.tellsDeletions }
}

async function tokenAt(session: Session, cookies: Json) {
  return tokenOf('syncrepl', await treeOf(session), { cookies })
}

function notProvided({ facts }: Session, tree: string): ConnectorError {
  return new ConnectorError('unsupported', `${facts.server} gives no changes of ${tree} to replicas`, {
    hint: 'Add the overlay syncprov to the database of the base contexts, with olcSpSessionlog.',
  })
}
