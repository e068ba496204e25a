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
  const named = own.links
  const enabled = own.enableLinking !== false
  const ignoresCase = (mapping: JsonObject) => ({
    sourceIgnoresCase: mapping.sourceIdsCaseSensitive === false,
    targetIgnoresCase: mapping.targetIdsCaseSensitive === false,
  })
  if (named === undefined || named === null || named === name) {
    return { enabled, type: name, reversed: false, ...ignoresCase(own) }
  }
  const definer = all.find((mapping) => mapping.name === named)?.content
  const unusable = { enabled, type: String(named), reversed: false, ...ignoresCase(own) }
  if (!definer || (definer.links ?? named) !== named) {
    return (
      reading.error(
        ['links'],
        `links names ${JSON.stringify(named)}, but no mapping of that name defines its own link set`,
      ) ?? unusable
    )
  }
  const { sourceIgnoresCase, targetIgnoresCase } = ignoresCase(definer)
  if (definer.source === source && definer.target === target) {
    return { enabled, type: String(named), reversed: false, sourceIgnoresCase, targetIgnoresCase }
  }
  if (definer.source !== target || definer.target !== source) {
    reading.error(
      ['links'],
      `links reuses ${named}, whose object sets (${definer.source} → ${definer.target}) are neither this mapping's nor their reverse`,
    )
  }
  return {
    enabled,
    type: String(named),
    reversed: true,
    sourceIgnoresCase: targetIgnoresCase,
    targetIgnoresCase: sourceIgnoresCase,
  }
}
