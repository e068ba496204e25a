import type { Entry } from 'ldapts'
import { chunks } from '../../kit/chunks.ts'
import { completeListing, type Listing, worseListing } from '../../model/listing.ts'
import { isUnreadable, Unreadable } from '../../model/unreadable.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject, ConnectorQuery } from '../kit/query.ts'
import { setAttribute } from '../kit/values.ts'
import type { Connection, FoundPage, Question } from './connection.ts'
import { type ClassFacts, type Directory, type Facts, isName } from './directory.ts'
import { keyOf as keyOfDn, parseDn } from './dn.ts'
import { idOf, membershipsIn, objectOf, type Reading, requested, valuesIn, virtualOf } from './entries.ts'
import { resultCode } from './errors.ts'
import { and, idFilter, ldapFilter } from './filter.ts'
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

/** Pages of entries below all bases, and whether that was all. */
export async function* searchBases(
  connection: Connection,
  facts: Facts,
  settings: LdapSettings,
  question: Question,
  signal?: AbortSignal,
): AsyncGenerator<readonly Entry[], Listing> {
  let listing: Listing = completeListing
  // Only where all below a base is searched, an entry below two of them would come twice.
  const bases = (question.scope ?? 'sub') === 'sub' ? settings.bases : settings.givenBases
  for (const { text } of bases) {
    const asked = { ...question, pageSize: facts.paged ? question.pageSize : undefined }
    const pages = wholePages(connection.search(text, asked, signal), text, facts, settings)
    for (let next = await pages.next(); ; next = await pages.next()) {
      if (next.done) {
        listing = worseListing(listing, next.value)
        break
      }
      if (next.value.length > 0) yield next.value
    }
  }
  return listing
}

async function* wholePages(
  pages: AsyncGenerator<FoundPage>,
  base: string,
  facts: Facts,
  { referrals }: LdapSettings,
): AsyncGenerator<readonly Entry[], Listing> {
  let listing: Listing = completeListing
  let count = 0
  try {
    for await (const { entries, references } of pages) {
      if (references.length > 0)
        listing = worseListing(listing, referred(references, facts.server, referrals))
      count += entries.length
      yield entries
    }
  } catch (error) {
    return worseListing(limited(error, base, facts, count), listing)
  }
  return listing
}

export function unknownBase({ server, root }: Facts, base: string, cause?: unknown): ConnectorError {
  const contexts = root.get('namingcontexts') ?? []
  const hint = `Name a base that exists and that the account may see; the server says that it has: ${contexts.join('; ') || 'nothing'}.`
  return new ConnectorError('misconfigured', `${server} has no entry ${base}, which baseContexts names`, {
    cause,
    hint,
  })
}

function limited(error: unknown, base: string, facts: Facts, count: number): Listing {
  const code = resultCode(error)
  if (code === 32) throw unknownBase(facts, base, error)
  if (code !== 3 && code !== 4 && code !== 11) throw error
  const limit = { 3: 'time limit', 4: 'size limit', 11: 'administrative limit' }[code]
  const message = error instanceof Error ? error.message : String(error)
  return {
    state: 'partial',
    reason: `the ${limit} of the server ended the search below ${base} after ${count} entries (${message}); raise the limit for the account of this system`,
  }
}

function referred(
  references: readonly string[],
  server: string,
  handling: LdapSettings['referrals'],
): Listing {
  const fact = `${server} refers to another server for a part of it (${references[0]})`
  if (handling === 'ignore') return completeListing
  if (handling === 'throw') throw new ConnectorError('unsupported', `${fact}; referrals are not followed`)
  return {
    state: 'partial',
    reason: `${fact}, and referrals are not followed; referralsHandling "ignore" says that this part does not belong to the system`,
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
  return {
    attributes,
    uidAttribute: facts.uidAttribute,
    fields,
    virtual: virtualOf(fields, attributes),
    memberships: membershipsIn(fields, attributes),
    placeholder,
    uses: new Map(),
    more,
    groups: (membership, references) => groupsOf(search, membership, references, signal),
  }
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
