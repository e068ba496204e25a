import type { Json } from '../../../model/json.ts'
import { requireEpoch, type SyncToken } from '../../kit/changes.ts'
import { ConnectorError } from '../../kit/errors.ts'
import type { Connection } from '../connection.ts'
import type { ClassFacts, Facts } from '../directory.ts'
import { keyOf, parseDn } from '../dn.ts'
import { idOf } from '../entries.ts'
import type { LdapSettings } from '../settings.ts'
import { type StrategyName, strategyNames } from './names.ts'

/**
 * A way to find out what has changed in a directory; each has a file of its own. It says where to look: every entry is then read as it
 * is now (reading.ts), so a write that is told late, twice or in the wrong order does no harm.
 */
export interface Strategy {
  /** The present, before anything is looked at. */
  latest(session: Session): Promise<SyncToken>
  /** What was written after a token that `latest` or `since` gave; `staleToken` where that cannot be told. */
  since(session: Session, token: SyncToken): Promise<Writes>
}

/** One connection, and what a strategy may look at. */
export interface Session {
  readonly connection: Connection
  readonly facts: Facts
  readonly settings: LdapSettings
  readonly kind: ClassFacts
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly now: number
  readonly signal?: AbortSignal | undefined
}

export interface Writes {
  /** Ids of entries, each at the place of its last write. True: it did not exist before. */
  readonly ids: ReadonlyMap<string, boolean>
  /** Those of them that have another name now, as far as that is known: so has everything below them. */
  readonly renamed?: ReadonlySet<string>
  /** True: entries may have been deleted of which these ids do not tell. */
  readonly hasUnknownDeletions: boolean
  /** Where the next time begins. */
  readonly token: SyncToken
}

/** A token of one way is none of another. `instance`: of what the positions are. */
export function tokenOf(name: StrategyName, instance: string, position: Json): SyncToken {
  return { epoch: `${name} ${instance}`, position }
}

export function requireInstance(token: SyncToken, name: StrategyName, instance: string, what: string): void {
  requireEpoch(token, `${name} ${instance}`, what)
}

/** The way by which a token was made; undefined for others. */
export function strategyOf({ epoch }: SyncToken): StrategyName | undefined {
  return strategyNames.find((name) => epoch.startsWith(`${name} `))
}

/** Gathers ids in the order of their last writes. */
export class Written {
  readonly ids = new Map<string, boolean>()

  add(id: string, isNew: boolean): void {
    const wasNew = this.ids.get(id) ?? false
    this.ids.delete(id)
    this.ids.set(id, wasNew || isNew)
  }
}

/** The accounts whose writes are left out (`modifiersNamesToFilterOut`), by the names that a log gives. */
export function ignoredAuthors({ changes }: LdapSettings): (name: string) => boolean {
  const keys = new Set(changes.ignoredAuthors.map((name) => keyOf(parseDn(name) ?? [])))
  return (name) => name !== '' && keys.has(keyOf(parseDn(name) ?? []))
}

/** Does a write of these attributes count (`attributesToSynchronize`)? */
export function concernsAttributes({ changes }: LdapSettings): (written: readonly string[]) => boolean {
  const wanted = new Set(changes.attributes.map((name) => name.toLowerCase()))
  if (wanted.size === 0) return () => true
  return (written) => written.some((name) => wanted.has(name.toLowerCase().split(';')[0] ?? ''))
}

/** What positions in a tree are counted of: its entry, as the server identifies that. Of another server, or one made anew, it is another. */
export async function treeOf({ connection, facts, settings, signal }: Session): Promise<string> {
  const ids: string[] = []
  const attributes = [facts.profile.uidAttribute]
  for (const { text } of settings.bases) {
    const entry = await connection.entry(text, { attributes, binary: attributes }, signal)
    if (!entry)
      throw new ConnectorError(
        'misconfigured',
        `${facts.server} has no entry ${text}, which baseContexts names`,
      )
    ids.push(idOf(entry, facts.profile.uidAttribute) ?? text.toLowerCase())
  }
  return ids.join(' ')
}
