import type { Finding, Place } from '../model/finding.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { messageOf } from '../model/problem.ts'
import { duration } from './duration.ts'

/** A value of `conf/audit.json` and its place there. What cannot be read counts as absent, with a warning. */
export class Setting {
  readonly value: Json | undefined
  readonly #place: Place
  readonly #warnings: Finding[]

  constructor(value: Json | undefined, place: Place, warnings: Finding[]) {
    this.value = value
    this.#place = place
    this.#warnings = warnings
  }

  /** What is wrong, or has no effect. */
  warn(message: string): undefined {
    this.#warnings.push({ severity: 'warning', place: this.#place, message })
  }

  at(name: string): Setting {
    return this.#below(name, asObject(this.value)[name])
  }

  get names(): readonly string[] {
    return Object.keys(asObject(this.value))
  }

  get list(): readonly Setting[] {
    return (Array.isArray(this.value) ? this.value : []).map((one, index) => this.#below(index, one))
  }

  get texts(): readonly string[] {
    return this.list.map(({ value }) => String(value))
  }

  get object(): JsonObject | undefined {
    return isJsonObject(this.value) ? this.value : undefined
  }

  get text(): string | undefined {
    return typeof this.value === 'string' && this.value !== '' ? this.value : undefined
  }

  get character(): string | undefined {
    return this.text?.length === 1 ? this.text : undefined
  }

  /** 0 and less mean no limit, as in OpenIDM. */
  get limit(): number | undefined {
    return typeof this.value === 'number' && this.value > 0 ? this.value : undefined
  }

  /** ms */
  get duration(): number | undefined {
    const read = duration(this.value)
    return read === null ? this.warn(`${JSON.stringify(this.value)} is no duration: "90 days" is`) : read
  }

  get pointer(): Pointer | undefined {
    if (typeof this.value !== 'string') return this.warn(`${JSON.stringify(this.value)} is no pointer`)
    try {
      return parsePointer(this.value)
    } catch (error) {
      return this.warn(messageOf(error))
    }
  }

  get pointers(): readonly Pointer[] | undefined {
    if (!Array.isArray(this.value)) return undefined
    return this.list.map(({ pointer }) => pointer).filter((pointer) => pointer !== undefined)
  }

  #below(step: string | number, value: Json | undefined): Setting {
    return new Setting(value, [...this.#place, step], this.#warnings)
  }
}
