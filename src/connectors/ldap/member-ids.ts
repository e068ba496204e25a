import { chunks } from '../../kit/chunks.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import type { ConnectorEntry, ConnectorObject } from '../kit/query.ts'
import { attribute, setAttribute, valuesOf } from '../kit/values.ts'
import { type ClassAttributes, memberIdAttribute } from './attributes.ts'
import type { Connection } from './connection.ts'
import { type Facts, isName } from './directory.ts'
import { type Dn, keyOf, parseDn, printDn } from './dn.ts'
import { idOf, type MemberIds } from './entries.ts'
import { resultCode } from './errors.ts'
import { and, equals, or } from './filter.ts'

/** Of a page of groups at once. */
export async function addMemberIds(objects: readonly ConnectorEntry[], members: MemberIds): Promise<void> {
  const groups = objects.filter((object): object is ConnectorObject => !isUnreadable(object))
  const names = new Map(
    groups.map((group) => [group, valuesOf(attribute(group, members.list) ?? null).map(String)]),
  )
  const ids = await members.idsOf([...names.values()].flat())
  for (const group of groups) {
    const own = (names.get(group) ?? []).flatMap((name) => ids.get(key(name)) ?? [])
    if (own.length > 0) setAttribute(group, memberIdAttribute, own)
    if (!members.keepsList) Reflect.deleteProperty(group, members.list)
  }
}

/** More names than that make a filter that servers refuse or evaluate slowly. */
const namesAtOnce = 100

interface Siblings {
  readonly parent: Dn
  readonly members: Map<string, Dn>
}

/**
 * Entries below one parent are searched together, by what names them, which servers have an index for. The name of an entry as a whole few
 * servers can search, and none of them quickly.
 */
export async function idsByName(
  connection: Pick<Connection, 'search'>,
  {
    facts: { uidAttribute },
    attributes: { binary },
  }: { readonly facts: Pick<Facts, 'uidAttribute'>; readonly attributes: Pick<ClassAttributes, 'binary'> },
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (isName(uidAttribute)) return new Map(names.map((name) => [key(name), name]))
  const ids = new Map<string, string>()
  for (const { parent, members } of siblingsAmong(names))
    for (const some of chunks([...members.values()], namesAtOnce)) {
      const question = {
        filter: or(some.map(([rdn = []]) => and(rdn.map(({ type, value }) => equals(type, value))))),
        attributes: [uidAttribute],
        binary,
        // A search in pages would end the one that found the groups.
        pageSize: undefined,
        scope: 'one',
      } as const
      try {
        for await (const { entries } of connection.search(printDn(parent), question, signal))
          for (const entry of entries) {
            const id = idOf(entry, uidAttribute)
            if (id !== undefined && members.has(key(entry.dn))) ids.set(key(entry.dn), id)
          }
      } catch (error) {
        if (!notHere.has(resultCode(error))) throw error
      }
    }
  return ids
}

/** No such object, or a part of the tree of another server. */
const notHere: ReadonlySet<number | undefined> = new Set([10, 32])

function siblingsAmong(names: readonly string[]): Iterable<Siblings> {
  const families = new Map<string, Siblings>()
  for (const name of names) {
    const dn = parseDn(name) ?? []
    if (dn.length === 0) continue
    const parent = dn.slice(1)
    const family = families.get(keyOf(parent)) ?? { parent, members: new Map<string, Dn>() }
    families.set(keyOf(parent), family)
    family.members.set(keyOf(dn), dn)
  }
  return families.values()
}

function key(name: string): string {
  return keyOf(parseDn(name) ?? [])
}
