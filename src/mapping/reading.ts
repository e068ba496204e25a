import { parseFilter } from '../model/filter/parse.ts'
import type { Finding, Place } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { messageOf } from '../model/problem.ts'
import type { ScriptName } from './call.ts'
import type { Condition } from './mapping.ts'

export interface ScriptObject {
  readonly definition: JsonObject
  readonly place: Place
}

/** One pass over one mapping: reads its members, and collects scripts and errors while the parts are built. */
export class Reading {
  readonly scripts: Record<ScriptName, ScriptObject> = {}
  readonly errors: Finding[] = []
  readonly configuration: JsonObject
  readonly hasFile: (file: string) => boolean

  constructor(configuration: JsonObject, hasFile: (file: string) => boolean) {
    this.configuration = configuration
    this.hasFile = hasFile
  }

  error(place: Place, message: string): undefined {
    this.errors.push({ place, message })
  }

  text(property: string): string {
    const value = this.configuration[property]
    if (typeof value === 'string' && value !== '') return value
    this.error([property], `${property} must be a non-empty string`)
    return ''
  }

  list<T>(property: string, read: (entry: JsonObject, place: Place) => T | undefined): T[] {
    const value = this.configuration[property] ?? []
    if (!Array.isArray(value)) {
      this.error([property], `${property} must be an array`)
      return []
    }
    return value.flatMap((entry, index) => {
      const place = [property, index]
      if (!isJsonObject(entry)) return this.error(place, `each entry of ${property} must be an object`) ?? []
      return read(entry, place) ?? []
    })
  }

  /** Registers the script object at a place and returns its name; undefined if there is none. */
  script(place: Place, value: Json | undefined): ScriptName | undefined {
    if (value === undefined || value === null) return undefined
    if (!isJsonObject(value))
      return this.error(
        place,
        `${place.at(-1)} must be a script object like {"type": "text/javascript", "source": "…"}`,
      )
    const name = place.join('/')
    this.scripts[name] = { definition: value, place }
    return name
  }

  condition(place: Place, value: Json | undefined): Condition | undefined {
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string') {
      const script = this.script(place, value)
      return script === undefined ? undefined : { kind: 'script', script }
    }
    const filter = this.attempt(place, () => parseFilter(value))
    return filter && { kind: 'filter', filter }
  }

  attempt<T>(place: Place, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      return this.error(place, messageOf(error))
    }
  }

  pointer(value: Json | undefined, place: Place): Pointer | undefined {
    if (typeof value !== 'string')
      return this.error(place, `${place.at(-1)} must be a pointer such as "name/givenName"`)
    return this.attempt(place, () => parsePointer(value))
  }

  flag(property: string): boolean | undefined {
    const value = this.configuration[property]
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined
    return this.error([property], `${property} must be true or false, not ${JSON.stringify(value)}`)
  }
}
