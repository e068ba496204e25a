import type { Finding } from '../../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { distance } from '../../model/nearest.ts'
import type { Problem } from '../../model/problem.ts'
import { misconfigured } from '../kit/errors.ts'
import type { ConnectorKind } from '../kit/kind.ts'

/**
 * Finds the kind of connector that a `connectorRef` asks for (platform §4.1): by its name, and of
 * several versions the newest that the range allows. Existing configurations name versions of the Java bundles; where
 * none of ours fits, the newest is used, and `versionWarning` says so.
 */
export function kindFor(reference: Json | undefined, kinds: readonly ConnectorKind[]): ConnectorKind {
  const { connectorName, bundleVersion } = isJsonObject(reference) ? reference : ({} as JsonObject)
  if (typeof connectorName !== 'string') {
    throw misconfigured(['connectorRef', 'connectorName'], 'is missing; it says which connector to use')
  }
  const named = kinds
    .filter((kind) => kind.connectorName === connectorName)
    .toSorted((a, b) => compareVersions(b.bundleVersion, a.bundleVersion))
  const kind = named.find((one) => followsRange(one, bundleVersion)) ?? named[0]
  if (!kind) throw unknownConnector(connectorName, kinds)
  return kind
}

export function versionWarning(reference: Json | undefined, kind: ConnectorKind): readonly Finding[] {
  const asked = isJsonObject(reference) ? reference.bundleVersion : undefined
  if (followsRange(kind, asked)) return []
  const { bundleVersion } = kind
  const message =
    `bundleVersion ${JSON.stringify(asked)} does not include ${bundleVersion}, the version that this connector` +
    ' follows; it is used all the same'
  return [{ place: ['connectorRef', 'bundleVersion'], message }]
}

function followsRange({ bundleVersion, alsoFollows = [] }: ConnectorKind, range: Json | undefined): boolean {
  return [bundleVersion, ...alsoFollows].some((version) => isInRange(version, range))
}

/** Is a version in `[1.4,2)`, or the one that is named? Without a range every version is. */
export function isInRange(version: string, range: Json | undefined): boolean {
  if (typeof range !== 'string' || range.trim() === '') return true
  const parts = /^\s*([[(])\s*([^,\s]*)\s*,\s*([^,\s]*)\s*([\])])\s*$/.exec(range)
  if (!parts) return compareVersions(version, range.trim()) === 0
  const [, open, low = '', high = '', close] = parts
  const aboveLow = low === '' ? 1 : compareVersions(version, low)
  const belowHigh = high === '' ? 1 : compareVersions(high, version)
  return (open === '[' ? aboveLow >= 0 : aboveLow > 0) && (close === ']' ? belowHigh >= 0 : belowHigh > 0)
}

/** Missing parts are 0; parts that are no numbers (`-SNAPSHOT`) count as 0, too. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map((part) => Number(part) || 0))
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const order = (left?.[i] ?? 0) - (right?.[i] ?? 0)
    if (order !== 0) return order
  }
  return 0
}

function unknownConnector(name: string, kinds: readonly ConnectorKind[]): Problem {
  const known = kinds.map((kind) => kind.connectorName)
  const [nearest] = known.toSorted((a, b) => distance(name, a) - distance(name, b))
  const advice = nearest === undefined ? 'there are no connectors' : `the nearest that there is: ${nearest}`
  return misconfigured(['connectorRef', 'connectorName'], `"${name}" is no known connector; ${advice}`)
}
