import { type Filter, FilterParser } from 'ldapts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { misconfigured } from '../kit/errors.ts'
import { configurationSchema, type SettingName } from './configuration-schema.ts'

/** Reads single settings; null and an empty text count as absent. */
export class Given {
  readonly #configuration: JsonObject

  constructor(configuration: JsonObject) {
    this.#configuration = configuration
  }

  value(name: SettingName): Json | undefined {
    const value = this.#configuration[name] ?? undefined
    if (value !== undefined && value !== '') return value
    const property: { readonly default?: unknown } = configurationSchema.properties[name]
    return JSON.parse(JSON.stringify(property.default ?? null)) ?? undefined
  }

  optional(name: SettingName): string | undefined {
    const value = this.value(name)
    if (value === undefined || typeof value === 'string') return value
    throw invalid(name, `is ${JSON.stringify(value)}, not a text`)
  }

  text(name: SettingName): string {
    const value = this.optional(name)
    if (value === undefined) throw invalid(name, 'is missing')
    return value
  }

  boolean(name: SettingName): boolean {
    const value = this.value(name)
    if (value === true || value === 'true') return true
    if (value === undefined || value === false || value === 'false') return false
    throw invalid(name, `is ${JSON.stringify(value)}, neither true nor false`)
  }

  number(name: SettingName, fallback: number): number {
    const value = this.value(name) ?? fallback
    const number = typeof value === 'string' ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number) && number > 0) return number
    throw invalid(name, `is ${JSON.stringify(value)}, not a whole number above 0`)
  }

  texts(name: SettingName): readonly string[] {
    const value = this.value(name) ?? []
    const list = Array.isArray(value) ? value : [value]
    const texts = list.filter((one): one is string => typeof one === 'string' && one.trim() !== '')
    if (texts.length === list.length) return texts
    throw invalid(name, `is ${JSON.stringify(value)}, not a list of texts`)
  }

  choice<const T extends string>(name: SettingName, choices: readonly T[]): T {
    const value = this.text(name)
    const chosen = choices.find((choice) => choice === value.toLowerCase())
    if (chosen !== undefined) return chosen
    throw invalid(name, `is ${JSON.stringify(value)}; allowed are ${choices.join(', ')}`)
  }

  filter(name: SettingName): Filter | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    try {
      return FilterParser.parseString(text)
    } catch (cause) {
      throw invalid(name, `is ${JSON.stringify(text)}, which is no LDAP filter: ${cause}`)
    }
  }
}

export function invalid(name: string, fact: string): Problem {
  return misconfigured(['configurationProperties', name], fact)
}
