import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Problem } from '../../model/problem.ts'
import { causeOf, commonMessage } from './cause.ts'
import { type Applied, nothingApplied, nothingDecided } from './operation.ts'

const operation = (facts: Partial<Applied>): Applied =>
  ({
    ...{ ...nothingDecided, ...nothingApplied, stage: 'applied', phase: 'source', candidates: [] },
    ...facts,
  }) as Applied

const refused = (id: string, mail: string): Applied => {
  const detail = { failedPolicyRequirements: [] }
  const cause = new Problem('POLICY_FAILED', 'Policy validation failed', { detail })
  const failure = new Problem(
    'SYNC_FAILED',
    `could not update target ${id}: ${mail} is no mail (mail: VALID)`,
    {
      cause,
    },
  )
  return operation({ sourceId: `s${id}`, targetId: id, source: { _id: `s${id}`, mail }, failure })
}

describe('failures', () => {
  it('of one reason have one cause, whatever their ids and values', () => {
    const [first, second] = [causeOf(refused('anna', 'a@')), causeOf(refused('bo-12', 'b.b@'))]
    expect(first?.id).toBe(second?.id)
    expect(first).toMatchObject({
      code: 'POLICY_FAILED',
      hint: expect.stringContaining('Correct the values'),
    })
  })

  it('of other reasons have other causes', () => {
    const failure = new Problem('SCRIPT_FAILED', 'could not update target anna: broken')
    expect(causeOf(operation({ failure }))?.id).not.toBe(causeOf(refused('anna', 'a@'))?.id)
  })

  it.each<[string, Partial<Applied>]>([
    ['nothing went wrong', {}],
    [
      'a chosen EXCEPTION is a report',
      { action: 'EXCEPTION', refusal: 'Situation AMBIGUOUS marked as EXCEPTION' },
    ],
    [
      'a plan left it out',
      { refusal: 'left out: the source has changed', stale: { why: 'changed', done: false } },
    ],
  ])('have none where %s', (_, facts) => {
    expect(causeOf(operation(facts))).toBeUndefined()
  })
})

describe('the common part of messages', () => {
  it.each([
    ['target u1: "x" is too short', ['u1'], 'target …: "…" is too short'],
    ['row 12, column 3: no number', [], 'row #, column #: no number'],
    ['annabel is not anna', ['anna'], 'annabel is not …'],
    ['a+b (c) is there', ['a+b (c)'], '… is there'],
    ['managed/user/8b0c1a52-3c1d-4f5e-9a77-0123456789ab has it', [], 'managed/user/… has it'],
  ])('%s', (message, own, common) => {
    expect(commonMessage(message, own)).toBe(common)
  })

  it('is found for any values', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (own) => {
        expect(typeof commonMessage(own.join(' '), own)).toBe('string')
      }),
    )
  })
})
