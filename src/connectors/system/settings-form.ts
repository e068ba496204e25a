import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { namesSecretSetting } from '../../model/secrecy.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import { settingsOf } from './open-system.ts'

/** What a form needs to know about one setting of a connector; all of it comes from the connector's `configurationSchema`. */
export interface SettingField {
  readonly name: string
  /** The name in words. */
  readonly title: string
  readonly help: string
  /** `string`, `integer`, `boolean`, `array` … of JSON Schema. */
  readonly type: string
  /** null: none. */
  readonly default: Json
  readonly required: boolean
  /** Never shown, and encrypted where it is kept. */
  readonly secret: boolean
  /** The heading it stands under, and its place among all settings, from 0. */
  readonly group: string
  readonly order: number
  readonly choices?: readonly Json[]
  /** Accepted and without effect, for this reason. */
  readonly noEffect?: string
}

/** All settings of a kind, in the order of its groups; those without effect come last. */
export function formOf(kind: ConnectorKind): readonly SettingField[] {
  const { required, properties } = settingsOf(kind)
  const groups = kind.settingGroups ?? []
  const placeOf = new Map(groups.flatMap(({ settings }) => settings).map((name, place) => [name, place]))
  const fields = Object.entries(properties).map(([name, declared]) => {
    const property = asObject(declared)
    const group = groups.find(({ settings }) => settings.includes(name))?.title
    return fieldOf(name, property, { required: required.includes(name), group })
  })
  const rank = ({ name, noEffect, required: isRequired }: Omit<SettingField, 'order'>) =>
    noEffect === undefined ? (placeOf.get(name) ?? placeOf.size + (isRequired ? 0 : 1)) : placeOf.size + 2
  return fields.toSorted((a, b) => rank(a) - rank(b)).map((field, order) => ({ ...field, order }))
}

/** As JSON, for an answer. */
export function formAnswer(kind: ConnectorKind): Json {
  return formOf(kind).map(
    ({ choices, ...field }): Json => ({ ...field, ...(choices && { choices: [...choices] }) }),
  )
}

interface Standing {
  readonly required: boolean
  readonly group: string | undefined
}

function fieldOf(
  name: string,
  property: JsonObject,
  { required, group }: Standing,
): Omit<SettingField, 'order'> {
  const { title, description, type, default: standard, enum: choices, 'x-noEffect': noEffect } = property
  const standing = required ? 'Required' : 'Other'
  return {
    name,
    title: typeof title === 'string' ? title : inWords(name),
    help: String(description ?? ''),
    type: Array.isArray(type) ? String(type[0]) : String(type ?? 'string'),
    default: standard ?? null,
    required,
    secret: isSecretSetting(name, property),
    group: typeof noEffect === 'string' ? 'Without effect' : (group ?? standing),
    ...(Array.isArray(choices) && { choices }),
    ...(typeof noEffect === 'string' && { noEffect }),
  }
}

/** A connector knows which of its settings are secret; of those that it does not know, the name tells. */
export function isSecretSetting(name: string, property: Json | undefined): boolean {
  return isJsonObject(property) ? property.writeOnly === true : namesSecretSetting(name)
}

/** `startTLS` → `Start TLS`, `baseContexts` → `Base contexts`. */
function inWords(name: string): string {
  const words = name.match(/[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [name]
  const spoken = words.map((word) =>
    /^([A-Z]{2,}|ssl|url|uid|dns|xsd|xml|csv)$/.test(word) ? word.toUpperCase() : word.toLowerCase(),
  )
  const text = spoken.join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
