import { readFile } from 'node:fs/promises'
import Schema from 'typebox/schema'
import { describe, expect, it } from 'vitest'
import { standaloneSchema } from '../../scripts/editor-schema.ts'
import { generatedFiles } from '../../scripts/generate-docs.ts'
import type { Json } from '../model/json.ts'
import { check } from './check/check.ts'
import type { JsonSchema } from './check/schema.ts'
import { definitions, kinds, schemas } from './schemas/kinds.ts'

describe('generated documentation', () => {
  it.each(Object.entries(generatedFiles()))(
    '%s is as the schemas say; else run `npm run docs`',
    async (file, text) => {
      expect(await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')).toBe(text)
    },
  )

  it('links only to sections that exist', () => {
    const page = generatedFiles()['docs/configuration.md'] ?? ''
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    )
    const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor]) => anchor)
    expect(links.filter((anchor) => !anchors.includes(anchor ?? ''))).toEqual([])
  })
})

describe('a schema', () => {
  it.each(kinds)('of %s describes every property', (kind) => {
    expect(undescribed(standaloneSchema(kind), kind)).toEqual([])
  })

  it.each<[(typeof kinds)[number], object, boolean]>([
    [
      'mapping',
      { source: 'a', target: 'b', policies: [{ situation: 'FOUND', action: { file: 'x.js' } }] },
      true,
    ],
    [
      'mapping',
      { source: 'a', target: 'b', correlationQuery: [{ expressionTree: { any: [{ all: ['x'] }] } }] },
      true,
    ],
    ['mapping', { source: 'a', target: 'b', linkQualifiers: [] }, false],
    ['mapping', { source: 'a' }, false],
    ['sync', { mappings: [{ name: 'a', source: 'a', target: 'b', taskThreads: 1.5 }] }, false],
    [
      'managed',
      { objects: [{ name: 'a', schema: { properties: { b: { items: { type: ['string'] } } } } }] },
      true,
    ],
    ['provisioner', { connectorRef: { connectorName: 'x' }, operationTimeout: { GET: -2 } }, false],
    ['script', { sources: { a: 'b', c: { directory: 'd' } }, timeout: 1 }, true],
  ])('means to editors what it means to the check (%s)', (kind, value, isValid) => {
    const findings = check(schemas[kind], JSON.parse(JSON.stringify(value)), [], { definitions }).findings
    expect(findings.length === 0).toBe(isValid)
    expect(Schema.Check(standaloneSchema(kind), value)).toBe(isValid)
  })
})

it('of a connector holds for the connector that the file names', () => {
  const settings = { properties: { port: { type: 'integer' } } }
  const schema = standaloneSchema('provisioner', { 'org.example.Ldap': settings })
  const file = (connectorName: string, port: Json) => ({
    connectorRef: { connectorName },
    configurationProperties: { port },
  })
  expect(Schema.Check(schema, file('org.example.Ldap', 389))).toBe(true)
  expect(Schema.Check(schema, file('org.example.Ldap', 'ldap'))).toBe(false)
  expect(Schema.Check(schema, file('org.example.Other', 'ldap'))).toBe(true)
})

function undescribed(schema: JsonSchema, path: string): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    ...(property.description || property.$ref !== undefined ? [] : [`${path}.${name}`]),
    ...undescribed(property, `${path}.${name}`),
  ])
  const below = Object.entries(schema.$defs ?? {}).flatMap(([name, shape]) => undescribed(shape, name))
  return [...own, ...below, ...(schema.items ? undescribed(schema.items, `${path}[]`) : [])]
}
