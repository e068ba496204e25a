import type { SyncToken } from '../../kit/changes.ts'
import { ConnectorError, kindOfError } from '../../kit/errors.ts'
import { accessLog, findLog } from './access-log.ts'
import { changeLog, findChangeLog } from './change-log.ts'
import { dirSync, isForbidden } from './dir-sync.ts'
import { dirSyncControl } from './dir-sync-control.ts'
import type { StrategyName } from './names.ts'
import { type Session, type Strategy, strategyOf, type Writes } from './strategy.ts'
import { offersSync, syncReplication } from './sync-replication.ts'
import { timestamps } from './timestamps.ts'
import { usn } from './usn.ts'

const strategies: Readonly<Record<StrategyName, Strategy>> = {
  ...{ accessLog, changeLog, dirSync, usn, timestamps },
  syncrepl: syncReplication,
}

/** The present, by the way that the settings name, else by the best that the server offers and the account may use. */
export async function latestOf(session: Session): Promise<SyncToken> {
  const { strategy } = session.settings.changes
  if (strategy === 'none') throw notOffered()
  const name = strategy === 'auto' ? await offered(session) : strategy
  try {
    return await strategies[name].latest(session)
  } catch (error) {
    if (strategy === 'auto' && name === 'dirSync' && isForbidden(error)) return usn.latest(session)
    throw error
  }
}

/**
 * What was written after a token, by the way by which the token was made, unless the settings name another: to that it says nothing. A way
 * that the server does not offer any more, or the account may not use any more, tells nothing from there, either.
 */
export async function writesSince(session: Session, token: SyncToken): Promise<Writes> {
  const { strategy } = session.settings.changes
  if (strategy === 'none') throw notOffered()
  const name = strategy === 'auto' ? strategyOf(token) : strategy
  if (name === undefined) throw new ConnectorError('staleToken', 'The token does not say how it was made')
  try {
    return await strategies[name].since(session, token)
  } catch (error) {
    const isGone = kindOfError(error) === 'unsupported' || (name === 'dirSync' && isForbidden(error))
    if (strategy !== 'auto' || !isGone) throw error
    const fact = error instanceof Error ? error.message : String(error)
    throw new ConnectorError('staleToken', `Changes are found in another way from now on: ${fact}`, {
      cause: error,
    })
  }
}

function notOffered(): ConnectorError {
  return new ConnectorError('unsupported', 'The settings say that liveSync is not offered (syncStrategy)')
}

async function offered(session: Session): Promise<StrategyName> {
  const { connection, facts, settings, signal } = session
  const { profile, root } = facts
  if (profile.times.modified === 'whenChanged')
    return root.get('supportedcontrol')?.includes(dirSyncControl) ? 'dirSync' : 'usn'
  if (profile.name === 'OpenLDAP') {
    const log = await findLog(connection, facts, settings, signal)
    if (typeof log !== 'string') return 'accessLog'
    if (await offersSync(session)) return 'syncrepl'
  }
  return (await findChangeLog(session)) ? 'changeLog' : 'timestamps'
}
