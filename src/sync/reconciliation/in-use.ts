import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Reconciliations } from './reconciliations.ts'
import type { ReconciliationRequest } from './request.ts'

/**
 * The mappings, systems and managed types that reconciliations work with: their configuration must not change before these
 * have ended. Other work is short, and finishes as it began.
 */
export class InUse {
  readonly #uses = new Set<readonly Use[]>()

  byRun(
    { mapping, inline }: Pick<ReconciliationRequest, 'mapping' | 'inline'>,
    mappings: readonly Mapping[],
  ): Disposable {
    const uses = usesOf(mapping, mappings, inline)
    this.#uses.add(uses)
    return { [Symbol.dispose]: () => this.#uses.delete(uses) }
  }

  /** Here, and in other processes on the same store. */
  async all(runs: Pick<Reconciliations, 'list'>, mappings: readonly Mapping[]): Promise<readonly Use[]> {
    const active = (await runs.list()).filter(({ state }) => state === 'ACTIVE')
    return [...this.#uses, ...active.map((run) => usesOf(String(run.mapping), mappings))].flat()
  }
}

export interface Use {
  /** `mapping/x`, `system/hr`, `managed/user`. */
  readonly entry: string
  readonly by: string
}

/** The mapping, that which defines its link set, and its ends. */
function usesOf(name: string, mappings: readonly Mapping[], inline?: JsonObject): readonly Use[] {
  const configured = mappings.find((mapping) => mapping.name === name)
  const { source, target, links }: JsonObject = inline ?? {
    ...{ source: configured?.source, target: configured?.target, links: configured?.links.type },
  }
  const entries = [
    inline ? undefined : `mapping/${name}`,
    ...[source, target].map((path) => (typeof path === 'string' ? ownerOf(path) : undefined)),
    typeof links === 'string' ? `mapping/${links}` : undefined,
  ]
  const by = `a reconciliation of ${name}`
  return entries.flatMap((entry) => (entry === undefined ? [] : [{ entry, by }]))
}

/** `system/hr` of `system/hr/account`. */
function ownerOf(path: string): string {
  return path.split('/').slice(0, 2).join('/')
}
