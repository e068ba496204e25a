import { type Entry, type Filter, NotFilter, PresenceFilter, SubstringFilter } from 'ldapts'
import { ConnectorError } from '../kit/errors.ts'
import type { Connection, FoundPage, Question } from './connection.ts'
import type { Facts } from './directory.ts'
import { keyOf, parseDn } from './dn.ts'
import { resultCode } from './errors.ts'
import { and, or } from './filter.ts'

/**
 * Searching a server that does not give its answers in pages. Where it ends a search at its size limit, the search is taken apart by what
 * the attribute that names the entries begins with: `uid=a*`, `uid=b*`, …, and all the rest; a part that is still too large, by one
 * character more. Each entry is in one part only. The beginnings are those of the entries that came before the limit, so that
 * parts fit what there is, in any writing.
 *
 * An attribute that the account may not search would let entries fall through all parts: what came before the limit must come again.
 */
export async function* searchInParts(
  connection: Pick<Connection, 'search'>,
  base: string,
  { facts, question }: { readonly facts: Facts; readonly question: Question },
  signal?: AbortSignal,
): AsyncGenerator<FoundPage> {
  const whole = { ...question, pageSize: undefined }
  yield* searchPart({ filter: question.filter, by: undefined, used: [] })

  async function* searchPart(part: Part): AsyncGenerator<FoundPage> {
    const { entries, references, failure } = await gathered(
      connection.search(base, { ...whole, filter: part.filter }, signal),
    )
    const parts = resultCode(failure) === sizeLimitExceeded ? partsOf(part, entries, facts) : []
    if (parts.length === 0) {
      yield { entries, references }
      if (failure) throw failure
      return
    }
    const missing = new Map(entries.map(({ dn }) => [keyOf(parseDn(dn) ?? []), dn]))
    for (const one of parts)
      for await (const page of searchPart(one)) {
        for (const { dn } of page.entries) missing.delete(keyOf(parseDn(dn) ?? []))
        yield page
      }
    const [lost] = missing.values()
    if (lost === undefined) return
    throw new ConnectorError('failed', `"${lost}" came in a search and in no part of it`, { cause: failure })
  }
}

const sizeLimitExceeded = 4

interface Part {
  readonly filter: Filter
  /** What its entries are told apart by: a value that begins like this. Undefined: they have none of `used`. */
  readonly by: { readonly attribute: string; readonly beginning: string } | undefined
  /** Attributes that have been tried. */
  readonly used: readonly string[]
}

/** More beginnings than that make a filter that servers evaluate slowly; what begins otherwise is divided again. */
const beginningsAtOnce = 60

/** Parts that have each entry of this one once; none where nothing tells the entries apart. */
function partsOf(part: Part, sample: readonly Entry[], facts: Facts): readonly Part[] {
  const { by, used, filter } = part
  if (by) return divided(part, by, sample)
  const attribute = namingAttribute(sample, used, facts)
  if (attribute === undefined) return []
  const has = new PresenceFilter({ attribute })
  const there = { filter: and([filter, has]), used, by: { attribute, beginning: '' } }
  const absent = {
    filter: and([filter, new NotFilter({ filter: has })]),
    used: [...used, attribute],
    by: undefined,
  }
  const parts = divided(there, there.by, sample)
  return parts.length === 0 ? [] : [...parts, absent]
}

function divided(
  { filter, used }: Part,
  { attribute, beginning }: NonNullable<Part['by']>,
  sample: readonly Entry[],
): readonly Part[] {
  const beginnings = [...new Set(sample.flatMap((entry) => longer(entry, attribute, beginning)))]
  const some = beginnings.slice(0, beginningsAtOnce)
  if (some.length === 0) return []
  const starts = some.map((initial) => new SubstringFilter({ attribute, initial }))
  const others = (count: number) =>
    count === 0 ? [] : [new NotFilter({ filter: or(starts.slice(0, count)) })]
  return [
    ...some.map(
      (one, place): Part => ({
        filter: and([filter, starts[place] ?? filter, ...others(place)]),
        used,
        by: { attribute, beginning: one },
      }),
    ),
    { filter: and([filter, ...others(some.length)]), used, by: { attribute, beginning } },
  ]
}

/** The beginning of a value of the name with one character more. Blanks at its end are none: servers drop them. */
function longer(entry: Entry, attribute: string, beginning: string): readonly string[] {
  const [rdn = []] = parseDn(entry.dn) ?? []
  const named = rdn.find(({ type }) => type.toLowerCase() === attribute)
  const value = named?.value.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ').trim()
  if (value === undefined || !value.startsWith(beginning)) return []
  const [more] = /^ ?[^ \p{Cc}]/u.exec(value.slice(beginning.length)) ?? []
  return more === undefined ? [] : [beginning + more]
}

/** The attribute by which most of these entries are named, of those whose beginnings can be searched. */
function namingAttribute(
  sample: readonly Entry[],
  used: readonly string[],
  { schema }: Facts,
): string | undefined {
  const counts = new Map<string, number>()
  for (const { dn } of sample)
    for (const { type } of parseDn(dn)?.[0] ?? []) {
      const name = type.toLowerCase()
      if (used.includes(name) || !schema.types.get(name)?.substrings) continue
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  return [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0]
}

async function gathered(
  pages: AsyncGenerator<FoundPage>,
): Promise<FoundPage & { readonly failure: unknown }> {
  const entries: Entry[] = []
  const references: string[] = []
  try {
    for await (const page of pages) {
      entries.push(...page.entries)
      references.push(...page.references)
    }
  } catch (failure) {
    return { entries, references, failure }
  }
  return { entries, references, failure: undefined }
}
