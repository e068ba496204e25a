import { isJsonObject, type Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'

/** What is wrong with a connector's document, and where in it. */
export interface Misconfiguration {
  /** Names of members and numbers of elements on the way to the value, e.g. `['configurationProperties', 'encoding']`. */
  readonly place: readonly string[]
  /** One sentence that names the last member of the place. */
  readonly fact: string
}

/**
 * CONFIGURATION: the message begins with the place for whoever has only the message; whoever has the file finds the
 * place in the detail. `fact` follows the member's name: `is empty; it names the file`.
 */
export function misconfigured(place: readonly string[], fact: string): Problem {
  const detail: Misconfiguration = { place, fact: `${place.at(-1)} ${fact}` }
  return new Problem('CONFIGURATION', `${place.join('/')} ${fact}`, { detail })
}

export function misconfigurationIn({ detail }: Problem): Misconfiguration | undefined {
  const { place, fact } = isJsonObject(detail as Json) ? (detail as Partial<Misconfiguration>) : {}
  return Array.isArray(place) && typeof fact === 'string' ? { place, fact } : undefined
}
