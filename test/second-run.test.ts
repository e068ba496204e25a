import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asObject, type Json, type JsonObject } from '../src/model/json.ts'
import { type Application, openApplication } from '../src/syncline.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { runs } from '../src/testing/runs.ts'
import { script } from '../src/testing/script.ts'
import { environment } from './support/environment.ts'

/**
 * A second run of anything writes nothing (engine §4.3): whatever the target makes of the values that it is given, in its columns,
 * by its scripts, by encryption or by hashing.
 */
interface Setup {
  readonly people: readonly JsonObject[]
  readonly transforms: readonly (string | undefined)[]
  readonly target: Target
}

type Target =
  | { readonly kind: 'managed'; readonly type: JsonObject }
  | { readonly kind: 'csv'; readonly settings: JsonObject; readonly properties: JsonObject }

const names = ['a', 'b', 'c', 'd'] as const

const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    '',
    ' ',
    'Ann ',
    '  x',
    'TRUE',
    'false',
    '007',
    '1e3',
    '-0',
    'é€',
    'a"b',
    'Ⅷ',
    'x,y',
  ),
  fc.constantFrom<Json>(0, 42, -1.5, 1e21, true, false),
  fc.string({ maxLength: 5 }),
)
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.record({ x: scalar, y: fc.array(scalar, { maxLength: 2 }) }),
)
/** Mostly what a column of the type takes. */
const fitting: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  integer: fc.constantFrom<Json>(null, '', 0, 42, '007', '-0', '1e3', []),
  number: fc.constantFrom<Json>(null, '', -1.5, 42, '1.50', '.5', 1e21, []),
  boolean: fc.constantFrom<Json>(null, '', true, false, 'TRUE', 'false', [true]),
}
const valueFor = (type: string | undefined) =>
  fc.oneof({ weight: 7, arbitrary: fitting[type ?? ''] ?? scalar }, value)

const peopleOf = (typeOf: (name: string) => string | undefined) =>
  fc.array(
    fc.record(Object.fromEntries(names.map((name) => [name, valueFor(typeOf(name))])), { requiredKeys: [] }),
    { minLength: 1, maxLength: 6 },
  )

const transforms = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  undefined,
  'source === null ? null : String(source)',
  '[source]',
  "''",
  'null',
)

/** What a managed type makes of a property. */
const property = fc.constantFrom<JsonObject>(
  {},
  { encryption: { key: 'openidm-sym-default' } },
  { secureHash: { algorithm: 'SHA-256' } },
  { comparison: 'unordered', type: 'array' },
  { onStore: script("typeof property === 'string' ? property.trim().toLowerCase() : property") },
  { onStore: script("property === null || property === '' ? undefined : [].concat(property)") },
  { onRetrieve: script("typeof property === 'string' ? property.toUpperCase() : property") },
  { isVirtual: true, onRetrieve: script("'always'") },
  {
    properties: {
      x: { encryption: { key: 'openidm-sym-default' } },
      y: { comparison: 'unordered', type: 'array' },
    },
  },
)
const shaping = script(
  "if (typeof object.a === 'string') object.a = object.a.trim(); object.sum = String(object.b)",
)
const hooks = fc.constantFrom<JsonObject>(
  {},
  { onCreate: shaping, onUpdate: shaping },
  { onStore: script("object.size = Object.keys(object).length; if (object.d === '') delete object.d") },
  { onRetrieve: script('if (object.b) object.b = String(object.b)') },
  { onRead: script("object.read = true; object.c = object.c === undefined ? 'none' : object.c") },
)
const managed = fc
  .record({ properties: fc.record(Object.fromEntries(names.map((name) => [name, property]))), hooks })
  .map(
    ({ properties, hooks: own }): Target => ({
      kind: 'managed',
      type: { name: 'user', schema: { properties }, ...own },
    }),
  )

const csv = fc
  .record({
    settings: fc.record({
      encoding: fc.constantFrom('utf-8', 'iso-8859-1', 'windows-1252'),
      fieldDelimiter: fc.constantFrom(',', ';', '\t'),
      multiValueSeparator: fc.constantFrom('|', ', ', 'x'),
      multivaluedColumns: fc.subarray([...names]),
      newlineString: fc.constantFrom('\n', '\r\n'),
    }),
    types: fc.record(
      Object.fromEntries(
        names.map((name) => [
          name,
          fc.constantFrom<JsonObject>(
            ...[{ type: 'string' }, { type: 'integer' }, { type: 'number' }, { type: 'boolean' }, {}],
            ...[
              { type: 'string', nativeType: 'integer' },
              { type: 'string', flags: ['NOT_UPDATEABLE'] },
            ],
          ),
        ]),
      ),
    ),
  })
  .map(({ settings, types }): Target => {
    const lists = new Set(settings.multivaluedColumns)
    const declared = names.map((name) => {
      const type = types[name] as JsonObject
      return [name, lists.has(name) ? { type: 'array', items: type } : type]
    })
    const uid = { type: 'string', required: true, nativeName: '__NAME__' }
    return { kind: 'csv', settings, properties: { uid, ...Object.fromEntries(declared) } }
  })

const setup: fc.Arbitrary<Setup> = fc.oneof(managed, csv).chain((target) =>
  fc.record({
    people: peopleOf((name) => (target.kind === 'csv' ? typeIn(target.properties[name]) : undefined)),
    transforms: fc.tuple(transforms, transforms, transforms, transforms),
    target: fc.constant(target),
  }),
)

function typeIn(property: Json | undefined): string | undefined {
  const { type, nativeType, items } = asObject(property)
  const { type: inner = nativeType ?? type } = asObject(items)
  return typeof inner === 'string' ? inner : undefined
}

function writeProject(folder: string, { transforms: scripts, target }: Setup): void {
  const write = (file: string, content: string | object) => {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  const isCsv = target.kind === 'csv'
  write('conf/managed.json', {
    objects: [{ name: 'person' }, ...(target.kind === 'managed' ? [target.type] : [])],
  })
  if (target.kind === 'csv') {
    const delimiter = String(target.settings.fieldDelimiter)
    write('data/dir.csv', `${['uid', ...names].join(delimiter)}\n`)
    write('conf/provisioner.openicf-dir.json', {
      name: 'dir',
      connectorRef: {
        connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
        bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
        bundleVersion: '[1.4,2)',
      },
      configurationProperties: { csvFile: 'data/dir.csv', headerUid: 'uid', ...target.settings },
      objectTypes: {
        account: {
          id: '__ACCOUNT__',
          nativeType: '__ACCOUNT__',
          type: 'object',
          properties: target.properties,
        },
      },
    })
  }
  const mapped = names.map((name, place) => {
    const transform = scripts[place]
    return { source: name, target: name, ...(transform !== undefined && { transform: script(transform) }) }
  })
  write('conf/sync.json', {
    mappings: [
      {
        ...{ name: 'go', source: 'managed/person', enableSync: false },
        target: isCsv ? 'system/dir/account' : 'managed/user',
        properties: [{ source: '_id', target: isCsv ? 'uid' : '_id' }, ...mapped],
      },
    ],
  })
}

async function run({ reconciliations, administrator }: Application, analyze: boolean) {
  const entries: JsonObject[] = []
  const { run: ran, done } = await reconciliations.start(
    { mapping: 'go', analyze, foreseeHooks: true },
    administrator,
    { onEntry: (entry) => entries.push(entry as unknown as JsonObject) },
  )
  await done
  const target = asObject(asObject(ran.toJSON().progress).target)
  const writes = entries.filter(({ writes: some, refusal }) => some && refusal === undefined)
  const failed = entries.filter(({ refusal }) => refusal !== undefined).map(({ sourceId }) => sourceId)
  return { target, writes, failed }
}

describe('a second run', () => {
  it('writes nothing, and its plan is empty', async () => {
    await fc.assert(
      fc.asyncProperty(setup, async (asked) => {
        using folder = temporaryFolder()
        writeProject(folder.path, asked)
        const options = { projectFolder: folder.path, dataFolder: join(folder.path, '.syncline') }
        await using application = await openApplication({ ...options, environment, flags: {}, log: () => {} })
        for (const [place, content] of asked.people.entries())
          await application.resources.create(
            'managed/person',
            String(place),
            content,
            application.administrator,
          )
        const first = await run(application, false)
        const file = () =>
          asked.target.kind === 'csv' ? readFileSync(join(folder.path, 'data/dir.csv')) : undefined
        const before = file()
        const planned = await run(application, true)
        // What the target refused is tried again.
        expect(planned.writes.filter(({ sourceId }) => !first.failed.includes(sourceId))).toEqual([])
        const second = await run(application, false)
        expect(second.writes).toEqual([])
        expect(second.failed).toEqual(first.failed)
        expect(second.target).toMatchObject({ created: 0, updated: 0, deleted: 0 })
        expect(file()).toEqual(before)
      }),
      runs(Number(process.env.SYNCLINE_RUNS ?? 40)),
    )
  })
})
