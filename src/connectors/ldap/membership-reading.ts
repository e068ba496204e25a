import { BerWriter, Control, type Entry, type Filter } from 'ldapts'
import { chunks } from '../../kit/chunks.ts'
import type { Connection } from './connection.ts'
import { keyOf, parseDn } from './dn.ts'
import { valuesIn } from './entries.ts'
import { and, classFilter, equals, or } from './filter.ts'
import type { Membership } from './membership.ts'
import type { LdapSettings } from './settings.ts'

/** The server, what its groups are searched with, and more values of a list that comes in ranges. */
export interface GroupSearch {
  readonly connection: Connection
  readonly settings: LdapSettings
  /** The server can leave out the members that nobody asked for. */
  readonly matchesValues: boolean
  more(entryName: string, description: string): Promise<readonly (string | Buffer)[]>
}

/** More members than that make a filter that servers refuse or evaluate slowly. */
const membersAtOnce = 100

/** Names of the groups of each of these references, by `keyIn`: one search for a hundred of them. */
export async function groupsOf(
  search: GroupSearch,
  membership: Membership,
  references: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { connection, settings, matchesValues } = search
  const { groups, memberAttribute } = membership
  const isGroup = groups.filter ?? classFilter(groups.objectClasses)
  const found = new Map(references.map((reference) => [keyIn(membership, reference), new Set<string>()]))
  for (const some of chunks(references, membersAtOnce)) {
    const members = some.map((reference) => equals(memberAttribute, reference))
    const question = {
      filter: and([isGroup, or(members)]),
      attributes: [memberAttribute],
      binary: [],
      // A search in pages would end the one in which the members are found: servers know one on a connection.
      pageSize: undefined,
      scope: groups.scope,
      controls: matchesValues ? [new MatchedValues(members)] : [],
    }
    const bases = groups.scope === 'sub' ? settings.bases : settings.givenBases
    for (const { text } of bases)
      for await (const { entries } of connection.search(text, question, signal))
        for (const entry of entries)
          for (const reference of await membersIn(entry, search))
            found.get(keyIn(membership, reference))?.add(entry.dn)
  }
  return new Map(Array.from(found, ([key, names]) => [key, [...names]]))
}

/** Two spellings of one name are one member; an account of POSIX is known by its exact text. */
export function keyIn({ refersTo }: Membership, reference: string): string {
  return refersTo === 'name' ? keyOf(parseDn(reference) ?? []) : reference
}

/** What groups may keep of an entry. */
export function referencesTo(entry: Entry, { refersTo }: Membership): readonly string[] {
  return refersTo === 'name' ? [entry.dn] : valuesIn(entry[refersTo]).map(String)
}

async function membersIn(entry: Entry, { more }: GroupSearch): Promise<readonly string[]> {
  const members: string[] = []
  for (const [description, given] of Object.entries(entry)) {
    if (description === 'dn') continue
    const rest = /;range=\d+-\d+$/i.test(description) ? await more(entry.dn, description) : []
    members.push(...valuesIn(given).map(String), ...rest.map(String))
  }
  return members
}

export const matchedValuesControl = '1.2.826.0.1.3344810.2.3'

/** Asks for those values only that match one of these filters (RFC 3876): of a group of thousands, the members in question. */
class MatchedValues extends Control {
  readonly #filters: readonly Filter[]

  constructor(filters: readonly Filter[]) {
    super(matchedValuesControl)
    this.#filters = filters
  }

  override writeControl(writer: BerWriter): void {
    const items = new BerWriter()
    items.startSequence()
    for (const filter of this.#filters) filter.write(items)
    items.endSequence()
    writer.writeBuffer(items.buffer, 0x04)
  }
}
