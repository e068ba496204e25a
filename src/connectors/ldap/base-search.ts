import type { Entry } from 'ldapts'
import { completeListing, type Listing, worseListing } from '../../model/listing.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Connection, FoundPage, Question } from './connection.ts'
import type { Facts } from './directory.ts'
import { resultCode } from './errors.ts'
import { searchInParts } from './parts.ts'
import { referred } from './referrals.ts'
import type { LdapSettings } from './settings.ts'

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
    const found = facts.paged
      ? connection.search(text, question, signal)
      : searchInParts(connection, text, { facts, question }, signal)
    const pages = wholePages(found, text, facts, settings)
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
      listing = worseListing(listing, referred(references, facts, referrals))
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
