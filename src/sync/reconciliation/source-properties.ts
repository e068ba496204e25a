import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { SystemProperty } from '../../router/resources.ts'
import type { Reconciliation } from './reconciliation.ts'

/**
 * Refuses a source that has lost declared properties since an earlier run, e.g. because a column was renamed: the run would
 * take the value from every target. What the system never had is only logged: a misspelt name looks the same.
 */
export async function requireSourceProperties(reconciliation: Reconciliation): Promise<void> {
  const { rules, resources, repository, run, log } = reconciliation
  const { source, name } = rules.mapping
  const properties = await resources.objectSet(source).properties?.(run.signal)
  if (!properties) return
  const { present, absent } = properties
  const key = `properties/${source}`
  const before = namesIn(await repository.settings.read(key))
  const lost = absent.filter(({ name }) => before.has(name))
  if (lost.length > 0) throw lostProperties(source, lost, present)
  const missing = `${source} has no ${inWords(absent)}, although objectTypes declares it; it reads as null`
  if (absent.length > 0) log('warn', `${name}: ${missing}`)
  const known = before.union(new Set(present.map(({ name }) => name)))
  if (!run.analysis && known.size > before.size) await repository.settings.write(key, [...known])
}

function lostProperties(
  source: string,
  lost: readonly SystemProperty[],
  present: readonly SystemProperty[],
): Problem {
  const names = lost.map(({ name }) => name).join(', ')
  const message =
    `${source} no longer has ${inWords(lost)}, which it had in an earlier run: every target would lose the value.` +
    ` It has ${inWords(present)}. Bring it back or, if it is gone for good, remove ${names} from the objectTypes`
  return new Problem('CONNECTOR_FAILED', message, { detail: { lost, present } })
}

function inWords(properties: readonly SystemProperty[]): string {
  const words = properties.map(({ name, attribute }) =>
    name === attribute ? name : `${attribute} (${name})`,
  )
  return words.join(', ')
}

function namesIn(stored: Json | undefined): ReadonlySet<string> {
  return new Set(Array.isArray(stored) ? stored.filter((name) => typeof name === 'string') : [])
}
