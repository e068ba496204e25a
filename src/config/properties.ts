/**
 * Where the value of a `&{property}` comes from: names the platform reserves, then process flags, the environment,
 * `conf/boot/boot.properties`, and finally the common defaults (platform §3.2).
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from '../model/json.ts'
import { namesSecret } from '../model/secrecy.ts'

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
    if (isOwnSecret(name)) return undefined
    const set =
      own(flags, name) ?? own(environment, environmentName(name)) ?? own(environment, name) ?? boot.get(name)
    return set === undefined ? commonDefaults.get(name) : likeDefault(name, set)
  }
}

/** A comma list: `10.0.0.1, 192.168.0.0/16`. */
export function listProperty(property: PropertyLookup, name: string): readonly string[] {
  return String(property(name) ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}

/** The administrator's password and the keys are the server's own: no configuration and no script gets them. */
function isOwnSecret(name: string): boolean {
  return /^SYNCLINE_(?:ADMIN_PASSWORD|(?:MASTER_)?KEY(?:_OLD)?)$/.test(environmentName(name))
}

/**
 * What scripts see of the properties: those of `conf/boot/boot.properties`, flags and common defaults, without secrets; of the
 * environment and of secrets only what `syncline.script.properties` names (a comma list; `hr.*` is all that begins so).
 */
export function scriptProperties(sources: PropertySources): PropertyLookup {
  const property = propertyLookup(sources)
  const named = listProperty(property, 'syncline.script.properties')
  const isNamed = (name: string) =>
    named.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) && one !== '*' : one === name))
  const reserved = reservedProperties(sources.projectFolder)
  const isKnown = (name: string) =>
    reserved.has(name) ||
    commonDefaults.has(name) ||
    sources.boot.has(name) ||
    Object.hasOwn(sources.flags, name)
  return (name) => ((isKnown(name) && !namesSecret(name)) || isNamed(name) ? property(name) : undefined)
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
