import type { Finding, Place } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { ScriptName } from './call.ts'
import { readChangeSettings } from './changes.ts'
import { correlationIn } from './compile-correlation.ts'
import { linksIn, type MappingConfiguration } from './compile-links.ts'
import { reconciliationIn } from './compile-reconciliation.ts'
import { deleteAfterIn, graceIn } from './grace.ts'
import {
  type Hook,
  hooks,
  type Mapping,
  type Policy,
  type PropertyMapping,
  type Qualifiers,
} from './mapping.ts'
import { Reading, type ScriptObject } from './reading.ts'
import { actions, isAction, isSituation, type Situation, situations } from './situation.ts'

/**
 * Configuration → compiled mapping (engine §2). Everything is checked here, at load (engine §2.3, [D]). Errors are
 * returned with their pointers; nothing is thrown. Script objects are collected under names; src/scripts compiles them.
 */
export interface Compilation {
  /** Undefined if there were errors. */
  readonly mapping: Mapping | undefined
  readonly scripts: Readonly<Record<ScriptName, ScriptObject>>
  readonly errors: readonly Finding[]
}

export interface CompilationOptions {
  /** The consent service is on (`conf/consent.json`); without it `consentRequired` has no effect. */
  readonly consentService?: boolean
  /** True if the project itself has a script file of that name. */
  readonly hasFile?: (file: string) => boolean
}

/** Files that OpenIDM ships. What they do is built in, so a mapping that names one needs no script. */
const shipped: Partial<Record<Hook | 'defaultMapping', RegExp>> = {
  defaultMapping: /(?:^|\/)roles\/defaultMapping\.(?:js|groovy)$/,
  onMapping: /(?:^|\/)roles\/defaultMapping\.(?:js|groovy)$/,
  postMapping: /(?:^|\/)roles\/defaultPostMapping\.(?:js|groovy)$/,
  onRecon: /(?:^|\/)roles\/onRecon\.(?:js|groovy)$/,
}

export function compileMapping(
  configuration: JsonObject,
  all: readonly MappingConfiguration[],
  { consentService = false, hasFile = () => false }: CompilationOptions = {},
): Compilation {
  const reading = new Reading(configuration, hasFile)
  const mapping = assembled(reading, all, consentService)
  return {
    mapping: reading.errors.length === 0 ? mapping : undefined,
    scripts: reading.scripts,
    errors: reading.errors,
  }
}

function assembled(reading: Reading, all: readonly MappingConfiguration[], consentService: boolean): Mapping {
  const { configuration } = reading
  const name = reading.text('name')
  const [source, target] = [reading.text('source'), reading.text('target')]
  const properties = reading.list('properties', (entry, place) => propertyIn(reading, entry, place))
  const policies = reading.list('policies', (entry, place) => policyIn(reading, entry, place))
  return {
    name,
    source,
    target,
    links: linksIn(reading, name, source, target, all),
    qualifiers: qualifiersIn(reading),
    consentRequired:
      consentService && source.startsWith('managed/') && configuration.consentRequired === true,
    validSource: reading.script(['validSource'], configuration.validSource),
    validTarget: reading.script(['validTarget'], configuration.validTarget),
    sourceCondition: reading.condition(['sourceCondition'], configuration.sourceCondition),
    correlation: correlationIn(reading),
    correlateEmptyTargetSet: configuration.correlateEmptyTargetSet === true,
    properties,
    policies,
    grace: graceIn(reading, policies),
    hooks: hooksIn(reading),
    reconciliation: reconciliationIn(reading, source, target, properties),
    changes: readChangeSettings(configuration, (place, value) => reading.script(place, value)),
    displayAttributes: displayAttributesIn(reading),
    configuration,
  }
}

function displayAttributesIn(reading: Reading): readonly string[] {
  const value = reading.configuration.displayAttributes ?? []
  const names = Array.isArray(value) ? value : [value]
  if (names.every((name) => typeof name === 'string')) return names
  reading.error(['displayAttributes'], 'displayAttributes must be an array of attribute names')
  return []
}

function propertyIn(reading: Reading, entry: JsonObject, place: Place): PropertyMapping | undefined {
  const target = reading.pointer(entry.target, [...place, 'target'])
  if (!target) return undefined
  if (target.length === 0)
    return reading.error([...place, 'target'], 'cannot replace root object: name a property')
  return {
    target,
    source: entry.source === undefined ? undefined : reading.pointer(entry.source, [...place, 'source']),
    condition: reading.condition([...place, 'condition'], entry.condition),
    transform: reading.script([...place, 'transform'], entry.transform),
    default: entry.default,
  }
}

function hooksIn(reading: Reading): Mapping['hooks'] {
  const scripts: Partial<Record<Hook, ScriptName>> = {}
  for (const hook of hooks) {
    const script = hookIn(reading, hook)
    if (script !== undefined) scripts[hook] = script
  }
  // Two names for one hook: the newer one wins (engine §2.2, [D]).
  const older = scripts.onMapping === undefined ? hookIn(reading, 'defaultMapping') : undefined
  return older === undefined ? scripts : { ...scripts, onMapping: older }
}

function hookIn(reading: Reading, name: Hook | 'defaultMapping'): ScriptName | undefined {
  const value = reading.configuration[name]
  const file = isJsonObject(value) && value.source === undefined ? value.file : undefined
  if (typeof file === 'string' && shipped[name]?.test(file) && !reading.hasFile(file)) return undefined
  return reading.script([name], value)
}

function qualifiersIn(reading: Reading): Qualifiers {
  const value = reading.configuration.linkQualifiers
  if (value === undefined || value === null) return { kind: 'fixed', names: ['default'] }
  if (isJsonObject(value)) return { kind: 'script', script: reading.script(['linkQualifiers'], value) ?? '' }
  if (!Array.isArray(value)) {
    reading.error(['linkQualifiers'], 'linkQualifiers must be an array of names or a script object')
    return { kind: 'fixed', names: [] }
  }
  const names = value.map((name, index) => qualifierIn(reading, name, value.indexOf(name) < index, index))
  return { kind: 'fixed', names: names.length === 0 ? ['default'] : names }
}

function qualifierIn(reading: Reading, name: Json, repeated: boolean, index: number): string {
  if (typeof name !== 'string' || name === '')
    reading.error(['linkQualifiers', index], 'a link qualifier must be a non-empty string')
  if (repeated)
    reading.error(['linkQualifiers', index], `link qualifier ${JSON.stringify(name)} is listed twice`)
  return String(name)
}

function policyIn(reading: Reading, entry: JsonObject, place: Place): Policy | undefined {
  const situation = situationIn(reading, entry.situation, [...place, 'situation'])
  const action = actionIn(reading, entry.action, [...place, 'action'])
  const condition = reading.condition([...place, 'condition'], entry.condition)
  const postAction = reading.script([...place, 'postAction'], entry.postAction)
  const deleteAfter = deleteAfterIn(reading, entry.deleteAfter, [...place, 'deleteAfter'])
  const policy = situation && action && { situation, action, condition, postAction }
  return deleteAfter === undefined ? policy : policy && { ...policy, deleteAfter }
}

function situationIn(reading: Reading, value: Json | undefined, place: Place): Situation | undefined {
  const name = typeof value === 'string' ? value.toUpperCase() : value
  if (isSituation(name)) return name
  return reading.error(
    place,
    `${JSON.stringify(value ?? null)} is not a situation; allowed: ${situations.join(', ')}`,
  )
}

function actionIn(reading: Reading, value: Json | undefined, place: Place): Policy['action'] | undefined {
  if (isJsonObject(value)) {
    const script = reading.script(place, value)
    return script === undefined ? undefined : { kind: 'script', script }
  }
  const name = typeof value === 'string' ? value.toUpperCase() : value
  if (isAction(name)) return { kind: 'action', action: name }
  return reading.error(
    place,
    `${JSON.stringify(value ?? null)} is not an action; allowed: ${actions.join(', ')}, or a script`,
  )
}
