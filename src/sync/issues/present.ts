import { everything, type Filter, matchesEverything } from '../../model/filter/filter.ts'
import { pointersOf } from '../../model/filter/walk.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Issues } from '../../repository/issues.ts'
import type { Resource } from '../../router/resources.ts'
import { asResource } from '../../router/store-query.ts'

/**
 * Cases of mappings that are configured no more are nobody's work: they are shown to who asks for the mapping by name, and dropped when
 * they have not been found for a while. Until then the mapping may come back, with what was decided.
 */

/** The names of the mappings that are configured, with errors or not; undefined while a file of them cannot be read. */
export type Configured = ReadonlySet<string> | undefined

const keptForMs = 30 * 86_400_000

export function isGone(configured: Configured, mapping: unknown): boolean {
  return typeof mapping === 'string' && mapping !== '' && configured?.has(mapping) === false
}

/** What is listed by a filter: a mapping that is gone must be named. */
export function presentOnly(filter: Filter, configured: Configured): Filter {
  if (!configured || pointersOf(filter).some(([name]) => name === 'mapping')) return filter
  const value = ['', ...configured]
  const present: Filter = { kind: 'compare', operator: 'in', pointer: ['mapping'], value }
  return matchesEverything(filter) ? present : { kind: 'and', filters: [filter, present] }
}

export function shownIssue(content: JsonObject, configured: Configured): Resource {
  const resource = asResource(content)
  return isGone(configured, content.mapping) ? { ...resource, mappingGone: true } : resource
}

export async function expireGone(issues: Issues, configured: Configured): Promise<void> {
  if (!configured) return
  await issues.expire([...configured], new Date(Date.now() - keptForMs).toISOString())
}

export const ofMapping = (mapping: string | undefined): Filter =>
  mapping === undefined
    ? everything
    : { kind: 'compare', operator: 'eq', pointer: ['mapping'], value: mapping }
