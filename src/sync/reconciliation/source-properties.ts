import type { Log } from '../../kit/log.ts'
import type { Json } from '../../model/json.ts'
import { nearest } from '../../model/nearest.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'
import type { ObjectSet, SystemProperty } from '../../router/resources.ts'

interface Asked {
  readonly repository: Repository
  readonly log: Log
  /** The source. */
  readonly set: ObjectSet
  /** False for what only looks: it leaves nothing behind. */
  readonly remembers: boolean
}

/**
 * Refuses a source that has lost declared properties since an earlier run or liveSync, e.g. because a column was renamed: every
 * target would lose the value. What the system never had is only logged: a misspelt name looks the same. `who` is looking:
 * a mapping, or a source.
 */
export async function requireSourceProperties(
  who: string,
  { repository, log, set, remembers }: Asked,
  signal?: AbortSignal,
): Promise<void> {
  const properties = await set.properties?.(signal)
  if (!properties) return
  const source = set.path
  const { present, absent, undeclared = [] } = properties
  const key = `properties/${source}`
  const before = namesIn(await repository.settings.read(key))
  const lost = absent.filter(({ name }) => before.has(name))
  if (lost.length > 0) throw new LostProperties(source, lost, { present, undeclared })
  const missing = `${source} has no ${inWords(absent)}, although objectTypes declares it; it has no value`
  if (absent.length > 0) log('warn', `${who}: ${missing}`)
  const known = before.union(new Set(present.map(({ name }) => name)))
  if (remembers && known.size > before.size) await repository.settings.write(key, [...known])
}

/** Nothing is worked before a person has looked at it. */
export class LostProperties extends Problem {
  /** `undeclared`: what the system has besides; a lost property is perhaps called so now. */
  constructor(
    source: string,
    lost: readonly SystemProperty[],
    { present, undeclared }: { present: readonly SystemProperty[]; undeclared: readonly string[] },
  ) {
    const fact = `${source} no longer has ${inWords(lost)}, which it had in an earlier run: every target would lose the value`
    const names = lost.map(({ name }) => name).join(', ')
    const renamed = lost.flatMap((property) => renaming(property, lost, undeclared))
    const others = undeclared.length > 0 ? `; not declared: ${undeclared.join(', ')}` : ''
    const message = [
      `${fact}. It has ${inWords(present)}${others}`,
      ...renamed.map(({ lost, now }) => `Perhaps ${lost.attribute} is called ${now} now`),
    ].join('. ')
    const hint = [
      'Bring it back, then run again: nothing has been written.',
      ...renamed.map(
        ({ lost, now }) =>
          `If it is called ${now} now, let the property ${lost.name} of the objectTypes have "nativeName": "${now}".`,
      ),
      `If it is gone for good, remove ${names} from the objectTypes.`,
    ].join(' ')
    super('CONNECTOR_FAILED', message, { detail: { lost, present, undeclared }, hint })
  }
}

/** What a lost attribute is probably called now: what is nearest to it, or the only one that is new. */
function renaming(one: SystemProperty, lost: readonly SystemProperty[], undeclared: readonly string[]) {
  const only = lost.length === 1 && undeclared.length === 1 ? undeclared[0] : undefined
  const now = nearest(one.attribute, undeclared) ?? only
  return now === undefined ? [] : [{ lost: one, now }]
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
