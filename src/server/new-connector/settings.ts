import { environmentName } from '../../config/properties.ts'
import { formOf, type SettingField } from '../../connectors/system/settings-form.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { nearest } from '../../model/nearest.ts'
import { Problem } from '../../model/problem.ts'
import type { Template } from './templates.ts'

/** Values for the settings of a new connector: by option, and `name=value` for any other. */
export interface GivenSettings {
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly others: readonly string[]
}

/** A secret that the new configuration leaves to a property. */
export interface LeftSecret {
  readonly setting: string
  readonly property: string
  readonly environment: string
}

export interface NewSettings {
  readonly properties: JsonObject
  readonly secret: LeftSecret | undefined
}

/**
 * `configurationProperties` from what was given. BAD_REQUEST, in one sentence, for what is missing, unknown or of another type, and
 * for a secret: it would stay in the history of the shell.
 */
export function newSettings(system: string, template: Template, given: GivenSettings): NewSettings {
  const missing = template.options.filter(
    ({ option, needed }) => needed && given.options[option] === undefined,
  )
  if (missing.length > 0) {
    const listed = missing.map(({ option, field }) => `--${option} (${field.help.replace(/\.$/, '')})`)
    throw new Problem('BAD_REQUEST', `A connector of the kind ${template.name} needs ${listed.join(' and ')}`)
  }
  const form = formOf(template.kind)
  const properties: JsonObject = {}
  for (const { option, field } of template.options) {
    const value = given.options[option]
    if (value !== undefined) properties[field.name] = typed(`--${option}`, value, field)
  }
  for (const other of given.others) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(other) ?? []
    const field = form.find((one) => one.name === name)
    if (!field) throw unknownSetting(other, name, form)
    if (field.secret)
      throw new Problem(
        'BAD_REQUEST',
        `${name} is a secret: leave it out, and the command says where its value belongs`,
      )
    properties[name] = typed(`--set ${name}`, value, field)
  }
  const { secret } = template
  if (!secret || (properties[secret.beside] ?? '') === '') return { properties, secret: undefined }
  const property = `${system}.${secret.setting}`
  properties[secret.setting] = `&{${property}}`
  return { properties, secret: { setting: secret.setting, property, environment: environmentName(property) } }
}

function unknownSetting(other: string, name: string, form: readonly SettingField[]): Problem {
  if (name === '') return new Problem('BAD_REQUEST', `--set ${other} is no setting: write it as name=value`)
  const meant = nearest(
    name,
    form.map((field) => field.name),
  )
  return new Problem(
    'BAD_REQUEST',
    `${name} is no setting of this connector${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  )
}

/** A placeholder is taken as it is; its property will have the type. */
function typed(
  option: string,
  value: string | boolean | readonly string[],
  { type, choices }: SettingField,
): Json {
  if (typeof value === 'string' && value.includes('&{')) return value
  const wrong = (expected: string) =>
    new Problem('BAD_REQUEST', `${option} is ${JSON.stringify(value)}; it must be ${expected}`)
  if (type === 'array') return typeof value === 'string' ? [value] : Array.isArray(value) ? [...value] : []
  const last = Array.isArray(value) ? value.at(-1) : value
  if (type === 'boolean') {
    if (last === true || last === 'true') return true
    if (last === 'false') return false
    throw wrong('true or false')
  }
  if (type === 'integer' || type === 'number') {
    if (/^-?\d+$/.test(String(last))) return Number(last)
    throw wrong('a whole number')
  }
  if (choices && !choices.includes(String(last))) throw wrong(`one of ${choices.join(', ')}`)
  return String(last)
}
