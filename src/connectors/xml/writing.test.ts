import { readdir } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runs } from '../../testing/runs.ts'
import { kindOfError } from '../kit/errors.ts'
import { type ConnectorWrite, type ConnectorWriteOutcome, settingOf } from '../kit/write.ts'
import { document, listed, temporaryXml, usual } from './testing/temporary.ts'

const type = '__ACCOUNT__'

const two = document(`
  <!-- the first -->
  <ri:__ACCOUNT__>
    <icf:__UID__>a</icf:__UID__>
    <icf:__NAME__>Anna</icf:__NAME__>
    <!-- private --><ri:mail kind="home">anna@example.com</ri:mail>
    <ri:tags>x</ri:tags>
    <ri:tags>y</ri:tags>
    <ri:room>7</ri:room>
  </ri:__ACCOUNT__>
  <ri:other><x>kept</x></ri:other>
  <ri:__ACCOUNT__>
    <icf:__UID__>b</icf:__UID__>
    <icf:__NAME__>Bob</icf:__NAME__>
  </ri:__ACCOUNT__>
  <?kept too?>`)

const update = (id: string, attributes: Parameters<typeof settingOf>[0]): ConnectorWrite => ({
  operation: 'update',
  id,
  changes: settingOf(attributes),
})

const verdicts = (outcomes: readonly ConnectorWriteOutcome[]) =>
  outcomes.map((one) => (one.ok ? one.id : kindOfError(one.error)))

describe('writing an XML file', () => {
  it('changes the elements of the changed attributes and no other byte', async () => {
    await using xml = await temporaryXml(two)
    await using connector = xml.connect()
    const changes = { mail: 'a<b> & "c"', tags: ['z'], age: 7 }
    expect(verdicts(await connector.writeMany(type, [update('a', changes)]))).toEqual(['a'])
    const expected = two
      .replace(
        '<ri:mail kind="home">anna@example.com</ri:mail>',
        '<ri:mail>a&lt;b&gt; &amp; &quot;c&quot;</ri:mail>',
      )
      .replace('<ri:tags>x</ri:tags>\n    <ri:tags>y</ri:tags>', '<ri:tags>z</ri:tags>')
      .replace('<ri:room>7</ri:room>', '<ri:room>7</ri:room>\n    <ri:age>7</ri:age>')
    expect(await xml.text()).toBe(expected)
  })

  it('adds objects before the end of the root element, and deletes them with their line', async () => {
    await using xml = await temporaryXml(two)
    await using connector = xml.connect()
    const writes: ConnectorWrite[] = [
      { operation: 'delete', id: 'a' },
      { operation: 'create', id: 'c', attributes: { __NAME__: 'Carl', tags: ['1', '2'] } },
    ]
    expect(verdicts(await connector.writeMany(type, writes))).toEqual(['a', 'c'])
    const text = await xml.text()
    expect(text).toContain('  <!-- the first -->\n  <ri:other><x>kept</x></ri:other>\n')
    expect(text).toContain(`  <?kept too?>
  <ri:__ACCOUNT__>
    <icf:__UID__>c</icf:__UID__>
    <icf:__NAME__>Carl</icf:__NAME__>
    <ri:tags>1</ri:tags>
    <ri:tags>2</ri:tags>
  </ri:__ACCOUNT__>
</icf:OpenICFContainer>`)
    expect(await readdir(xml.folder)).toEqual(expect.arrayContaining(['people.xml', 'people.xsd']))
    expect(await readdir(xml.folder)).toHaveLength(2)
  })

  it('adds the first object to an empty root element, whatever its prefixes', async () => {
    const names = 'xmlns="http://openidm.forgerock.com/xml/ns/public/resource/openicf/resource-schema-1.xsd"'
    await using xml = await temporaryXml(`<OpenICFContainer ${names} />`)
    await using connector = xml.connect()
    for (const id of ['a', 'b']) {
      const create: ConnectorWrite = {
        operation: 'create',
        id,
        attributes: { __NAME__: id.toUpperCase(), mail: id },
      }
      expect(verdicts(await connector.writeMany(type, [create]))).toEqual([id])
    }
    expect((await listed(xml.connect())).lines).toEqual(['a', 'b'])
    expect((await connector.readMany(type, ['b'])).get('b')).toEqual({ _id: 'b', __NAME__: 'B', mail: 'b' })
  })

  it('refuses what the schema does not allow and what XML cannot hold', async () => {
    await using xml = await temporaryXml(two)
    await using connector = xml.connect()
    const outcomes = await connector.writeMany(type, [
      update('a', { __NAME__: null }),
      update('a', { age: 'old' }),
      update('a', { mail: ['one', 'two'] }),
      update('a', { mail: 'bell\u0007' }),
      update('a', { mail: 'half \ud800' }),
      { operation: 'create', attributes: { mail: 'x' } },
      update('a', { __NAME__: 'Bob' }),
      update('a', { photo: 'no bytes' }),
    ])
    expect(verdicts(outcomes)).toEqual([
      'schemaViolation',
      ...['invalidValue', 'invalidValue', 'invalidValue', 'invalidValue'],
      'schemaViolation',
      'alreadyExists',
      'invalidValue',
    ])
    expect(await xml.text()).toBe(two)
  })

  it('keeps what another program wrote meanwhile, and refuses a write to an object that it changed', async () => {
    await using xml = await temporaryXml(two)
    await using connector = xml.connect()
    await listed(connector)
    await xml.put(two.replace('Bob<', 'Bert<').replace('first', 'very first'))
    const outcomes = await connector.writeMany(type, [update('a', { mail: 'x' }), update('b', { mail: 'y' })])
    expect(verdicts(outcomes)).toEqual(['a', 'changed'])
    expect(await xml.text()).toMatch(/very first[\s\S]*<ri:mail>x<[\s\S]*Bert</)
  })

  it('writes around an object with an error, and not into it', async () => {
    await using xml = await temporaryXml(two.replace('anna@example.com', '<b/>'))
    await using connector = xml.connect()
    const outcomes = await connector.writeMany(type, [update('a', { age: 1 }), update('b', { age: 1 })])
    expect(verdicts(outcomes)).toEqual(['unreadable', 'b'])
    expect((await listed(connector)).lines[1]).toContain('line 8')
  })
})

/** Few names, so that writes collide. */
const ids = ['a', 'bb', 'é', '漢字 & <co>', 'a long name that is long enough']
const id = fc.constantFrom(...ids)
const texts = fc.array(fc.constantFrom('x', '😀', '<&>"\'', ' two\r\nlines ', 'z'.repeat(200)), {
  maxLength: 3,
})
const step = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), id, texts }),
  fc.record({ kind: fc.constant('update' as const), id, texts }),
  fc.record({ kind: fc.constant('rename' as const), id, to: id }),
  fc.record({ kind: fc.constant('delete' as const), id }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Held {
  name: string
  texts: readonly string[]
  /** The write that gave it this name. */
  by: number
}

function writeOf(one: Step): ConnectorWrite {
  if (one.kind === 'create')
    return { operation: 'create', attributes: { __NAME__: one.id, tags: [...one.texts] } }
  if (one.kind === 'delete') return { operation: 'delete', id: one.id }
  return update(one.id, one.kind === 'update' ? { tags: [...one.texts] } : { __NAME__: one.to })
}

/** In its plainest form: in order, as if no name were ever taken; whoever came later to one that two have is refused, and again. */
function perform(steps: readonly Step[], objects: Map<string, readonly string[]>): readonly boolean[] {
  const refused = new Set<number>()
  for (;;) {
    const held = Array.from(objects, ([name, texts]): Held => ({ name, texts, by: -1 }))
    const done = steps.map((one, place) => !refused.has(place) && performOne(one, place, held))
    const twice = held.filter((one) => held.some(({ name, by }) => name === one.name && by < one.by))
    if (twice.length === 0) {
      objects.clear()
      for (const { name, texts } of held) objects.set(name, texts)
      return done
    }
    for (const { by } of twice) refused.add(by)
  }
}

function performOne(one: Step, by: number, held: Held[]): boolean {
  if (one.kind === 'create') {
    held.push({ name: one.id, texts: one.texts, by })
    return true
  }
  const [object] = held.filter(({ name }) => name === one.id).sort((a, b) => a.by - b.by)
  if (!object) return false
  if (one.kind === 'delete') held.splice(held.indexOf(object), 1)
  if (one.kind === 'update') object.texts = one.texts
  if (one.kind === 'rename' && one.to !== object.name) Object.assign(object, { name: one.to, by })
  return true
}

it('holds what a plain map holds after any pages of writes, and keeps all else', async () => {
  const pages = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(pages, async (given) => {
      const other = '<!-- kept --><ri:other>kept</ri:other>'
      await using xml = await temporaryXml(document(other), usual)
      await using connector = xml.connect()
      const expected = new Map<string, readonly string[]>()
      for (const steps of given) {
        const outcomes = await connector.writeMany(type, steps.map(writeOf))
        expect(outcomes.map(({ ok }) => ok)).toEqual(perform(steps, expected))
        for (const one of [connector, xml.connect()]) {
          const read = await one.readMany(type, ids)
          const found = Array.from(read, ([name, object]) => [name, { ...object }])
          const wanted = Array.from(expected, ([name, texts]) => {
            return [name, { _id: name, __NAME__: name, ...(texts.length > 0 && { tags: texts }) }]
          })
          expect(new Map(found as [string, unknown][])).toEqual(new Map(wanted as [string, unknown][]))
          expect((await listed(one)).lines.toSorted()).toEqual([...expected.keys()].toSorted())
          expect(await one.count(type)).toBe(expected.size)
        }
      }
      expect(await xml.text()).toContain(other)
    }),
    runs(60),
  )
}, 60_000)

it('knows the places of all types after writes to each in turn, whatever their lengths', async () => {
  const text = fc.constantFrom('', 'é', '<&>', 'z'.repeat(300))
  const others = id.filter((name) => name !== 'a')
  const one = fc.record({
    type: fc.constantFrom('__ACCOUNT__', '__GROUP__'),
    id: others,
    text,
    size: fc.nat(9),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 25 }), async (given) => {
      const group = '<ri:__GROUP__><icf:__NAME__>g</icf:__NAME__></ri:__GROUP__>'
      await using xml = await temporaryXml(two.replace('<ri:other>', `${group}<ri:other>`))
      await using connector = xml.connect()
      const expected: Record<string, Map<string, unknown>> = { __ACCOUNT__: new Map(), __GROUP__: new Map() }
      for (const { type, id, text, size } of given) {
        const known = expected[type]?.get(id)
        const value = type === '__GROUP__' ? { size } : { mail: text }
        const attributes = { __NAME__: `n ${id}`, ...value }
        const stands = type === '__GROUP__' ? `n ${id}` : id
        const writes: ConnectorWrite[] = known
          ? [size < 3 ? { operation: 'delete', id: stands } : update(stands, value)]
          : [{ operation: 'create', id, attributes }]
        expect(verdicts(await connector.writeMany(type, writes))).toEqual([stands])
        if (known && size < 3) expected[type]?.delete(id)
        else expected[type]?.set(id, { _id: stands, ...attributes })
        for (const [name, objects] of Object.entries(expected)) {
          const wanted = [...objects.values()].map((object) => JSON.parse(JSON.stringify(object)))
          for (const object of wanted) if (object.mail === '') delete object.mail
          const read = await connector.readMany(
            name,
            wanted.map(({ _id }) => _id),
          )
          expect([...read.values()]).toEqual(wanted)
        }
      }
      const fresh = xml.connect()
      expect(await fresh.count('__ACCOUNT__')).toBe(2 + (expected.__ACCOUNT__?.size ?? 0))
      expect(await fresh.count('__GROUP__')).toBe(1 + (expected.__GROUP__?.size ?? 0))
    }),
    runs(40),
  )
}, 60_000)
