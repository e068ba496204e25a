/**
 * Generates `schemas/*.json` (for editors), `docs/configuration.md` and `docs/problems.md` (for people) from what the
 * program itself uses, so that neither can say something else than the check does. Run by
 * `npm run docs`; a test compares the committed files with what this makes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Definitions, type JsonSchema, resolveReference } from '../src/config/check/schema.ts'
import { definitions, type Kind, kinds, schemas } from '../src/config/schemas/kinds.ts'
import { problems } from '../src/model/problem.ts'
import { connectorKinds, connectorSchemas } from '../src/server/connectors.ts'
import { standaloneSchema } from './editor-schema.ts'
import { jsonText } from './json-text.ts'

/** Every generated file, relative to the repository, with its text. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const connectors = connectorSchemas(connectorKinds())
  return {
    ...Object.fromEntries(
      kinds.map((kind) => [`schemas/${kind}.json`, jsonText(standaloneSchema(kind, connectors))]),
    ),
    'docs/configuration.md': configurationPage(),
    'docs/problems.md': problemsPage(),
  }
}

function problemsPage(): string {
  const rows = Object.entries(problems).map(
    ([code, { status, hint }]) => `| \`${code}\` | ${status} | ${hint} |`,
  )
  return `# Problems

<!-- Generated from src/model/problem.ts by \`npm run docs\`. -->

Every error has a code that stays the same, the HTTP status that REST answers with, and a hint. The message says what the
case is about. A script or a connector may choose another status.

| Code | Status | What to do |
|---|---|---|
${rows.join('\n')}
`
}

interface Section {
  readonly file: string
  /** Named shapes that are explained here. */
  readonly shapes: readonly string[]
  /** What the schema itself cannot say. */
  readonly more?: string
}

const sections: Readonly<Record<Kind, Section>> = {
  sync: { file: 'sync.json', shapes: [] },
  mapping: {
    file: 'mapping-<name>.json',
    shapes: ['property', 'policy', 'correlationQuery', 'expressionTree', 'query', 'queuedSync'],
  },
  managed: {
    file: 'managed.json',
    shapes: ['managedObject', 'managedProperty', 'policyReference', 'resourceQuery'],
  },
  policy: { file: 'policy.json', shapes: [] },
  provisioner: {
    file: 'provisioner.openicf-<name>.json',
    more:
      'What goes into `configurationProperties` depends on the connector: [CSV](csv.md#configuration-properties), ' +
      '[LDAP](ldap.md#configuration-properties), [database tables](sql.md#configuration-properties), [XML files](xml.md#configuration-properties), [scripts](scripted.md#configuration-properties).',
    shapes: ['objectType', 'connectorProperty', 'operationOption', 'syncFailureHandler'],
  },
  script: { file: 'script.json', shapes: [] },
  schedule: { file: 'schedule-<name>.json', shapes: [] },
  router: { file: 'router.json', shapes: [] },
  access: { file: 'access.json', shapes: [] },
  audit: { file: 'audit.json', more: 'What the settings do: [the audit](audit.md).', shapes: [] },
}
const commonShapes = ['script', 'condition', 'postRetryAction', 'reconAssociation']

function configurationPage(): string {
  return `${[introduction, ...kinds.map(kindSection), commonSection()].join('\n\n')}\n`
}

const introduction = `# Configuration

<!-- Generated from src/config/schemas by \`npm run docs\`. -->

A project is a folder with \`conf/\`. The file \`X.json\` is the configuration object \`X\`, and \`X-Y.json\` is \`X/Y\`
(split at the first dash). Files are strict JSON: no comments, no trailing commas, no repeated keys.

\`syncline check\` reports every mistake with file, line, column and JSON pointer. A broken mapping or connector is left
out; its neighbours stay. Unknown properties are allowed (\`"comment"\`), but one that looks like a known name is a warning.
A property that is null counts as absent. Some properties are known, but this version does not act on them:
[What is refused until later](not-yet.md).

Editors complete and explain the files with the JSON Schemas in \`schemas/\`: begin a file with
\`"$schema": "../schemas/sync.json"\`, as the files of \`syncline init\` do.

## Placeholders

\`&{name}\` in any string is replaced by a property. Process flags come first, then the environment (\`hr.file\` is
\`HR_FILE\`), then \`conf/boot/boot.properties\`.

| Written | Becomes |
|---|---|
| \`"&{hr.file}"\` | the property, with its type; a text is converted where a number or boolean is expected |
| \`"&{launcher.project.location}/hr.csv"\` | text with the property in it |
| \`"&{hr.&{stage}.file}"\` | the property whose name is made with another one |
| \`"&{hr.file\\|data/hr.csv}"\` | the property, or the default behind the bar |
| \`{"$bool": "&{x}"}\`, \`$int\`, \`$number\`, \`$string\` | the property as a value of this type |
| \`{"$array": "&{x}"}\`, \`{"$object": "&{x}"}\` | JSON text as a value; an array may be a comma list |
| \`{"$base64:decode": "&{x}"}\` | the text that the base64 stands for |
| \`{"$inline": "&{path}"}\` | the text of a file, without its last line break |

A property that is not defined is an error, unless the object is switched off by \`"enabled": false\`. Always defined are
\`launcher.project.location\`, \`launcher.working.location\` and \`launcher.install.location\`, and what newer PingIDM versions call
them: \`idm.instance.dir\`, \`idm.data.dir\` and \`idm.install.dir\`.`

function kindSection(kind: Kind): string {
  const { file, shapes, more } = sections[kind]
  const schema = schemas[kind]
  return [
    `## \`${file}\``,
    schema.description?.replace(/^`conf\/[^`]*`: /, '').replace(/^./, (letter) => letter.toUpperCase()),
    ...(more === undefined ? [] : [more]),
    ...tables(schema, ''),
    ...shapes.map(shapeSection),
  ].join('\n\n')
}

function commonSection(): string {
  return ['## Shapes used everywhere', ...commonShapes.map(shapeSection)].join('\n\n')
}

function shapeSection(name: string): string {
  const schema = definitions[name] ?? {}
  return [`### ${schema.title}`, schema.description ?? '', ...tables(schema, '')].join('\n\n')
}

/** The table of an object's properties, and behind it the tables of objects that are written in place. */
function tables(schema: JsonSchema, prefix: string): readonly string[] {
  const properties = Object.entries(schema.properties ?? {})
  if (properties.length === 0) return []
  const rows = properties.map(([name, property]) =>
    row(name, property, schema.required?.includes(name) ?? false),
  )
  const title = prefix === '' ? [] : [`**\`${prefix}\`**`]
  const table = ['| Property | Type | Default | |', '|---|---|---|---|', ...rows].join('\n')
  return [...title, table, ...properties.flatMap(([name, property]) => inPlace(prefix + name, property))]
}

function inPlace(path: string, property: JsonSchema): readonly string[] {
  if (property.items) return inPlace(`${path}[]`, property.items)
  return property.properties ? tables(property, `${path}.`).map((text) => text.replace('.`**', '`**')) : []
}

function row(name: string, property: JsonSchema, isRequired: boolean): string {
  const { default: standard, description = '' } = { ...resolved(property), ...property }
  const value = standard === undefined ? '' : code(JSON.stringify(standard))
  return `| \`${name}\` | ${typeName(property)} | ${isRequired ? 'required' : value} | ${cell(description + values(property) + effect(property))} |`
}

function values({ enum: own, anyOf = [] }: JsonSchema): string {
  const allowed = own ?? anyOf.find((branch) => branch.enum)?.enum
  // A table cell is no place for the forty Java types.
  return allowed && allowed.length <= 16
    ? ` One of ${allowed.map((value) => `\`${value}\``).join(', ')}.`
    : ''
}

function effect({ 'x-noEffect': reason }: JsonSchema): string {
  return reason === undefined ? '' : ` Accepted without effect: ${reason}.`
}

function typeName(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return link(schema.$ref.replace('#/$defs/', ''))
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeName))].join(' or ')
  if (schema.type === 'array') return schema.items ? `array of ${typeName(schema.items)}` : 'array'
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') {
    return `object of ${typeName(schema.additionalProperties)}`
  }
  return schema.type === undefined ? 'any' : String(schema.type)
}

function link(name: string): string {
  const title = definitions[name]?.title ?? name
  // The container's own section describes a mapping.
  const anchor = name === 'mapping' ? 'mapping-namejson' : title.toLowerCase().replaceAll(' ', '-')
  return `[${title.toLowerCase()}](#${anchor})`
}

function resolved(schema: JsonSchema): JsonSchema {
  const all: Definitions = definitions
  return resolveReference(schema, all)
}

function code(text: string): string {
  return `\`${text}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  for (const [file, text] of Object.entries(generatedFiles())) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
}
