import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileFilter } from '../../../model/filter/evaluate.ts'
import { everything } from '../../../model/filter/filter.ts'
import { parseFilter } from '../../../model/filter/parse.ts'
import { Problem } from '../../../model/problem.ts'
import { type Connector, offers } from '../connector.ts'
import type { ConnectorObject } from '../query.ts'
import { type Attributes, Secret } from '../values.ts'
import { type ConnectorWrite, type ConnectorWriteOutcome, settingOf } from '../write.ts'

/**
 * What every connector must keep, whatever its system. A connector's own test calls this with an empty system and a
 * few facts about it; capabilities that it does not offer are not tested.
 */
export interface ContractFacts {
  readonly name: string
  readonly objectClass: string
  /** A connector to an empty system, and how to get rid of that system. */
  open(): Promise<{ readonly connector: Connector; close(): PromiseLike<void> }>
  /** Attributes of the n-th account; different n, different accounts. */
  account(n: number): Attributes
  /** A single-valued attribute that may be changed and cleared, without influence on the id. */
  readonly attribute: string
  /** The attribute that must be unique. */
  readonly unique: string
  /** An attribute that the system does not have. */
  readonly unknown: string
  /** How to log in as the n-th account, if accounts can. */
  credentials?(n: number): { readonly username: string; readonly password: string }
}

export function connectorContract(facts: ContractFacts): void {
  const { objectClass, attribute } = facts

  describe(`the connector contract for ${facts.name}`, () => {
    let opened: Awaited<ReturnType<ContractFacts['open']>>
    beforeEach(async () => {
      opened = await facts.open()
    })
    const close = async () => {
      await opened.connector[Symbol.asyncDispose]()
      await opened.close()
    }
    afterEach(close)

    const all = async (fields?: readonly string[], pageSize = 3) => {
      const { connector } = opened
      if (!offers(connector, 'search')) return []
      const found: ConnectorObject[] = []
      for await (const page of connector.search({
        objectClass,
        filter: everything,
        pageSize,
        ...(fields && { fields }),
      })) {
        expect(page.length).toBeGreaterThan(0)
        expect(page.length).toBeLessThanOrEqual(pageSize)
        found.push(...page)
      }
      return found
    }
    const write = async (...writes: Parameters<NonNullable<Connector['writeMany']>>[1][number][]) => {
      const { connector } = opened
      if (!offers(connector, 'writeMany')) throw new Error('The contract needs a connector that writes')
      return connector.writeMany(objectClass, writes)
    }
    const create = async (...numbers: number[]) =>
      (
        await write(...numbers.map((n) => ({ operation: 'create' as const, attributes: facts.account(n) })))
      ).map(idOf)
    const read = async (...ids: string[]) => {
      const { connector } = opened
      if (!offers(connector, 'readMany')) throw new Error('The contract needs a connector that reads')
      return connector.readMany(objectClass, ids)
    }

    it('passes its own test when the system is there', async () => {
      if (offers(opened.connector, 'test')) await opened.connector.test()
    })

    it('has a schema that knows the attributes it returns', async () => {
      if (!offers(opened.connector, 'schema')) return
      await create(1)
      const known = (await opened.connector.schema())[objectClass]?.attributes.map(({ name }) => name)
      for (const { _id, ...attributes } of await all()) {
        expect(known).toEqual(expect.arrayContaining(Object.keys(attributes)))
      }
      expect(known).not.toContain('_id')
    })

    it('finds nothing in an empty system', async () => {
      expect(await all()).toEqual([])
      expect((await read('nobody')).size).toBe(0)
    })

    it('reads and finds what it created, in one stable order', async () => {
      const ids = await create(1, 2, 3, 4, 5, 6, 7)
      expect(new Set(ids).size).toBe(7)
      const found = await all()
      expect(found.map(({ _id }) => _id).toSorted()).toEqual(ids.toSorted())
      expect(await all()).toEqual(found)
      const objects = await read(...ids, 'nobody')
      expect(objects.size).toBe(7)
      for (const [n, id] of ids.entries()) expect(objects.get(id)).toMatchObject(facts.account(n + 1))
      for (const object of found) expect(objects.get(object._id)).toEqual(object)
    })

    it('returns only the attributes asked for, and always the id', async () => {
      await create(1)
      for (const object of await all([attribute]))
        expect(Object.keys(object).toSorted()).toEqual(['_id', attribute].toSorted())
    })

    it('counts what there is, where it offers to count', async () => {
      await create(1, 2, 3)
      const { connector } = opened
      if (offers(connector, 'count')) expect(await connector.count(objectClass)).toBe((await all()).length)
    })

    it('says beforehand under which id an object will stand, where it can', async () => {
      const { connector } = opened
      if (!offers(connector, 'idOf')) return
      const attributes = facts.account(1)
      const foreseen = connector.idOf(objectClass, attributes, 'proposed')
      if (foreseen === undefined) return
      const [outcome] = await write({ operation: 'create', id: 'proposed', attributes })
      expect(outcome).toMatchObject({ ok: true, id: foreseen })
      expect((await read(foreseen)).has(foreseen)).toBe(true)
    })

    it('changes the attributes that an update names and leaves the others', async () => {
      const [id = ''] = await create(1, 2)
      const before = (await read(id)).get(id)
      const [outcome] = await write({
        operation: 'update',
        id,
        changes: settingOf({ [attribute]: 'changed' }),
      })
      expect(outcome).toMatchObject({ ok: true, id })
      expect((await read(id)).get(id)).toEqual({ ...before, [attribute]: 'changed' })
    })

    it('clears an attribute that is null: then it is absent', async () => {
      const [id = ''] = await create(1)
      await write({ operation: 'update', id, changes: settingOf({ [attribute]: null }) })
      expect((await read(id)).get(id)).not.toHaveProperty([attribute])
    })

    it('deletes', async () => {
      const [gone = '', kept = ''] = await create(1, 2)
      expect(await write({ operation: 'delete', id: gone })).toMatchObject([{ ok: true, id: gone }])
      expect([...(await read(gone, kept)).keys()]).toEqual([kept])
      expect((await all()).map(({ _id }) => _id)).toEqual([kept])
    })

    it('gives outcomes at the place of their write; a failure does not stop the others', async () => {
      const [id = ''] = await create(1)
      const outcomes = await write(
        { operation: 'create', attributes: facts.account(1) },
        { operation: 'create', attributes: facts.account(2) },
        { operation: 'update', id: 'nobody', changes: settingOf({ [attribute]: 'x' }) },
        { operation: 'delete', id: 'nobody' },
        { operation: 'update', id, changes: settingOf({ [facts.unknown]: 'x' }) },
        { operation: 'update', id, changes: settingOf({ [attribute]: 'changed' }) },
      )
      expect(outcomes.map(codeOf)).toEqual([
        'PRECONDITION_FAILED',
        'ok',
        'NOT_FOUND',
        'NOT_FOUND',
        'INVALID_VALUE',
        'ok',
      ])
      expect((await read(id)).get(id)).toMatchObject({ [attribute]: 'changed' })
      expect(await all()).toHaveLength(2)
    })

    it('applies the writes of a page in order', async () => {
      const [id = ''] = await create(1)
      const outcomes = await write(
        { operation: 'update', id, changes: settingOf({ [attribute]: 'first' }) },
        { operation: 'update', id, changes: settingOf({ [attribute]: 'second' }) },
        { operation: 'create', attributes: facts.account(2) },
        { operation: 'delete', id },
        { operation: 'update', id, changes: settingOf({ [attribute]: 'late' }) },
        { operation: 'create', attributes: facts.account(1) },
      )
      expect(outcomes.map(codeOf)).toEqual(['ok', 'ok', 'ok', 'ok', 'NOT_FOUND', 'ok'])
      const last = idOf(outcomes.at(-1))
      expect((await read(last)).get(last)).toMatchObject(facts.account(1))
    })

    it('holds what a plain map holds after any pages of writes', async () => {
      const property = fc.asyncProperty(pagesOfSteps, async (pages) => {
        await close()
        opened = await facts.open()
        const ids = new Map<number, string>()
        const expected = new Map<string, Attributes>()
        for (const page of pages) {
          // An account that is created within the page has an id only afterwards.
          const touched = new Set<number>()
          const steps = page.filter(({ n }) => !touched.has(n) && touched.add(n))
          const outcomes = await write(...steps.map((step) => writeOf(step, ids.get(step.n), facts)))
          for (const [place, step] of steps.entries()) record(step, outcomes[place], { ids, expected, facts })
          const objects = await read(...expected.keys())
          expect([...objects.keys()].toSorted()).toEqual([...expected.keys()].toSorted())
          for (const [id, attributes] of expected)
            expect(objects.get(id)).toMatchObject({ _id: id, ...attributes })
          expect((await all()).map(({ _id }) => _id).toSorted()).toEqual([...expected.keys()].toSorted())
        }
      })
      await fc.assert(property, { numRuns: 30 })
    })

    it('keeps values as they are, whatever characters they have', async () => {
      const [id = ''] = await create(1)
      for (const value of ['a, "b"; c', "it's", 'Ünïcödé 漢字 😀', 'back\\slash\\', 'a (b) * & | =', '"']) {
        await write({ operation: 'update', id, changes: settingOf({ [attribute]: value }) })
        expect((await read(id)).get(id)).toMatchObject({ [attribute]: value })
      }
    })

    it('writes pages that come at the same time one after the other', async () => {
      const pages = await Promise.all([1, 2, 3, 4].map((n) => create(n * 10, n * 10 + 1)))
      expect((await all()).map(({ _id }) => _id).toSorted()).toEqual(pages.flat().toSorted())
    })

    it('finds what its own filter says, if it filters', async () => {
      const { connector } = opened
      if (!offers(connector, 'search') || !offers(connector, 'split')) return
      await create(1, 2, 3)
      const filter = parseFilter(`${facts.unique} eq ${JSON.stringify(facts.account(2)[facts.unique])}`)
      const matches = compileFilter(filter)
      const found = (await Array.fromAsync(connector.search({ objectClass, filter }))).flat()
      expect(found).toHaveLength(1)
      expect(
        found.map(({ _id, [facts.unique]: value }) => matches({ _id, [facts.unique]: String(value) })),
      ).toEqual([true])
    })

    it('can be left in the middle of a search, and used again', async () => {
      const { connector } = opened
      if (!offers(connector, 'search')) return
      await create(1, 2, 3, 4)
      for await (const _page of connector.search({ objectClass, filter: everything, pageSize: 1 })) break
      expect(await all()).toHaveLength(4)
    })

    it('stops a search whose signal is aborted', async () => {
      const { connector } = opened
      if (!offers(connector, 'search')) return
      await create(1)
      const search = connector.search(
        { objectClass, filter: everything },
        AbortSignal.abort(new Error('enough')),
      )
      await expect(Array.fromAsync(search)).rejects.toThrow('enough')
    })

    it('authenticates the right password and nobody else', async () => {
      const { connector } = opened
      if (!offers(connector, 'authenticate') || !facts.credentials) return
      const [id] = await create(1)
      const { username, password } = facts.credentials(1)
      expect(await connector.authenticate(objectClass, username, new Secret(password))).toBe(id)
      for (const [name, word] of [
        [username, `${password}x`],
        [username, ''],
        ['nobody', password],
      ] as const) {
        await expect(connector.authenticate(objectClass, name, new Secret(word))).rejects.toMatchObject({
          code: 'UNAUTHORIZED',
        })
      }
    })
  })
}

/** `put` creates the n-th account, or changes its attribute if it is there. */
type Step =
  | { readonly kind: 'put'; readonly n: number; readonly value: string }
  | { readonly kind: 'delete'; readonly n: number }

const number = fc.integer({ min: 1, max: 6 })
const value = fc.nat({ max: 40 }).map((length) => `v${'é'.repeat(length)}`)
const pagesOfSteps: fc.Arbitrary<readonly (readonly Step[])[]> = fc.array(
  fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('put' as const), n: number, value }),
      fc.record({ kind: fc.constant('delete' as const), n: number }),
    ),
    { minLength: 1, maxLength: 4 },
  ),
  { minLength: 1, maxLength: 12 },
)

function writeOf(step: Step, id: string | undefined, { account, attribute }: ContractFacts): ConnectorWrite {
  if (step.kind === 'delete') return { operation: 'delete', id: id ?? 'nobody' }
  const changed = { [attribute]: step.value }
  if (id !== undefined) return { operation: 'update', id, changes: settingOf(changed) }
  return { operation: 'create', attributes: { ...account(step.n), ...changed } }
}

interface Accounts {
  /** The ids of the accounts that are there. */
  readonly ids: Map<number, string>
  readonly expected: Map<string, Attributes>
  readonly facts: ContractFacts
}

function record(
  step: Step,
  outcome: ConnectorWriteOutcome | undefined,
  { ids, expected, facts }: Accounts,
): void {
  const known = ids.get(step.n)
  if (step.kind === 'delete' && known === undefined) {
    expect(outcome).toMatchObject({ ok: false, error: { code: 'NOT_FOUND' } })
    return
  }
  const id = idOf(outcome)
  if (known !== undefined) expect(id).toBe(known)
  if (step.kind === 'delete') {
    ids.delete(step.n)
    expected.delete(id)
    return
  }
  ids.set(step.n, id)
  expected.set(id, { ...facts.account(step.n), [facts.attribute]: step.value })
}

function idOf(outcome: ConnectorWriteOutcome | undefined): string {
  if (outcome?.ok) return outcome.id
  throw outcome?.error ?? new Error('There is no outcome for the write')
}

function codeOf(outcome: ConnectorWriteOutcome): string {
  if (outcome.ok) return 'ok'
  return outcome.error instanceof Problem ? outcome.error.code : outcome.error.message
}
