import type { Entry } from 'ldapts'
import { chunks } from '../../../kit/chunks.ts'
import { searchBases } from '../base-search.ts'
import { accountClass, type Directory, type Facts, groupClass } from '../directory.ts'
import { contains, parseDn } from '../dn.ts'
import { idOf, valuesIn } from '../entries.ts'
import { and, equals, idFilter, or } from '../filter.ts'
import type { LdapSettings } from '../settings.ts'
import { lineage, type Subschema } from '../subschema.ts'

/**
 * What liveSync looks at, where that is less than the object type has: `baseContextsToSynchronize`, `objectClassesToSynchronize`,
 * `accountSynchronizationFilter`, `groupSynchronizationFilter`. The rest is as if it never changed; it is not gone.
 */
interface Asked {
  readonly directory: Directory
  readonly objectClass: string
  readonly signal?: AbortSignal | undefined
}

const atOnce = 100

export function isNarrowed({ changes }: LdapSettings, objectClass: string): boolean {
  return changes.bases.length > 0 || filtersOf({ changes }, objectClass).length > 0
}

/** Those of these ids that liveSync looks at. */
export async function idsInScope(
  { directory, objectClass, signal }: Asked,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { settings } = directory
  const { bases } = settings.changes
  const scope = bases.length > 0 ? { ...settings, bases } : settings
  return directory.use(async (connection, facts) => {
    const kind = facts.class(objectClass)
    const found = new Set<string>()
    for (const some of chunks(ids, atOnce)) {
      const filter = and([kind.filter, idFilter(some, kind.names), ...filtersOf(settings, objectClass)])
      const question = {
        filter,
        attributes: [facts.uidAttribute],
        binary: kind.attributes.binary,
        pageSize: settings.pageSize,
      }
      for await (const entries of searchBases(connection, facts, scope, question, signal))
        for (const entry of entries) found.add(idOf(entry, facts.uidAttribute) ?? '')
    }
    return found
  }, signal)
}

function filtersOf({ changes }: Pick<LdapSettings, 'changes'>, objectClass: string) {
  const { objectClasses, accountFilter, groupFilter } = changes
  const own =
    objectClass === accountClass ? accountFilter : objectClass === groupClass ? groupFilter : undefined
  // The setting is about accounts; other types are what their object class says.
  const isListed = objectClass === accountClass && objectClasses.length > 0
  return [
    ...(own ? [own] : []),
    ...(isListed ? [or(objectClasses.map((name) => equals('objectClass', name)))] : []),
  ]
}

/** Those of these ids that are entries of another kind: groups where accounts are asked for. They are no account that is gone. */
export async function otherKinds(
  { directory, objectClass, signal }: Asked,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { settings } = directory
  return directory.use(async (connection, facts) => {
    const kind = facts.class(objectClass)
    const found = new Set<string>()
    for (const some of chunks(ids, atOnce)) {
      const attributes = [facts.uidAttribute, 'objectClass']
      const question = {
        filter: idFilter(some, kind.names),
        attributes,
        binary: kind.attributes.binary,
        pageSize: settings.pageSize,
      }
      const whole = { ...settings, bases: treesOf(facts, settings) }
      for await (const entries of searchBases(connection, facts, whole, question, signal))
        for (const entry of entries)
          if (!isOf(entry, kind.objectClasses, facts.schema)) found.add(idOf(entry, facts.uidAttribute) ?? '')
    }
    return found
  }, signal)
}

/** Servers need not name the classes that others extend. */
function isOf(entry: Entry, objectClasses: readonly string[], schema: Subschema): boolean {
  const named = valuesIn(entry.objectClass).map(String)
  const all = named.flatMap((name) => lineage(schema, name).map(({ name: one }) => one.toLowerCase()))
  const own = new Set([...named.map((name) => name.toLowerCase()), ...all])
  return objectClasses.every((name) => own.has(name.toLowerCase()))
}

/** The naming contexts in which the base contexts lie: what was moved out of these is not of another kind. */
export function treesOf({ root }: Facts, { bases }: LdapSettings): LdapSettings['bases'] {
  const contexts = (root.get('namingcontexts') ?? []).map((text) => ({ text, dn: parseDn(text) ?? [] }))
  const trees = contexts.filter(({ dn }) => dn.length > 0 && bases.some((base) => contains(dn, base.dn)))
  const innermost = trees.filter(
    ({ dn }) => !trees.some((other) => other.dn !== dn && contains(other.dn, dn)),
  )
  return innermost.length > 0 ? innermost : bases
}
