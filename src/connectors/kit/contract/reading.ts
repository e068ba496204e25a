import { ok } from 'node:assert/strict'
import { everything } from '../../../model/filter/filter.ts'
import { isUnreadable } from '../../../model/unreadable.ts'
import { Secret } from '../values.ts'
import {
  failureOf,
  idsOf,
  type Laws,
  requireAbort,
  requireAttributes,
  requireEqual,
  requireSame,
} from './bench.ts'

export const reading: Laws = {
  'passes its own test when the system is there': (bench) => bench.need('test').test(),
  async 'has a schema that knows the attributes it returns, and the id is none of them'(bench) {
    await bench.create(1)
    const attributes = await bench.attributes()
    const known = new Set(attributes.map(({ name }) => name))
    for (const object of await bench.search())
      for (const name of Object.keys(object))
        ok(name === '_id' || known.has(name), `the schema does not know ${name}`)
    ok(!known.has('_id'), 'the schema has an attribute _id')
    const unique = attributes.find(({ name }) => name === bench.facts.unique)
    ok(unique?.unique, `the schema does not say that ${bench.facts.unique} is unique`)
  },
  async 'gives what the schema calls secret as a Secret, or not at all'(bench) {
    await bench.create(1)
    const attributes = await bench.attributes()
    for (const { name } of attributes.filter(({ secret }) => secret))
      for (const object of await bench.search())
        ok(object[name] === undefined || object[name] instanceof Secret, `${name} is no Secret`)
  },
  async 'finds nothing in an empty system'(bench) {
    requireSame(await bench.ids(), [], 'found')
    requireEqual((await bench.read('nobody')).size, 0, 'objects read')
  },
  async 'reads and finds what it created, in one stable order'(bench) {
    const ids = await bench.create(1, 2, 3, 4, 5, 6, 7)
    requireEqual(new Set(ids).size, 7, 'different ids')
    const found = idsOf(await bench.search())
    requireSame(found, ids, 'found')
    requireEqual(idsOf(await bench.search()), found, 'order of a second search')
  },
  async 'reads by id the same objects that it finds, and leaves out missing ones'(bench) {
    const ids = await bench.create(1, 2, 3)
    const objects = await bench.read(...ids, 'nobody')
    requireSame([...objects.keys()], ids, 'read')
    for (const [place, id] of ids.entries()) requireAttributes(objects.get(id), bench.expected(place + 1))
    for (const object of await bench.search()) requireAttributes(objects.get(object._id), object)
  },
  async 'returns only the attributes asked for, and always the id'(bench) {
    const id = await bench.createOne(1)
    const { attribute, objectClass } = bench.facts
    const fields = [attribute]
    const read = await bench.need('readMany').readMany(objectClass, [id], fields)
    for (const object of [...(await bench.search(everything, { fields })), ...read.values()])
      requireSame(Object.keys(object), ['_id', attribute], 'attributes')
  },
  async 'counts what there is'(bench) {
    await bench.create(1, 2, 3)
    requireEqual(await bench.need('count').count(bench.facts.objectClass), 3, 'count')
  },
  async 'says that the listing of a whole system is complete'(bench) {
    await bench.create(1, 2)
    const { objectClass } = bench.facts
    const search = bench.need('search').search({ objectClass, filter: everything })[Symbol.asyncIterator]()
    let last = await search.next()
    while (!last.done) last = await search.next()
    ok((last.value?.state ?? 'complete') === 'complete', `the listing is ${last.value?.state}`)
  },
  async 'gives an object that cannot be read in its place: it is not absent'(bench) {
    const [damaged = '', sound = ''] = await bench.create(1, 2)
    const { objectClass } = bench.facts
    await bench.damage(damaged)
    const pages = await Array.fromAsync(bench.need('search').search({ objectClass, filter: everything }))
    const read = await bench.need('readMany').readMany(objectClass, [damaged, sound])
    for (const entries of [pages.flat(), [...read.values()]]) {
      requireSame(entries.map(({ _id }) => _id).toSorted(), [damaged, sound].toSorted(), 'objects')
      requireSame(
        entries.filter(isUnreadable).map(({ _id }) => _id),
        [damaged],
        'unreadable objects',
      )
    }
  },
  async 'refuses an object class that the system does not have'(bench) {
    const query = { objectClass: 'no such class', filter: everything }
    const search = Array.fromAsync(bench.need('search').search(query))
    ok(await failureOf(search), 'a search in an unknown object class finds nothing; it should fail')
  },
  /** More often than any pool allows. */
  async 'can be left in the middle of searches, and used again'(bench) {
    const ids = await bench.create(1, 2, 3, 4)
    const query = { objectClass: bench.facts.objectClass, filter: everything, pageSize: 1 }
    for (let round = 0; round < 25; round++) for await (const _ of bench.need('search').search(query)) break
    requireSame(await bench.ids(), ids, 'found')
  },
  async 'stops a search and a reading whose signal is aborted'(bench) {
    const id = await bench.createOne(1)
    const { objectClass } = bench.facts
    const searching = bench.need('search')
    const search = (signal: AbortSignal) =>
      Array.fromAsync(searching.search({ objectClass, filter: everything }, signal))
    await requireAbort(search, 'a search')
    const reader = bench.need('readMany')
    await requireAbort((signal) => reader.readMany(objectClass, [id], undefined, signal), 'a reading')
  },
  async 'answers many readings at the same time'(bench) {
    const ids = await bench.create(1, 2, 3)
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, n) =>
        n % 2 ? bench.ids() : [...(await bench.read(...ids)).keys()],
      ),
    )
    for (const answer of answers) requireSame(answer, ids, 'found')
  },
}
