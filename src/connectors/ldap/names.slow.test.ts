import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entryName } from '../../model/entry-name.ts'
import { runs } from '../../testing/runs.ts'
import { hostileTexts } from '../kit/contract/hostile.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

let slapd: Slapd

beforeAll(async () => {
  slapd = await startSlapd()
})
afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

/** The texts that the syntax of names allows at this server: some value, and no more than its database can index. */
const texts = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.stringMatching(/^[ #,+"\\<>;=\t\n]{1,12}$/),
  fc.constantFrom(...hostileTexts),
)

describe('names that the function dn writes', () => {
  it('are those of the server, with any text in them: the value comes back, and the entry is found by its name', async () => {
    await using connector = slapd.connect({ baseContexts: [people] })
    await connector.schema()
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        fc.pre(text.isWellFormed() && text.trim() !== '')
        const dn = entryName([{ cn: text }, 'ou=people', base])
        const [created] = await connector.writeMany('__ACCOUNT__', [
          { operation: 'create', attributes: { dn, sn: ['x'] } },
        ])
        if (!created?.ok) throw created?.error
        try {
          const filter = { kind: 'compare', operator: 'eq', pointer: ['dn'], value: dn } as const
          const found = await Array.fromAsync(connector.search({ objectClass: '__ACCOUNT__', filter }))
          expect(found.flat()).toMatchObject([{ _id: created.id, cn: [text] }])
        } finally {
          const [deleted] = await connector.writeMany('__ACCOUNT__', [
            { operation: 'delete', id: created.id },
          ])
          expect(deleted?.ok).toBe(true)
        }
      }),
      runs(200),
    )
  })
})
