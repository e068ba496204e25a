import { describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import type { Issue } from '../issues.ts'
import type { Current } from './current.ts'

const issue = (id: string, facts: Partial<Issue> & { readonly phase?: string } = {}): Issue => {
  const { mapping = 'm', runId = 'r1', sign = 's', phase = 'source', content = {} } = facts
  return {
    ...{ id, mapping, runId, sign },
    content: { _id: id, mapping, phase, state: 'OPEN', firstSeen: runId, ...content },
  }
}

export function issuesContract(current: Current): void {
  describe('issues', () => {
    const issues = () => current().issues
    const all = async () => (await issues().query({ filter: everything })).result

    it('have one entry each, in the newest state', async () => {
      await issues().report([issue('a'), issue('b')])
      await issues().report([issue('a', { runId: 'r2', content: { message: 'other' } })])
      expect(await all()).toMatchObject([
        { _id: 'a', firstSeen: 'r1', message: 'other' },
        { _id: 'b', firstSeen: 'r1' },
      ])
      expect(await issues().read('a')).toMatchObject({ runId: 'r2', mapping: 'm' })
      expect(await issues().read('c')).toBeUndefined()
    })

    it('stay ignored while they are the same', async () => {
      const decision = { decision: 'ignore', reason: 'a test account' }
      await issues().save(issue('a', { content: { state: 'IGNORED', decision } }))
      await issues().report([issue('a', { runId: 'r2' })])
      expect(await all()).toMatchObject([{ state: 'IGNORED', decision, firstSeen: 'r1' }])
      await issues().report([issue('a', { runId: 'r3', sign: 'another' })])
      expect(await all()).toMatchObject([{ state: 'OPEN', firstSeen: 'r1' }])
      expect((await all())[0]).not.toHaveProperty('decision')
    })

    it('are gone when their case is over; what was resolved is remembered', async () => {
      await issues().report([issue('a'), issue('b')])
      await issues().save(issue('b', { content: { state: 'RESOLVED' } }))
      await issues().clear(['a', 'b', 'c'])
      expect(await all()).toMatchObject([{ _id: 'b' }])
    })

    it('are gone when a run of all has not found them again', async () => {
      await issues().report([
        ...[issue('a'), issue('b', { phase: 'target' }), issue('c', { phase: 'queue' })],
        ...[issue('d', { mapping: 'other' }), issue('e', { runId: 'r2' })],
      ])
      await issues().sweep('m', 'r2', ['source', 'target'])
      expect((await all()).map(({ _id }) => _id)).toEqual(['c', 'd', 'e'])
      expect([await issues().any('m'), await issues().any('none')]).toEqual([true, false])
    })

    it('of a mapping are forgotten, whatever was decided about them', async () => {
      await issues().report([issue('a'), issue('b', { mapping: 'other' })])
      await issues().save(issue('c', { content: { state: 'RESOLVED' } }))
      expect(await issues().forget('m')).toBe(2)
      expect((await all()).map(({ _id }) => _id)).toEqual(['b'])
    })

    it('of mappings that are not named expire', async () => {
      const seen = (id: string, mapping: string, lastSeen: string) =>
        issue(id, { mapping, content: { lastSeen } })
      await issues().report([
        ...[
          seen('a', 'm', '2026-01-01T'),
          seen('b', 'gone', '2026-01-01T'),
          seen('c', 'gone', '2026-03-01T'),
        ],
        seen('d', '', '2026-01-01T'),
      ])
      await issues().expire(['m'], '2026-02-01T')
      expect((await all()).map(({ _id }) => _id)).toEqual(['a', 'c', 'd'])
    })

    it('are kept or dropped with the transaction that reports them', async () => {
      const broken = current().transaction(async (store) => {
        await store.issues.report([issue('a')])
        throw new Error('broken off')
      })
      await expect(broken).rejects.toThrow('broken off')
      expect(await all()).toEqual([])
    })
  })
}
