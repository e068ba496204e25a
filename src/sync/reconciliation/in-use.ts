import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Reconciliations } from './reconciliations.ts'

/**
 * What reconciliations are working with: mappings and the systems and managed types at their two ends. It must not be configured
 * otherwise before they have ended. Runs are few and long; what else is under way is short, and finishes as it began.
 */
export class InUse {
  readonly #uses = new Set<readonly Use[]>()

  byRun(
    { mapping, inline }: { readonly mapping: string; readonly inline?: JsonObject | undefined },
    mappings: readonly Mapping[],
  ): Disposable {
    const uses = inline ? usesOfEnds(mapping, inline) : usesOf(mapping, mappings)
    this.#uses.add(uses)
    return { [Symbol.dispose]: () => this.#uses.delete(uses) }
  }

  list(): readonly Use[] {
    return [...this.#uses].flat()
  }

  /** What runs of other processes on the same store work with. */
  async elsewhere(runs: Pick<Reconciliations, 'list'>, mappings: readonly Mapping[]) {
    const uses: Use[] = []
    for (const run of await runs.list())
      if (run.state === 'ACTIVE') uses.push(...usesOf(String(run.mapping), mappings))
    return uses
  }
}

export interface Use {
  /** `mapping/x`, `system/hr`, `managed/user`. */
  readonly entry: string
  readonly by: string
}

/** The mapping, that which defines its link set, and its ends. */
function usesOf(name: string, mappings: readonly Mapping[]): readonly Use[] {
  const mapping = mappings.find((one) => one.name === name)
  const { source, target, links } = mapping ?? {}
  return [
    { entry: `mapping/${name}`, by: by(name) },
    ...usesOfEnds(name, { source, target, links: links?.type }),
  ]
}

function usesOfEnds(name: string, { source, target, links }: JsonObject): readonly Use[] {
  const entries = [source, target].flatMap((path) => (typeof path === 'string' ? [ownerOf(path)] : []))
  const owner = typeof links === 'string' ? [`mapping/${links}`] : []
  return [...entries, ...owner].map((entry) => ({ entry, by: by(name) }))
}

function by(name: string): string {
  return `a reconciliation of ${name}`
}

/** `system/hr` of `system/hr/account`. */
function ownerOf(path: string): string {
  return path.split('/').slice(0, 2).join('/')
}
