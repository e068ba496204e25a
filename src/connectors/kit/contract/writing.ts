import { ok } from 'node:assert/strict'
import { offers } from '../connector.ts'
import { type Attributes, attribute as attributeOf, type Value } from '../values.ts'
import type { ConnectorWrite } from '../write.ts'
import {
  type Bench,
  type ContractFacts,
  creating,
  deleting,
  idOf,
  type Laws,
  requireAbort,
  requireAttributes,
  requireEqual,
  requireSame,
  requireValue,
  updating,
  verdictOf,
} from './bench.ts'
import { hostileTexts } from './hostile.ts'

export const writing: Laws = {
  async 'says beforehand under which id an object will stand, where it can'(bench) {
    const attributes = bench.facts.account(1)
    const foreseen = bench.need('idOf').idOf(bench.facts.objectClass, attributes, 'proposed')
    if (foreseen === undefined) return
    const [outcome] = await bench.write({ operation: 'create', id: 'proposed', attributes })
    requireEqual(idOf(outcome), foreseen, 'the id')
    await bench.readOne(foreseen)
  },
  async 'changes the attributes that an update names and leaves the others'(bench) {
    const { attribute } = bench.facts
    const [id = ''] = await bench.create(1, 2)
    const before = await bench.readOne(id)
    requireEqual(await bench.update(id, { [attribute]: 'changed' }), id, 'the id')
    requireAttributes(await bench.readOne(id), { ...before, [attribute]: 'changed' })
  },
  async 'clears an attribute: then it is absent'(bench) {
    const id = await bench.createOne(1)
    await bench.update(id, { [bench.facts.attribute]: null })
    requireValue(await bench.readOne(id), bench.facts.attribute, undefined)
  },
  async deletes(bench) {
    const [gone = '', kept = ''] = await bench.create(1, 2)
    const [outcome] = await bench.write(deleting(gone))
    requireEqual(outcome?.ok, true, 'deleted')
    requireSame([...(await bench.read(gone, kept)).keys()], [kept], 'read')
    requireSame(await bench.ids(), [kept], 'found')
  },
  async 'gives outcomes at the place of their write; a failure does not stop the others'(bench) {
    const { attribute, unknown } = bench.facts
    const id = await bench.createOne(1)
    const outcomes = await bench.write(
      creating(bench.facts.account(1)),
      creating(bench.facts.account(2)),
      updating('nobody', { [attribute]: 'x' }),
      deleting('nobody'),
      updating(id, { [unknown]: 'x' }),
      updating(id, { [attribute]: 'changed' }),
    )
    const verdicts = outcomes.map(verdictOf).map((one) => (one === 'invalidValue' ? 'schemaViolation' : one))
    const expected = ['alreadyExists', 'ok', 'unknownId', 'unknownId', 'schemaViolation', 'ok']
    requireEqual(verdicts, expected, 'outcomes')
    requireValue(await bench.readOne(id), attribute, 'changed')
    requireEqual((await bench.ids()).length, 2, 'objects')
  },
  async 'says beforehand which writes it will refuse, and writes nothing then'(bench) {
    const { attribute, unknown, account, objectClass } = bench.facts
    const asked = bench.need('refusals')
    const id = await bench.createOne(1)
    const refusals = await asked.refusals(objectClass, [
      creating(account(2)),
      creating({ ...account(3), [unknown]: 'x' }),
      updating(id, { [unknown]: 'x' }),
      updating(id, { [attribute]: 'changed' }),
      deleting(id),
    ])
    const refused = refusals.map((error) => error !== undefined)
    requireEqual(refused, [false, true, true, false, false], 'refused')
    requireSame(await bench.ids(), [id], 'found')
    requireAttributes(await bench.readOne(id), bench.expected(1))
  },
  async 'applies the writes of a page in order'(bench) {
    const { attribute } = bench.facts
    const id = await bench.createOne(1)
    const outcomes = await bench.write(
      updating(id, { [attribute]: 'first' }),
      updating(id, { [attribute]: 'second' }),
      creating(bench.facts.account(2)),
      deleting(id),
      updating(id, { [attribute]: 'late' }),
      creating(bench.facts.account(1)),
    )
    requireEqual(outcomes.map(verdictOf), ['ok', 'ok', 'ok', 'ok', 'unknownId', 'ok'], 'outcomes')
    requireAttributes(await bench.readOne(idOf(outcomes.at(-1))), bench.expected(1))
  },
  async 'refuses to give an object the unique value of another'(bench) {
    const { unique } = bench.facts
    const [id = '', other = ''] = await bench.create(1, 2)
    const taken = attributeOf(bench.facts.account(2), unique) ?? null
    const [outcome] = await bench.write(updating(id, { [unique]: taken }))
    requireEqual(outcome && verdictOf(outcome), 'alreadyExists', 'the outcome')
    for (const [n, one] of [id, other].entries())
      requireAttributes(await bench.readOne(one), bench.expected(n + 1))
  },
  async 'writes pages that come at the same time as if they came one after the other'(bench) {
    const pages = await Promise.all([1, 2, 3, 4].map((n) => bench.create(n * 10, n * 10 + 1)))
    requireSame(await bench.ids(), pages.flat(), 'found')
  },
  async 'writes nothing of a page whose signal is aborted'(bench) {
    const { objectClass } = bench.facts
    const writes = [creating(bench.facts.account(1))]
    const writer = bench.need('writeMany')
    await requireAbort((signal) => writer.writeMany(objectClass, writes, signal), 'a page of writes')
    requireSame(await bench.ids(), [], 'found')
  },
  async 'renames: the object stands under the id that the outcome says, with all else as it was'(bench) {
    const name = bench.given(bench.facts.rename)(9)
    const [id = '', other = ''] = await bench.create(1, 2)
    const renamed = await bench.update(id, name)
    requireAttributes(await bench.readOne(renamed), { ...bench.expected(1), ...name })
    requireSame(await bench.ids(), [renamed, other], 'found')
    if (renamed !== id) requireEqual((await bench.read(id)).size, 0, 'objects under the old id')
  },
  'holds what a plain map holds after any pages of writes': holdsWhatAMapHolds,
}

export const values: Laws = {
  async 'keeps texts as they are, with any characters'(bench) {
    const { attribute } = bench.facts
    const id = await bench.createOne(1)
    for (const text of hostileTexts) {
      requireEqual(await bench.update(id, { [attribute]: text }), id, 'the id')
      requireValue(await bench.readOne(id), attribute, text)
    }
  },
  async 'keeps every byte of bytes'(bench) {
    const name = bench.given(bench.facts.bytes)
    const id = await bench.createOne(1)
    for (const bytes of [
      Uint8Array.from({ length: 256 }, (_, n) => n),
      Uint8Array.of(0),
      Uint8Array.of(0xff, 0xfe, 0),
    ]) {
      await bench.update(id, { [name]: bytes })
      const found = attributeOf(await bench.readOne(id), name)
      ok(found instanceof Uint8Array, `${name} is no Uint8Array`)
      requireValue(await bench.readOne(id), name, bytes)
    }
  },
  async 'keeps several values of an attribute, always as a list, and none as an absent one'(bench) {
    const name = bench.given(bench.facts.multivalued)
    const id = await bench.createOne(1)
    for (const list of [['one', 'two', 'three'], ['only']]) {
      await bench.update(id, { [name]: list })
      requireEqual(sorted((await bench.readOne(id))[name]), list.toSorted(), name)
    }
    await bench.update(id, { [name]: [] })
    requireValue(await bench.readOne(id), name, undefined)
  },
  async 'holds values in the form that it foresees'(bench) {
    const { attribute, multivalued, objectClass } = bench.facts
    const holder = bench.need('held')
    const id = await bench.createOne(1)
    const lists = multivalued === undefined ? [] : [['b', 'a', 'b'], [' x ', 'y'], ['only'], []]
    const given = [
      ...[...hostileTexts, ' a ', 'A', ''].map((text) => ({ name: attribute, value: text })),
      ...lists.map((value) => ({ name: multivalued ?? '', value })),
    ]
    for (const { name, value } of given) {
      await bench.update(id, { [name]: value })
      const object = await bench.readOne(id)
      const held = holder.held(objectClass, name, value) ?? undefined
      if (Array.isArray(held) && !isOrdered(bench, name))
        requireEqual(sorted(object[name]), held.toSorted(), name)
      else requireValue(object, name, held)
    }
  },
  async 'adds and removes single values, and leaves the others; what is done already does no harm'(bench) {
    const name = bench.given(bench.facts.multivalued)
    if (!bench.need('deltas').deltas(bench.facts.objectClass, name)) return
    const id = await bench.createOne(1)
    const delta = async (add: readonly string[], remove: readonly string[], after: readonly string[]) => {
      const changes = [{ attribute: name, kind: 'delta', add, remove } as const]
      const [outcome] = await bench.write({ operation: 'update', id, changes })
      requireEqual(idOf(outcome), id, 'the id')
      requireEqual(sorted((await bench.readOne(id))[name]), after, name)
    }
    await bench.update(id, { [name]: ['a', 'b'] })
    await delta(['c'], ['a'], ['b', 'c'])
    await delta(['c'], ['a'], ['b', 'c'])
    await delta([], ['b', 'c'], [])
    await delta(['d'], [], ['d'])
  },
}

function isOrdered({ connector, facts }: Bench, name: string): boolean {
  return offers(connector, 'ordered') && connector.ordered(facts.objectClass, name)
}

function sorted(value: Value | undefined): readonly unknown[] {
  if (value === undefined) return []
  ok(Array.isArray(value), 'several values are no list')
  return value.toSorted()
}

/** `put` creates the n-th account, or changes its attribute if it exists. */
type Step = { readonly n: number; readonly kind: 'put' | 'delete'; readonly text: string }

async function holdsWhatAMapHolds(bench: Bench): Promise<void> {
  const { attribute } = bench.facts
  const random = randomOf(42)
  const ids = new Map<number, string>()
  const expected = new Map<string, Attributes>()
  for (let round = 0; round < 60; round++) {
    const steps = stepsOf(random, round)
    const outcomes = await bench.write(...steps.map((step) => writeOf(step, ids.get(step.n), bench.facts)))
    for (const [place, { n, kind, text }] of steps.entries()) {
      const outcome = outcomes[place]
      const known = ids.get(n)
      if (kind === 'delete' && known === undefined) {
        requireEqual(outcome && verdictOf(outcome), 'unknownId', 'the outcome of a delete')
        continue
      }
      const id = idOf(outcome)
      if (known !== undefined) requireEqual(id, known, 'the id')
      if (kind === 'put') {
        ids.set(n, id)
        expected.set(id, { ...bench.expected(n), [attribute]: text })
      } else {
        ids.delete(n)
        expected.delete(id)
      }
    }
    const objects = await bench.read(...expected.keys())
    for (const [id, attributes] of expected) requireAttributes(objects.get(id), attributes)
    requireSame(await bench.ids(), [...expected.keys()], `found after page ${round}`)
  }
}

/** Each account at most once per page: the id of a created account is known only after the page. */
function stepsOf(random: (below: number) => number, round: number): readonly Step[] {
  const numbers = [1, 2, 3, 4, 5, 6].filter(() => random(3) === 0)
  return numbers.map((n) => ({
    n,
    kind: random(3) === 0 ? 'delete' : 'put',
    text: `v${round}${'é'.repeat(random(40))}`,
  }))
}

/** Always the same numbers, so that a failure can be reproduced. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function writeOf(step: Step, id: string | undefined, { account, attribute }: ContractFacts): ConnectorWrite {
  if (step.kind === 'delete') return deleting(id ?? 'nobody')
  const changed = { [attribute]: step.text }
  if (id !== undefined) return updating(id, changed)
  return creating({ ...account(step.n), ...changed })
}
