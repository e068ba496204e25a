import type { Entry } from 'ldapts'
import { chunks } from '../../kit/chunks.ts'
import { completeListing, type Listing, worseListing } from '../../model/listing.ts'
import { isUnreadable, Unreadable } from '../../model/unreadable.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject, ConnectorQuery } from '../kit/query.ts'
import { setAttribute } from '../kit/values.ts'
import { memberIdAttribute } from './attributes.ts'
import { searchBases } from './base-search.ts'
import type { Connection, Question } from './connection.ts'
import { type ClassFacts, type Directory, type Facts, isName } from './directory.ts'
import { keyOf as keyOfDn, parseDn } from './dn.ts'
import { idOf, membershipsIn, objectOf, type Reading, requested, valuesIn, virtualOf } from './entries.ts'
import { and, idFilter, ldapFilter } from './filter.ts'
import { addMemberIds, idsByName } from './member-ids.ts'
import { groupsOf, keyIn, referencesTo } from './membership-reading.ts'
import type { LdapSettings } from './settings.ts'

/**
 * Searching: always in pages, where the server can, and all pages of a search on one connection. A listing is complete only if
 * nothing says that the server kept something back: a limit, a referral, an entry whose id it does not show.
 */

/** More ids than that make a filter that servers refuse or evaluate slowly. */
const idsAtOnce = 100

export async function* searchObjects(
  directory: Directory,
  query: ConnectorQuery,
  signal?: AbortSignal,
): AsyncGenerator<readonly ConnectorEntry[], Listing> {
  return yield* directory.stream(async function* (connection, facts, both) {
    const kind = facts.class(query.objectClass)
    const filter = and([kind.filter, ldapFilter(query.filter, kind.names)])
    const reading = readingOf(connection, { facts, kind, settings: directory.settings }, query.fields, both)
    const { settings } = directory
    const pageSize = Math.min(query.pageSize ?? settings.pageSize, settings.pageSize)
    const pages = searchBases(
      connection,
      facts,
      settings,
      { filter, pageSize, scope: kind.scope, ...asked(reading) },
      both,
    )
    let listing: Listing = completeListing
    for (let next = await pages.next(); ; next = await pages.next()) {
      if (next.done) return worseListing(listing, next.value)
      const { objects, hidden } = await objectsOf(next.value, reading)
      if (hidden !== undefined) listing = worseListing(listing, noId(hidden, facts))
      if (objects.length > 0) yield objects
    }
  }, signal)
}

export async function readObjects(
  directory: Directory,
  objectClass: string,
  ids: readonly string[],
  fields: readonly string[] | undefined,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ConnectorEntry>> {
  return directory.use(async (connection, facts) => {
    const kind = facts.class(objectClass)
    const reading = readingOf(connection, { facts, kind, settings: directory.settings }, fields, signal)
    const found = new Map<string, ConnectorEntry>()
    for (const some of chunks(ids, idsAtOnce)) {
      const { entries, listing } = await entriesOfIds(
        connection,
        directory.settings,
        { facts, kind, reading },
        some,
        signal,
      )
      const { objects } = await objectsOf(entries, reading)
      const byKey = new Map(objects.map((object) => [keyOf(object._id, facts), object]))
      for (const id of some) {
        const object = byKey.get(keyOf(id, facts)) ?? undecided(id, listing)
        if (object) found.set(id, object)
      }
    }
    return found
  }, signal)
}

/** Names of entries, by the ids asked for; of an id that may exist although it was not found, why that is not known. */
export async function namesOf(
  connection: Connection,
  directory: Directory,
  { facts, kind }: { readonly facts: Facts; readonly kind: ClassFacts },
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string | Unreadable>> {
  const reading = readingOf(connection, { facts, kind, settings: directory.settings }, [], signal)
  const names = new Map<string, string | Unreadable>()
  for (const some of chunks(ids, idsAtOnce)) {
    const { entries, listing } = await entriesOfIds(
      connection,
      directory.settings,
      { facts, kind, reading },
      some,
      signal,
    )
    const byKey = new Map(
      entries.map((entry) => [keyOf(idOf(entry, facts.uidAttribute) ?? '', facts), entry.dn]),
    )
    for (const id of some) {
      const name = byKey.get(keyOf(id, facts)) ?? undecided(id, listing)
      if (name !== undefined) names.set(id, name)
    }
  }
  return names
}

async function entriesOfIds(
  connection: Connection,
  settings: LdapSettings,
  { facts, kind, reading }: { readonly facts: Facts; readonly kind: ClassFacts; readonly reading: Reading },
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<{ readonly entries: readonly Entry[]; readonly listing: Listing }> {
  const possible = ids.filter((id) => kind.names.idValue(id) !== undefined)
  if (possible.length === 0) return { entries: [], listing: completeListing }
  const filter = and([kind.filter, idFilter(possible, kind.names)])
  const question = { filter, pageSize: settings.pageSize, scope: kind.scope, ...asked(reading) }
  const pages = searchBases(connection, facts, settings, question, signal)
  const entries: Entry[] = []
  for (let next = await pages.next(); ; next = await pages.next()) {
    if (next.done) return { entries, listing: next.value }
    entries.push(...next.value)
  }
}

async function objectsOf(
  entries: readonly Entry[],
  reading: Reading,
): Promise<{ readonly objects: readonly ConnectorEntry[]; readonly hidden: string | undefined }> {
  const objects: ConnectorEntry[] = []
  let hidden: string | undefined
  const lists = await groupLists(entries, reading)
  for (const entry of entries) {
    const object = await objectOf(entry, reading)
    if (object === undefined) hidden ??= entry.dn
    else {
      if (!isUnreadable(object)) for (const list of lists) list(entry, object)
      objects.push(object)
    }
  }
  if (reading.memberIds) await addMemberIds(objects, reading.memberIds)
  return { objects, hidden }
}

/** Asks once for the groups of all these entries; each function gives an entry its own. */
async function groupLists(
  entries: readonly Entry[],
  { memberships, groups }: Reading,
): Promise<readonly ((entry: Entry, object: ConnectorObject) => void)[]> {
  const lists: ((entry: Entry, object: ConnectorObject) => void)[] = []
  for (const membership of memberships) {
    const references = entries.flatMap((entry) => referencesTo(entry, membership))
    const found = await groups(membership, references)
    lists.push((entry, object) => {
      const keys = referencesTo(entry, membership).map((one) => keyIn(membership, one))
      const names = [...new Set(keys.flatMap((key) => found.get(key) ?? []))]
      if (names.length > 0) setAttribute(object, membership.name, names)
    })
  }
  return lists
}

function noId(name: string, { uidAttribute, server }: Facts): Listing {
  return {
    state: 'partial',
    reason: `${server} does not show ${uidAttribute} of "${name}"; without it the entry has no id`,
  }
}

/** Where the server kept something back, an id that was not found may exist. */
function undecided(id: string, listing: Listing): Unreadable | undefined {
  if (listing.state === 'complete') return undefined
  return new Unreadable(id, new ConnectorError('unreadable', `"${id}" cannot be read: ${listing.reason}`))
}

function readingOf(
  connection: Connection,
  {
    facts,
    kind,
    settings,
  }: { readonly facts: Facts; readonly kind: ClassFacts; readonly settings: LdapSettings },
  fields: readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Reading {
  const { attributes, placeholder } = kind
  const { binary } = attributes
  const more: Reading['more'] = (name, description) =>
    moreValues(connection, { name, description, binary }, signal)
  const search = { connection, settings, matchesValues: facts.matchesValues, more }
  const { memberAttribute } = settings
  const wantsIds =
    attributes.byName.has(memberIdAttribute.toLowerCase()) && isWanted(memberIdAttribute, fields)
  const memberIds = wantsIds && {
    list: attributes.byName.get(memberAttribute.toLowerCase())?.name ?? memberAttribute,
    keepsList: isWanted(memberAttribute, fields),
    idsOf: (names: readonly string[]) => idsByName(connection, { facts, attributes }, names, signal),
  }
  return {
    attributes,
    uidAttribute: facts.uidAttribute,
    fields: fields && memberIds && !memberIds.keepsList ? [...fields, memberAttribute] : fields,
    memberIds: memberIds || undefined,
    virtual: virtualOf(fields, attributes),
    memberships: membershipsIn(fields, attributes),
    placeholder,
    uses: new Map(),
    more,
    groups: (membership, references) => groupsOf(search, membership, references, signal),
  }
}

function isWanted(name: string, fields: readonly string[] | undefined): boolean {
  return !fields || fields.some((field) => field.toLowerCase() === name.toLowerCase())
}

function asked(reading: Reading): Pick<Question, 'attributes' | 'binary'> {
  return { attributes: requested(reading), binary: reading.attributes.binary }
}

/** Follows `member;range=0-1499` to its end. */
export async function moreValues(
  connection: Pick<Connection, 'entry' | 'server'>,
  from: { readonly name: string; readonly description: string; readonly binary: readonly string[] },
  signal?: AbortSignal,
): Promise<readonly (string | Buffer)[]> {
  const values: (string | Buffer)[] = []
  let { description } = from
  for (;;) {
    const [, attribute = '', last] = /^(.*);range=\d+-(\d+)$/i.exec(description) ?? []
    if (last === undefined) return values
    const next = `${attribute};range=${Number(last) + 1}-*`
    const entry = await connection.entry(from.name, { attributes: [next], binary: from.binary }, signal)
    const start = `${attribute.toLowerCase()};range=`
    const part = Object.entries(entry ?? {}).find(
      ([name, given]) => name.toLowerCase().startsWith(start) && valuesIn(given).length > 0,
    )
    if (!part)
      throw new ConnectorError(
        'failed',
        `${connection.server} gave ${attribute} of "${from.name}" only up to value ${last}`,
      )
    values.push(...valuesIn(part[1]))
    description = part[0]
  }
}

/** UUIDs are the same in any case; names of entries in several spellings. */
function keyOf(id: string, { uidAttribute }: Facts): string {
  const dn = isName(uidAttribute) ? parseDn(id) : undefined
  return dn ? keyOfDn(dn) : id.toLowerCase()
}
