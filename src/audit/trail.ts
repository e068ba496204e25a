import type { Log } from '../kit/log.ts'
import type { JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { asProblem } from '../model/problem.ts'
import { redact } from '../model/secrecy.ts'
import { type AuditEvent, removals } from '../repository/audit.ts'
import type { Repository, Store } from '../repository/repository.ts'
import { isBookkeeping, keeps, wants } from './filter.ts'
import { policiesFor } from './policies.ts'
import { type AuditSettings, defaultSettings } from './settings.ts'

/** The events that the script of a topic's filter keeps; if it throws, all of them. */
export type RunFilter = (script: JsonObject, events: readonly AuditEvent[]) => Promise<readonly boolean[]>

/**
 * Every event passes through here before it is stored: filters, redaction, policies. Callers that store events need not
 * know it: they use the repository that `recorded` returns. Settings can be replaced at any time.
 */
export class AuditTrail {
  readonly #log: Log
  #settings: AuditSettings = defaultSettings
  #runFilter: RunFilter = keepAll
  #shapers = new Map<string, (content: JsonObject) => JsonObject>()

  constructor(log: Log) {
    this.#log = log
  }

  get settings(): AuditSettings {
    return this.#settings
  }

  configure(settings: AuditSettings, runFilter: RunFilter = keepAll): void {
    this.#settings = settings
    this.#runFilter = runFilter
    this.#shapers = new Map()
  }

  /** Can an event of this kind be kept? Asked before making events that are expensive. */
  wants(topic: string, operation: string): boolean {
    return wants(topic, this.#settings.filters.get(topic), operation)
  }

  /** The repository, with all events passing through the trail before they are stored, inside and outside transactions. */
  recorded(repository: Repository): Repository {
    const storeOf = (store: Store): Store => ({
      ...store,
      audit: {
        ...store.audit,
        append: async (events) => {
          const admitted = await this.#admit(events)
          if (admitted.length > 0) await store.audit.append(admitted)
        },
      },
    })
    return {
      ...storeOf(repository),
      transaction: (work) => repository.transaction((store) => work(storeOf(store))),
      branch: (folder) => repository.branch(folder),
      [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
    }
  }

  /** The events to store, in their stored form. */
  async #admit(events: readonly AuditEvent[]): Promise<readonly AuditEvent[]> {
    const { filters } = this.#settings
    const kept =
      filters.size === 0
        ? events
        : events.filter(({ topic, content }) => keeps(topic, filters.get(topic), content))
    const wanted = await this.#askScripts(kept)
    return wanted.map((event) => {
      const content = this.#shaperOf(event.topic)(event.content)
      return content === event.content ? event : { ...event, content }
    })
  }

  /** The stored form of an event. */
  shaped(topic: string, content: JsonObject): JsonObject {
    return this.#shaperOf(topic)(content)
  }

  async #askScripts(events: readonly AuditEvent[]): Promise<readonly AuditEvent[]> {
    const { filters } = this.#settings
    const dropped = new Set<AuditEvent>()
    for (const [topic, { script }] of filters) {
      if (!script) continue
      const asked = events.filter((event) => event.topic === topic && !isBookkeeping(topic, event.content))
      if (asked.length === 0) continue
      const answers = await this.#answers(topic, script, asked)
      asked.forEach((event, index) => {
        if (answers[index] === false) dropped.add(event)
      })
    }
    return dropped.size === 0 ? events : events.filter((event) => !dropped.has(event))
  }

  /** Scripts see the stored form, so that they cannot avoid redaction. */
  async #answers(
    topic: string,
    script: JsonObject,
    events: readonly AuditEvent[],
  ): Promise<readonly boolean[]> {
    try {
      const shaper = this.#shaperOf(topic)
      return await this.#runFilter(
        script,
        events.map((event) => ({ ...event, content: shaper(event.content) })),
      )
    } catch (error) {
      this.#log(
        'warn',
        `the audit filter of ${topic} failed, and its events are kept: ${asProblem(error).message}`,
      )
      return []
    }
  }

  #shaperOf(topic: string): (content: JsonObject) => JsonObject {
    let shaper = this.#shapers.get(topic)
    if (!shaper) {
      shaper = shaperFor(topic, this.#settings)
      this.#shapers.set(topic, shaper)
    }
    return shaper
  }
}

const keepAll: RunFilter = async (_script, events) => events.map(() => true)

function shaperFor(topic: string, settings: AuditSettings): (content: JsonObject) => JsonObject {
  // The digest of removed events is checked later, so nothing may be left out.
  if (topic === removals) return (content) => content
  const declares = topic === 'config'
  const policies = policiesFor(topic, settings.policies)
  const watched = topic === 'activity' ? watching(settings) : undefined
  return (content) => {
    const redacted = redact(watched ? watched(content) : content, { declares })
    return policies ? policies(redacted) : redacted
  }
}

/** Sets `changedFields` and `passwordChanged` of activities, if the settings name fields. */
function watching({ watchedFields, passwordFields }: AuditSettings) {
  if (!watchedFields && !passwordFields) return undefined
  return (content: JsonObject): JsonObject => {
    const { changedFields } = content
    if (!Array.isArray(changedFields)) return content
    const changed = changedFields.filter((field) => typeof field === 'string')
    return {
      ...content,
      ...(watchedFields && { changedFields: among(changed, watchedFields) }),
      ...(passwordFields && { passwordChanged: among(changed, passwordFields).length > 0 }),
    }
  }
}

function among(changed: readonly string[], fields: readonly Pointer[]): string[] {
  return changed.filter((field) => touches(parsePointer(field), fields))
}

/** True if one of the fields is at the pointer, above it, or below it. */
export function touches(pointer: Pointer, fields: readonly Pointer[]): boolean {
  return fields.some((field) =>
    field.slice(0, pointer.length).every((name, index) => name === pointer[index]),
  )
}
