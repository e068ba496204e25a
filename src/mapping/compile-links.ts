import type { JsonObject } from '../model/json.ts'
import type { LinkUse } from './mapping.ts'
import type { Reading } from './reading.ts'

/** A mapping as configured, for looking up the link set that `links` names. */
export interface MappingConfiguration {
  readonly name: string
  readonly content: JsonObject
}

/** engine §5.2: the set belongs to the mapping that `links` names; its settings govern case. */
export function linksIn(
  reading: Reading,
  name: string,
  source: string,
  target: string,
  all: readonly MappingConfiguration[],
): LinkUse {
  const own = reading.configuration
  const type = String(own.links ?? name)
  const definer = type === name ? own : all.find((mapping) => mapping.name === own.links)?.content
  if (!definer || (definer.links ?? type) !== type)
    reading.error(
      ['links'],
      `links names ${JSON.stringify(own.links)}, but no mapping of that name defines its own link set`,
    )
  const { source: first, target: second, sourceIdsCaseSensitive, targetIdsCaseSensitive } = definer ?? own
  const reversed = type !== name && (first !== source || second !== target)
  if (definer && reversed && (first !== target || second !== source))
    reading.error(
      ['links'],
      `links reuses ${type}, whose object sets (${first} → ${second}) are neither this mapping's nor their reverse`,
    )
  const [ofSource, ofTarget] = reversed
    ? [targetIdsCaseSensitive, sourceIdsCaseSensitive]
    : [sourceIdsCaseSensitive, targetIdsCaseSensitive]
  return {
    ...{ enabled: own.enableLinking !== false, type, reversed },
    ...{ sourceIgnoresCase: ofSource === false, targetIgnoresCase: ofTarget === false },
  }
}
