import type { Filter } from '../../../model/filter/filter.ts'
import { isJsonObject, type Json } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import { parted } from '../../../model/unreadable.ts'
import { uniqueViolations } from '../contention.ts'
import { mappingLinks } from '../links.ts'
import type { Applied } from '../operation.ts'
import { onThose } from '../places.ts'
import type { Applying } from '../synchronization.ts'

/** Failures that another object is the reason of, with the object: who has the value, and whether it is a swap. */
export async function nameHolders(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  const named = await onThose(
    page,
    ({ failure }) => uniqueViolations(failure?.cause).length > 0,
    (some) => withHolders(sync, some),
  )
  // Where ids can be exchanged, a swap of ids fails for another reason.
  const mayBeSwap = ({ failure }: Pick<Applied, 'failure'>) =>
    failure !== undefined && (!sync.targets.exchangesIds || uniqueViolations(failure.cause).length > 0)
  const isSwap = ({ failure, heldBy, targetId }: Applied) =>
    mayBeSwap({ failure }) &&
    heldBy !== undefined &&
    targetId !== undefined &&
    sync.lost?.isSwap(targetId) === true
  return onThose(named, isSwap, async (some) =>
    some.map((operation) => saying(operation, 'it is a swap, which takes one more value in between')),
  )
}

async function withHolders(sync: Applying, page: readonly Applied[]): Promise<readonly Applied[]> {
  const { targets, rules, store } = sync
  const wanted = page.map((operation) =>
    uniqueViolations(operation.failure?.cause).map((name) => [name, operation.desired?.[name]] as const),
  )
  const filters = wanted.flat().flatMap(([name, value]): Filter[] => {
    return value === undefined ? [] : [{ kind: 'compare', operator: 'eq', pointer: [name], value }]
  })
  if (filters.length === 0) return page
  const owners = new Map<string, string[]>()
  const names = [...new Set(wanted.flat().map(([name]) => name))]
  const query = {
    filter: { kind: 'or', filters } as const,
    fields: names.map((name) => [name]),
    pageSize: 500,
  }
  for await (const found of targets.pages(query))
    for (const entry of found) {
      const { object } = parted(entry)
      for (const name of object ? names : []) {
        const key = keyOf(name, object?.[name])
        owners.set(key, [...(owners.get(key) ?? []), entry._id])
      }
    }
  const links = mappingLinks(store.links, rules.mapping.links)
  return Promise.all(
    page.map(async (operation, place) => {
      const own = operation.target?._id
      const facts: string[] = []
      const heldBy: string[] = []
      for (const [name, value] of wanted[place] ?? []) {
        const owner = owners.get(keyOf(name, value))?.find((id) => id !== own)
        if (owner === undefined) continue
        heldBy.push(owner)
        const link = (await links.ofTargets(operation.linkQualifier, [owner])).get(owner)
        facts.push(`${targets.path}/${owner} has the ${name}${link ? `, linked to ${link.sourceId}` : ''}`)
      }
      return facts.length > 0 ? { ...saying(operation, facts.join('; ')), heldBy } : operation
    }),
  )
}

function keyOf(name: string, value: Json | undefined): string {
  return JSON.stringify([name, isJsonObject(value) ? null : (value ?? null)])
}

function saying(operation: Applied, fact: string): Applied {
  const { failure } = operation
  if (!failure) return operation
  const { code, message, cause, detail } = failure
  return { ...operation, failure: new Problem(code, `${message}; ${fact}`, { cause, detail }) }
}
