/** `defaultSourceFields`, `defaultTargetFields`, paging and consent in a run (engine §2.2, §7.4). */
import { describe, expect, it } from 'vitest'
import { script } from '../../testing/script.ts'
import { openWorld, target } from '../testing/world.ts'

const properties = [
  { source: 'mail', target: 'mail' },
  { source: 'name', target: 'name' },
]
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann', phone: '1' }

describe('default source fields', () => {
  it('are all that a rule sees of a source, whether it came with the query or was read by id', async () => {
    const mapping = { properties, defaultSourceFields: ['mail'] }
    await using world = await openWorld({ mapping })
    await world.persons(ann)
    for (const request of [{}, { sourceId: 'p1' }]) {
      await world.run(request)
      expect(Object.values(await world.all(target))).toEqual([
        expect.objectContaining({ mail: 'ann@x', name: null }),
      ])
    }
  })

  it('give way to the fields of the query, and complete an entry that those leave in part', async () => {
    const sourceQuery = { _queryFilter: 'true', _fields: 'name,phone,mail' }
    const explicit = { properties, defaultSourceFields: ['mail'], sourceQuery }
    await using whole = await openWorld({ mapping: explicit })
    await whole.persons(ann)
    await whole.run()
    expect(Object.values(await whole.all(target))[0]).toMatchObject({ name: 'Ann' })

    const partial = { ...explicit, sourceQuery: { _queryFilter: 'true', _fields: 'name' } }
    await using completed = await openWorld({ mapping: partial })
    await completed.persons(ann)
    await completed.run()
    expect(Object.values(await completed.all(target))[0]).toMatchObject({ mail: 'ann@x', name: null })
  })
})

describe.each([
  ['in the repository', false],
  ['outside', true],
])('default target fields of a set %s', (_where, external) => {
  it('are all that rules see, but an update keeps the rest', async () => {
    const mapping = {
      properties: [{ source: 'mail', target: 'mail' }],
      defaultTargetFields: ['name'],
      onUpdate: script("target.note = Object.keys(target).filter(k => k[0] !== '_').sort().join(' ')"),
    }
    await using world = await openWorld({ mapping, external })
    await world.persons(ann)
    await world.users({ _id: 'u1', mail: 'old@x', name: 'Ann', phone: '9' })
    await world.link('p1', 'u1')
    await world.run()
    expect((await world.all(target)).u1).toMatchObject({
      mail: 'ann@x',
      name: 'Ann',
      phone: '9',
      note: 'mail name',
    })
  })

  it('include what properties write, so that nothing is written twice', async () => {
    const mapping = { properties, defaultTargetFields: ['note'] }
    await using world = await openWorld({ mapping, external })
    await world.persons(ann)
    await world.run()
    await world.run()
    expect(world.writes).toEqual([])
  })
})

describe('a source page', () => {
  it.each([1, 2, 1000])('of %i comes to the same', async (reconSourceQueryPageSize) => {
    const mapping = { properties, reconSourceQueryPaging: true, reconSourceQueryPageSize }
    await using world = await openWorld({ mapping })
    await world.persons(ann, { ...ann, _id: 'p2' }, { ...ann, _id: 'p3' })
    expect((await world.run()).situations).toEqual(
      ['p1', 'p2', 'p3'].map((id) => `source ${id}: ABSENT CREATE`),
    )
  })
})

describe('a mapping that requires consent', () => {
  it('lets only those qualify who have given it for this mapping', async () => {
    await using world = await openWorld({
      mapping: { properties, consentRequired: true },
      consentService: true,
    })
    const consent = (mapping: string) => [{ mapping, consentDate: '2026-01-01' }]
    await world.persons(
      { ...ann, consentedMappings: consent('person_user') },
      { ...ann, _id: 'p2', consentedMappings: consent('another') },
      { ...ann, _id: 'p3' },
    )
    expect((await world.run()).situations).toEqual([
      'source p1: ABSENT CREATE',
      'source p2: SOURCE_IGNORED REPORT',
      'source p3: SOURCE_IGNORED REPORT',
    ])
  })
})

describe('a named query', () => {
  it('of the kind that every repository knows selects what it says', async () => {
    const sourceQuery = { _queryId: 'get-by-field-value', field: 'name', value: 'Bob' }
    await using world = await openWorld({ mapping: { properties, sourceQuery } })
    await world.persons(ann, { _id: 'p2', mail: 'bob@x', name: 'Bob' })
    expect((await world.run()).situations).toEqual(['source p2: ABSENT CREATE'])
  })
})
