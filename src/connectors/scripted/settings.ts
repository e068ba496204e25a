import { isAbsolute, relative, resolve } from 'node:path'
import type { Json, JsonObject } from '../../model/json.ts'
import { misconfigured } from '../kit/errors.ts'
import type { ConnectorHost } from '../kit/kind.ts'
import { customConfiguration } from './configuration.ts'

/** The scripts that a connector may have, and the settings that name their files (platform §5.4). */
export const hooks = {
  authenticate: 'authenticateScriptFileName',
  create: 'createScriptFileName',
  customizer: 'customizerScriptFileName',
  delete: 'deleteScriptFileName',
  resolveUsername: 'resolveUsernameScriptFileName',
  schema: 'schemaScriptFileName',
  scriptOnResource: 'scriptOnResourceScriptFileName',
  search: 'searchScriptFileName',
  sync: 'syncScriptFileName',
  test: 'testScriptFileName',
  update: 'updateScriptFileName',
} as const

export type Hook = keyof typeof hooks

export interface ScriptedSettings {
  /** By hook: the paths at which its file may be, the first one first. */
  readonly files: ReadonlyMap<Hook, readonly string[]>
  /** What scripts see as `configuration`. */
  readonly configuration: JsonObject
  /** Of it, what nobody else may see. */
  readonly secrets: readonly Json[]
}

export function scriptedSettings(given: JsonObject, host: ConnectorHost): ScriptedSettings {
  const named = Object.entries(hooks).flatMap(([hook, setting]): [Hook, string][] => {
    const name = given[setting] ?? ''
    if (typeof name !== 'string') throw wrong(setting, `is ${JSON.stringify(name)}; it names a file`)
    return name === '' ? [] : [[hook as Hook, name]]
  })
  refuseGroovy(named)
  const roots = rootsOf(given.scriptRoots)
  const custom = parsed(given, 'customConfiguration')
  const sensitive = parsed(given, 'customSensitiveConfiguration')
  const plain = Object.entries(given).filter(
    ([name]) => !hidden.has(name) && !name.endsWith('ScriptFileName'),
  )
  return {
    files: new Map(named.map(([hook, name]) => [hook, pathsOf(name, roots, host.projectFolder)])),
    configuration: { ...Object.fromEntries(plain), propertyBag: { ...custom, ...sensitive } },
    secrets: [sensitive],
  }
}

const hidden: ReadonlySet<string> = new Set([
  'password',
  'customConfiguration',
  'customSensitiveConfiguration',
  'scriptRoots',
  'classpath',
])

function parsed(given: JsonObject, setting: string): JsonObject {
  const text = given[setting] ?? ''
  const found = typeof text === 'string' ? customConfiguration(text) : undefined
  if (found) return found
  throw wrong(setting, "cannot be read: it is JSON, or blocks such as kadmin { cmd = '/usr/sbin/kadmin' }")
}

function rootsOf(given: Json | undefined): readonly string[] {
  const roots = Array.isArray(given) ? given : [given ?? '']
  return roots.map((root, place) => {
    if (typeof root === 'string') return root.replace(/^file:(\/\/)?/, '')
    throw misconfigured(['configurationProperties', 'scriptRoots', String(place)], 'is no path of a folder')
  })
}

function pathsOf(name: string, roots: readonly string[], projectFolder: string): readonly string[] {
  return (isAbsolute(name) ? [''] : roots).map((root) => {
    const file = resolve(projectFolder, root, name)
    const inside = relative(projectFolder, file)
    return inside.startsWith('..') ? file : inside
  })
}

/** The files of the Java connector, all of them in one finding. */
function refuseGroovy(named: readonly (readonly [Hook, string])[]): void {
  const groovy = named.filter(([, name]) => /\.groovy$/i.test(name))
  const [first] = groovy
  if (!first) return
  const [hook, file] = first
  const others = groovy.slice(1).map(([, name]) => name)
  throw wrong(
    hooks[hook],
    `is ${file}: Groovy does not run here. Rewrite it in JavaScript as ${file.replace(/\.groovy$/i, '.js')} in the same folder, and name ` +
      'that file; it has the same variables, and connection.query(sql, parameters) instead of groovy.sql.Sql (docs/scripted.md shows ' +
      `how one becomes the other)${others.length > 0 ? `. The same goes for ${others.join(', ')}` : ''}`,
  )
}

export function wrong(setting: string, fact: string) {
  return misconfigured(['configurationProperties', setting], fact)
}
