/**
 * Where the value of a `&{property}` comes from: names the platform reserves, then process flags, the environment,
 * `conf/boot/boot.properties`, and finally the common defaults (platform §3.2).
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from '../model/json.ts'

/** The value of a property; undefined if nothing defines it. */
export type PropertyLookup = (name: string) => Json | undefined

export interface PropertySources {
  readonly projectFolder: string
  readonly flags: Readonly<Record<string, Json>>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly boot: ReadonlyMap<string, string>
}

export function propertyLookup(sources: PropertySources): PropertyLookup {
  const { flags, environment, boot } = sources
  const reserved = reservedProperties(sources.projectFolder)
  return (name) => {
    if (reserved.has(name)) return reserved.get(name)
    const set =
      own(flags, name) ?? own(environment, environmentName(name)) ?? own(environment, name) ?? boot.get(name)
    return set === undefined ? commonDefaults.get(name) : likeDefault(name, set)
  }
}

/** `openidm.port.http` is `OPENIDM_PORT_HTTP` in the environment. */
export function environmentName(property: string): string {
  return property.toUpperCase().replaceAll('.', '_')
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

function reservedProperties(projectFolder: string): ReadonlyMap<string, string> {
  const project = resolve(projectFolder)
  const install = fileURLToPath(new URL('../../', import.meta.url)).replace(/[/\\]$/, '')
  return new Map([
    ['launcher.project.location', project],
    ['launcher.working.location', project],
    ['launcher.install.location', install],
    // Newer PingIDM configurations use these names for the same folders.
    ['idm.instance.dir', project],
    ['idm.install.dir', install],
    ['idm.data.dir', project],
  ])
}

const commonDefaults: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['openidm.port.http', 8080],
  ['openidm.port.https', 8443],
  ['openidm.port.mutualauth', 8444],
  ['openidm.config.crypto.alias', 'openidm-sym-default'],
  ['openidm.policy.enforcement.enabled', true],
])

/** Flags and files hold text; a property whose default is a number or boolean stays one when it is overridden. */
function likeDefault(name: string, value: Json): Json {
  const standard = commonDefaults.get(name)
  if (typeof value !== 'string') return value
  if (typeof standard === 'number' && /^\d+$/.test(value)) return Number(value)
  if (typeof standard === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}
