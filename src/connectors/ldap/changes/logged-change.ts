import { contains, type Dn, keyOf, parseDn, printDn } from '../dn.ts'
import { idOf } from '../entries.ts'
import { concernsAttributes, ignoredAuthors, type Session, type Writes, Written } from './strategy.ts'

/** An entry of a change log. */
export interface LoggedChange {
  readonly number: number
  /** `add`, `modify`, `modrdn`, `delete` */
  readonly type: string
  /** The name of the entry before the write. */
  readonly name: string
  /** Its id; absent where the log has none. */
  readonly id: string | undefined
  /** The name of who wrote; empty: the log does not say it. */
  readonly author: string
  readonly attributes: readonly string[]
  readonly newRdn: string
  readonly newSuperior: string
}

/**
 * The ids of the entries that a log names. Where it has names only, these are followed through later renames and looked up in the end;
 * a name that nobody has any more may be one that was deleted.
 */
export async function idsOfLog(
  session: Session,
  changes: readonly LoggedChange[],
): Promise<Omit<Writes, 'token'>> {
  const isIgnored = ignoredAuthors(session.settings)
  const concerns = concernsAttributes(session.settings)
  const named = new Names()
  const written = new Written()
  const renamed = new Set<string>()
  let hasUnknownDeletions = false
  for (const change of changes.toSorted((a, b) => a.number - b.number)) {
    const { type, id } = change
    // Also of those that are left out: the names of others change with them.
    if (type === 'modrdn') named.rename(change)
    if (isIgnored(change.author)) continue
    if (type === 'modify' && !concerns(change.attributes)) continue
    if (id !== undefined) {
      written.add(id, type === 'add')
      if (type === 'modrdn') renamed.add(id)
    } else if (type === 'delete') {
      named.delete(change.name)
      hasUnknownDeletions = true
    } else named.add(type === 'modrdn' ? newNameOf(change) : parseDn(change.name), type)
  }
  for (const { dn, isNew, isRenamed } of named.all()) {
    const { connection, facts, signal } = session
    const entry = await connection.entry(printDn(dn), { attributes: [facts.uidAttribute] }, signal)
    const id = entry && idOf(entry, facts.uidAttribute)
    if (id === undefined) hasUnknownDeletions = true
    else {
      written.add(id, isNew)
      if (isRenamed) renamed.add(id)
    }
  }
  return { ids: written.ids, renamed, hasUnknownDeletions }
}

interface Named {
  readonly dn: Dn
  readonly isNew: boolean
  readonly isRenamed: boolean
}

/** Entries that are known by their names only, in the order of their last writes. */
class Names {
  readonly #named = new Map<string, Named>()

  all(): readonly Named[] {
    return [...this.#named.values()]
  }

  add(dn: Dn | undefined, type: string): void {
    if (!dn) return
    const before = this.#named.get(keyOf(dn))
    this.#named.delete(keyOf(dn))
    this.#named.set(keyOf(dn), {
      dn,
      isNew: type === 'add' || before?.isNew === true,
      isRenamed: type === 'modrdn' || before?.isRenamed === true,
    })
  }

  /** Nobody knows who it was; also one that came before may have been told to whoever was stopped then. */
  delete(name: string): void {
    this.#named.delete(keyOf(parseDn(name) ?? []))
  }

  /** The names of all below change as well. */
  rename(change: LoggedChange): void {
    const before = parseDn(change.name)
    const now = newNameOf(change)
    if (!before || !now) return
    for (const [key, named] of [...this.#named]) {
      if (!contains(before, named.dn)) continue
      const dn = [...named.dn.slice(0, named.dn.length - before.length), ...now]
      this.#named.delete(key)
      this.#named.set(keyOf(dn), { ...named, dn })
    }
  }
}

function newNameOf({ name, newRdn, newSuperior }: LoggedChange): Dn | undefined {
  const [rdn] = parseDn(newRdn) ?? []
  const above = newSuperior === '' ? parseDn(name)?.slice(1) : parseDn(newSuperior)
  return rdn && above && [rdn, ...above]
}
