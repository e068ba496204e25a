import { ForeseenValues } from '../../model/foreseen-values.ts'
import type { MappingLinks } from './links.ts'

type Normal = Pick<MappingLinks, 'normalSource' | 'normalTarget'>

/**
 * What a dry run would have written, as far as later objects meet it: links made and removed, ids of targets in use and free.
 * Empty in a run that writes, where the store says it.
 */
export class Foreseen {
  readonly #normal: Normal
  /** Target → the source that it is linked to; null: to none any more. */
  readonly #byTarget = new Map<string, string | null>()
  /** Source, as links compare it → as it is spelled. */
  readonly #bySource = new Map<string, string>()
  /** Ids of targets → whether there is one. */
  readonly #targets = new Map<string, boolean>()
  /** Unique values of targets. */
  readonly values = new ForeseenValues()

  constructor(normal: Normal) {
    this.#normal = normal
  }

  link(qualifier: string, sourceId: string, targetId: string): void {
    this.#byTarget.set(this.#target(qualifier, targetId), sourceId)
    this.#bySource.set(this.#source(qualifier, sourceId), sourceId)
  }

  unlink(qualifier: string, sourceId: string, targetId: string): void {
    this.#byTarget.set(this.#target(qualifier, targetId), null)
    this.#bySource.delete(this.#source(qualifier, sourceId))
  }

  /** Undefined: nothing is foreseen about it. */
  linkedTo(qualifier: string, targetId: string): string | null | undefined {
    return this.#byTarget.size === 0 ? undefined : this.#byTarget.get(this.#target(qualifier, targetId))
  }

  /** The source that is linked in place of one with this id; perhaps the same in another spelling. */
  linkedAs(qualifier: string, sourceId: string): string | undefined {
    return this.#bySource.size === 0 ? undefined : this.#bySource.get(this.#source(qualifier, sourceId))
  }

  put(targetId: string): void {
    this.#targets.set(this.#normal.normalTarget(targetId), true)
  }

  remove(targetId: string): void {
    this.#targets.set(this.#normal.normalTarget(targetId), false)
  }

  /** Undefined: nothing is foreseen about it. */
  exists(targetId: string): boolean | undefined {
    return this.#targets.size === 0 ? undefined : this.#targets.get(this.#normal.normalTarget(targetId))
  }

  #target(qualifier: string, id: string): string {
    return `${qualifier}\n${this.#normal.normalTarget(id)}`
  }

  #source(qualifier: string, id: string): string {
    return `${qualifier}\n${this.#normal.normalSource(id)}`
  }
}
