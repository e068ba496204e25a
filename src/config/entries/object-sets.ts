/** Do the source and the target of a mapping exist in the project? Roots that the project does not define are left alone. */
import type { DocumentFinding } from '../../model/finding.ts'
import { isJsonObject } from '../../model/json.ts'
import { nearest, nearMiss, notAllowed } from '../../model/nearest.ts'
import type { ConfiguredEntry } from '../project.ts'
import { findingIn } from './entry.ts'

export interface KnownObjectSets {
  readonly managed: readonly ConfiguredEntry[]
  readonly connectors: readonly ConfiguredEntry[]
  /** Ids of files that could not be read; what they would have defined is unknown, not missing. */
  readonly broken: ReadonlySet<string>
}

export function objectSetProblems(
  mapping: ConfiguredEntry,
  known: KnownObjectSets,
): readonly DocumentFinding[] {
  return (['source', 'target'] as const).flatMap((side) => {
    const path = mapping.content[side]
    const fault = typeof path === 'string' ? faultOf(path, known) : undefined
    return fault ? [findingIn(mapping, [side], fault)] : []
  })
}

type Fault = Omit<DocumentFinding, 'document' | 'place'>

function faultOf(path: string, known: KnownObjectSets): Fault | undefined {
  if (path.includes('&{')) return undefined
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  if (trimmed !== path) return misspelt(path, 'a path has no slash at its ends', trimmed)
  const [root = '', ...rest] = path.split('/')
  if (root === 'managed') return managedFault(path, rest, known)
  if (root === 'system') return systemFault(path, rest, known)
  const meant = nearMiss(root, ['managed', 'system'])
  return meant === undefined
    ? undefined
    : { ...misspelt(path, `${root} is not a usual root`, [meant, ...rest].join('/')), severity: 'warning' }
}

function misspelt(path: string, why: string, suggestion: string): Fault {
  return { message: `${JSON.stringify(path)}: ${why}; did you mean ${suggestion}?`, found: path, suggestion }
}

function managedFault(
  path: string,
  rest: readonly string[],
  { managed, broken }: KnownObjectSets,
): Fault | undefined {
  if (broken.has('managed')) return undefined
  if (rest.length === 1 && managed.some(({ name }) => name === rest[0])) return undefined
  return unknownSet(
    path,
    managed.map(({ name }) => `managed/${name}`),
    'conf/managed.json',
  )
}

function systemFault(
  path: string,
  [name, type, ...others]: readonly string[],
  { connectors, broken }: KnownObjectSets,
): Fault | undefined {
  if (name !== undefined && broken.has(`provisioner.openicf/${name}`)) return undefined
  const connector = connectors.find((candidate) => candidate.name === name)
  const types = connector && typesOf(connector)
  if (type !== undefined && others.length === 0 && connector) {
    if (types === undefined || types.includes(type)) return undefined
  }
  const sets = connectors.flatMap((candidate) =>
    (typesOf(candidate) ?? []).map((each) => `system/${candidate.name}/${each}`),
  )
  return unknownSet(path, sets, connector?.document.file ?? 'the conf/provisioner.openicf-*.json files')
}

/** Undefined if the connector does not list its types. */
function typesOf({ content: { objectTypes } }: ConfiguredEntry): readonly string[] | undefined {
  return isJsonObject(objectTypes) ? Object.keys(objectTypes) : undefined
}

function unknownSet(path: string, allowed: readonly string[], where: string): Fault {
  const suggestion = nearest(path, allowed) ?? allowed.find((candidate) => candidate.startsWith(`${path}/`))
  const choices = allowed.length === 0 ? `None is defined in ${where}` : `Defined: ${allowed.join(', ')}`
  const fact = `${JSON.stringify(path)} is not an object set of this project`
  return notAllowed(fact, path, allowed, choices, suggestion)
}
