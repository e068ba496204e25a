import type { JsonSchema } from '../src/config/check/schema.ts'
import { definitions, type Kind, schemas } from '../src/config/schemas/kinds.ts'

/**
 * A complete schema for editors: it contains the named shapes that it needs and no others. The one for `provisioner`
 * contains the settings of the given connectors.
 */
export function standaloneSchema(
  kind: Kind,
  connectors: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const used = new Set<string>()
  collectReferences(schemas[kind], used)
  const $defs = Object.fromEntries([...used].sort().map((name) => [name, definitions[name] ?? {}]))
  const settings = kind === 'provisioner' ? Object.entries(connectors).map(settingsOf) : []
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...closed(schemas[kind]),
    ...(settings.length > 0 ? { allOf: settings } : {}),
    $defs: Object.fromEntries(Object.entries($defs).map(([name, schema]) => [name, closed(schema)])),
  }
}

/** Names with a meaning of the author's own: `comment`, `_note`, `$schema`. */
const own = '^(comment|[$_#/])'

/**
 * For an editor: names that the check would doubt are underlined, and settings without effect are struck through. Shapes that take
 * names of their user's are left open.
 */
function closed(schema: JsonSchema): JsonSchema {
  const { properties, items, anyOf, additionalProperties, 'x-noEffect': reason } = schema
  const isClosed =
    properties &&
    Object.keys(properties).length > 0 &&
    additionalProperties === undefined &&
    schema['x-open'] !== true
  const keywords = (schema['x-keywords'] ?? []).map((name) => name.replace('$', '\\$'))
  const patternProperties = {
    [own]: true,
    ...(keywords.length > 0 ? { [`^(${keywords.join('|')})$`]: true } : {}),
  }
  return {
    ...schema,
    ...(reason === undefined ? {} : { deprecated: true }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, inner]) => [name, closed(inner)]),
      ),
    }),
    ...(isClosed ? { additionalProperties: false, patternProperties } : {}),
    ...(items && { items: closed(items) }),
    ...(anyOf && { anyOf: anyOf.map(closed) }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: closed(additionalProperties) }),
  }
}

/** The settings apply to the connector that the file names. */
function settingsOf([connectorName, configurationProperties]: readonly [string, JsonSchema]) {
  const properties = { connectorName: { const: connectorName } }
  return {
    if: {
      required: ['connectorRef'],
      properties: { connectorRef: { required: ['connectorName'], properties } },
    },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: { configurationProperties: closed(configurationProperties) } },
  }
}

function collectReferences(schema: unknown, used: Set<string>): void {
  if (typeof schema !== 'object' || schema === null) return
  for (const [key, value] of Object.entries(schema)) {
    const name = key === '$ref' && typeof value === 'string' ? value.replace('#/$defs/', '') : undefined
    if (name === undefined) collectReferences(value, used)
    else if (!used.has(name)) {
      used.add(name)
      collectReferences(definitions[name], used)
    }
  }
}
