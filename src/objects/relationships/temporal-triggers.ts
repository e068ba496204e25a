import type { Log } from '../../kit/log.ts'
import { Mutex } from '../../kit/mutex.ts'
import { Timer } from '../../kit/timer.ts'
import type { JsonObject } from '../../model/json.ts'
import { asProblem } from '../../model/problem.ts'
import type { ObjectWrite } from '../../repository/objects.ts'
import type { SeenRelationship } from '../../repository/relationships.ts'
import type { Store } from '../../repository/repository.ts'
import { nextBoundary } from './constraints.ts'
import { constraintsProperty } from './model.ts'

/** The next time at which access changes without a write, for each object; stored, so that a restart misses none. */
export const temporalTriggers = 'internal/boundary'

export interface TemporalTrigger {
  readonly collection: string
  readonly id: string
  /** ms since 1970. */
  readonly due: number
}

/** Of an object and its relationships; undefined if nothing of them is limited in time any more. */
export function nextTriggerOf(
  object: JsonObject,
  relationships: readonly Pick<SeenRelationship, 'properties'>[],
  now: number,
): number | undefined {
  const limited = [object, ...relationships.map(({ properties }) => properties)]
  return earliest(limited.map((one) => nextBoundary(one[constraintsProperty], now)))
}

/** Undefined if there is none. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

/** Replaces what was noted of the same objects. */
export async function noteTemporalTriggers(
  { objects }: Store,
  triggers: readonly TemporalTrigger[],
): Promise<void> {
  const writes = triggers.flatMap(({ collection, id, due }): readonly ObjectWrite[] => [
    { operation: 'delete', id: keyOf({ collection, id }) },
    { operation: 'create', id: keyOf({ collection, id }), content: { collection, id, due } },
  ])
  if (writes.length > 0) await objects.write(temporalTriggers, writes)
}

export async function removeTemporalTrigger({ objects }: Store, trigger: TemporalTrigger): Promise<void> {
  await objects.write(temporalTriggers, [{ operation: 'delete', id: keyOf(trigger) }])
}

function keyOf({ collection, id }: Omit<TemporalTrigger, 'due'>): string {
  return `${collection}/${id}`
}

export interface TemporalClockOptions {
  readonly store: Store
  /** Removes triggers that are due, the earliest first, and does what they are for. */
  readonly pass: (due: readonly TemporalTrigger[]) => Promise<void>
  readonly log: Log
  readonly now: () => number
}

/**
 * Passes temporal triggers when their time comes.
 *
 *     created ──start──▶ started ──dispose──▶ closed
 *
 * Started, it sleeps until the next trigger that it knows (`#next`), looks for those that are due and passes them, one look at a
 * time; `expect` shortens the sleep. In the other two states no time is kept.
 */
export class TemporalClock implements AsyncDisposable {
  readonly #options: TemporalClockOptions
  readonly #looks = new Mutex()
  readonly #timer: Timer
  #state: 'created' | 'started' | 'closed' = 'created'
  #next = Number.POSITIVE_INFINITY

  constructor(options: TemporalClockOptions) {
    this.#options = options
    this.#timer = new Timer(() => void this.#look(), options.now)
  }

  /** What came due before the start, at once. */
  async start(): Promise<void> {
    this.#state = 'started'
    await this.#look()
  }

  expect(due: number): void {
    if (due < this.#next) this.#sleepUntil(due)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'closed'
    this.#timer[Symbol.dispose]()
    await this.#looks.idle()
  }

  #look(): Promise<void> {
    return this.#looks.run(async () => {
      const { log, now } = this.#options
      this.#next = Number.POSITIVE_INFINITY
      try {
        await this.#passDue()
      } catch (error) {
        log('error', `temporal constraints: ${asProblem(error).message}; they are looked at again later`)
        this.#sleepUntil(now() + 1000)
      }
    })
  }

  async #passDue(): Promise<void> {
    const { store, pass, now } = this.#options
    while (this.#state === 'started') {
      const { result } = await store.objects.query(temporalTriggers, {
        filter: { kind: 'present', pointer: ['due'] },
        sortKeys: [{ pointer: ['due'], descending: false }],
        pageSize: 100,
      })
      const noted = result.map(({ collection, id, due }) => ({
        ...{ collection: String(collection), id: String(id), due: Number(due) },
      }))
      const time = now()
      const due = noted.filter((one) => one.due <= time)
      if (due.length === 0) return this.#sleepUntil(noted[0]?.due ?? Number.POSITIVE_INFINITY)
      await pass(due)
    }
  }

  #sleepUntil(due: number): void {
    if (this.#state !== 'started') return
    this.#next = due
    this.#timer.set(due)
  }
}
