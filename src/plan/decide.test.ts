import { describe, expect, it } from 'vitest'
import { type Call, noScripts } from '../mapping/call.ts'
import { compileMapping } from '../mapping/compile.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { type Action, actions, defaultAction, type Situation, situations } from '../mapping/situation.ts'
import type { JsonObject } from '../model/json.ts'
import { type Decision, decide, type Facts, type Wanted } from './decide.ts'
import type { Candidate } from './facts.ts'
import { refusalOf } from './refusal.ts'

const script = { type: 'text/javascript', source: '…' }
const properties = [{ source: 'mail', target: 'mail' }]

function mapping(configuration: JsonObject = {}): Mapping {
  const content = { name: 'm', source: 'managed/a', target: 'managed/b', properties, ...configuration }
  const { mapping: compiled, errors } = compileMapping(content, [{ name: 'm', content }])
  if (!compiled) throw new Error(errors.map(({ message }) => message).join('; '))
  return compiled
}

const wanted: Wanted = { reconId: 'r', hooks: 'run', until: 'shape', tellsHooked: false }
const source = { _id: 's', mail: 'new@x' }
const target = { _id: 't', mail: 'old@x' }
const link = { targetId: 't' }
const free: Candidate = { id: 't', linked: false }
const known = { linkQualifier: 'default', sourceId: 's', wanted }
const nothing = { link: null, candidates: [], targetId: null, target: null }
const bound = { targetId: 't', target }

const sourceFacts = (given: Partial<Facts & { qualifies: boolean }> = {}): Facts =>
  ({ ...known, ...nothing, kind: 'source', source, qualifies: true, ...given }) as Facts
const goneFacts = (given: Partial<Facts> & { qualifies?: boolean } = {}): Facts =>
  ({ ...known, ...nothing, kind: 'deleted', source: null, qualifies: true, ...given }) as Facts
const targetFacts = (given: Partial<Facts> = {}): Facts =>
  ({ ...known, ...bound, kind: 'target', source: null, link: null, candidates: [], ...given }) as Facts

/** One way into each situation (engine §3.2–§3.4). */
const ways: Record<Situation, Facts> = {
  CONFIRMED: sourceFacts({ link, ...bound }),
  MISSING: sourceFacts({ link, targetId: 't' }),
  ABSENT: sourceFacts(),
  FOUND: sourceFacts({ candidates: [free], ...bound }),
  FOUND_ALREADY_LINKED: sourceFacts({ candidates: [{ id: 't', linked: true }], ...bound }),
  AMBIGUOUS: sourceFacts({ candidates: [free, { id: 'u', linked: false }] }),
  UNQUALIFIED: sourceFacts({ qualifies: false, link, ...bound }),
  SOURCE_IGNORED: sourceFacts({ qualifies: false }),
  SOURCE_MISSING: goneFacts({ link, ...bound }),
  LINK_ONLY: goneFacts({ link, targetId: 't' }),
  ALL_GONE: goneFacts(),
  UNASSIGNED: targetFacts(),
  TARGET_IGNORED: targetFacts(),
}

const waysOf = (situation: Situation) => {
  const configuration = situation === 'TARGET_IGNORED' ? { validTarget: script } : {}
  const call: Call = situation === 'TARGET_IGNORED' ? () => false : noScripts
  return { facts: ways[situation], configuration, call }
}

describe('in every situation', () => {
  it.each(situations)('%s leads to its default action', (situation) => {
    const { facts, configuration, call } = waysOf(situation)
    expect(decide(facts, mapping(configuration), call)).toMatchObject({
      situation,
      action: defaultAction[situation],
    })
  })

  it.each(situations.flatMap((situation) => actions.map((action) => [situation, action] as const)))(
    '%s with a policy for %s is performed, or refused for what the facts lack',
    (situation, action) => {
      const { facts, configuration, call } = waysOf(situation)
      const policies = [{ situation, action }]
      const decision = decide(facts, mapping({ ...configuration, policies }), call)
      const refusal = refusalOf(action, {
        situation,
        sourceExists: facts.source !== null,
        targetId: facts.targetId ?? undefined,
        targetExists: facts.target !== null,
        linked: facts.link !== null,
        linkingEnabled: true,
        candidates: facts.candidates,
      })
      expect(decision).toMatchObject({ situation, action, policy: 0 })
      expect(decision.refusal).toBe(refusal)
      expect(decision.shape !== undefined).toBe(refusal === undefined && writes(action, facts))
    },
  )
})

function writes(action: Action, { source: from, target: to }: Facts): boolean {
  return from !== null && (action === 'CREATE' || (action === 'UPDATE' && to !== null))
}

describe('what is decided', () => {
  it('comes with the desired object and its changes', () => {
    expect(decide(ways.CONFIRMED, mapping(), noScripts)).toEqual<Decision>({
      qualifies: true,
      situation: 'CONFIRMED',
      action: 'UPDATE',
      policy: undefined,
      shape: {
        desired: { _id: 't', mail: 'new@x' },
        changes: [{ pointer: ['mail'], before: 'old@x', after: 'new@x' }],
      },
    })
  })

  it.each([
    ['situation', { situation: 'CONFIRMED' }],
    ['action', { situation: 'CONFIRMED', action: 'UPDATE' }],
  ] as const)('goes no further than its %s where that is enough', (until, expected) => {
    const facts = sourceFacts({ link, ...bound, wanted: { ...wanted, until } })
    const { shape, ...decision } = decide(facts, mapping(), noScripts)
    expect(decision).toMatchObject(expected)
    expect(shape).toBeUndefined()
    if (until === 'situation') expect(decision.action).toBeUndefined()
  })

  it('is the caller’s action, if there is one; the policy that matches lends its postAction', () => {
    const policies = [{ situation: 'ABSENT', action: script }]
    const facts = sourceFacts({ wanted: { ...wanted, action: 'IGNORE' } })
    expect(decide(facts, mapping({ policies }), noScripts)).toMatchObject({ action: 'IGNORE', policy: 0 })
  })

  it('waits with the shape for an onLink that precedes the update, and foresees it in a plan', () => {
    const configured = mapping({ onLink: script })
    expect(decide(ways.FOUND, configured, noScripts).shape).toBeUndefined()
    const foreseen = sourceFacts({ candidates: [free], ...bound, wanted: { ...wanted, hooks: 'foresee' } })
    expect(decide(foreseen, configured, noScripts).shape).toBeDefined()
  })
})

describe('a target that no source led to', () => {
  it.each<[what: string, given: Partial<Facts>, configuration: JsonObject, call: Call, situation: Situation]>(
    [
      ['and that has no link', {}, {}, noScripts, 'UNASSIGNED'],
      ['and whose source is gone', { link }, {}, noScripts, 'SOURCE_MISSING'],
      ['and whose source is there', { link, source }, {}, noScripts, 'CONFIRMED'],
      [
        'and whose source does not qualify',
        { link, source },
        { sourceCondition: '/source/mail eq "x"' },
        noScripts,
        'UNQUALIFIED',
      ],
      ['and that validTarget refuses', { link }, { validTarget: script }, () => false, 'TARGET_IGNORED'],
      ['and that is gone meanwhile', { target: null }, { validTarget: script }, noScripts, 'TARGET_IGNORED'],
    ],
  )('%s', (_what, given, configuration, call, situation) => {
    expect(decide(targetFacts(given), mapping(configuration), call).situation).toBe(situation)
  })
})

describe('a rule that throws', () => {
  const thrown: Call = () => {
    throw new Error('no')
  }
  const problem = { code: 'SYNC_FAILED', message: 'no' }

  it('before the situation is known leaves nothing decided', () => {
    const configured = mapping({ validTarget: script })
    expect(decide(targetFacts(), configured, thrown)).toEqual({ qualifies: true, problem })
  })

  it('in a policy leaves the situation, and the action that would have applied', () => {
    const policies = [{ situation: 'ABSENT', action: script }]
    expect(decide(ways.ABSENT, mapping({ policies }), thrown)).toEqual({
      qualifies: true,
      situation: 'ABSENT',
      action: 'CREATE',
      problem,
    })
  })

  it('while the target is shaped leaves the decision', () => {
    expect(decide(ways.ABSENT, mapping({ onCreate: script }), thrown)).toEqual({
      qualifies: true,
      situation: 'ABSENT',
      action: 'CREATE',
      policy: undefined,
      shapingProblem: problem,
    })
  })

  it('while a plan foresees a hook leaves the target as it is without the hook, and says why', () => {
    const facts = sourceFacts({ wanted: { ...wanted, hooks: 'foresee' } })
    expect(decide(facts, mapping({ onCreate: script }), thrown)).toMatchObject({
      unforeseen: 'no',
      shape: { desired: { mail: 'new@x' } },
    })
  })
})

it('what a policy makes of its variables does not reach the target', () => {
  const policies = [{ situation: 'ABSENT', action: 'CREATE', condition: script }]
  const call: Call = (_name, { object }) => {
    ;(object as JsonObject).mail = 'changed'
    return true
  }
  expect(decide(ways.ABSENT, mapping({ policies }), call).shape?.desired).toEqual({ mail: 'new@x' })
})
