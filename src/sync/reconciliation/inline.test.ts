import { describe, expect, it } from 'vitest'
import { Problem } from '../../model/problem.ts'
import type { ScriptEngine } from '../../scripts/engine.ts'
import { loadRules } from '../page/rules.ts'
import { administrator, openWorld } from '../testing/world.ts'
import { Reconciliations } from './reconciliations.ts'
import type { ReconciliationRequest } from './request.ts'

const noEngine = {} as ScriptEngine

describe('the rules of an inline mapping', () => {
  it.each<[how: string, request: Partial<ReconciliationRequest>, started: boolean]>([
    ['when their run has ended', { overrides: { allowEmptySourceSet: true, reason: 'all have left' } }, true],
    ['when their run has failed', {}, true],
    [
      'when there is no run, because the request is wrong',
      { overrides: { runTargetPhase: 'perhaps' } },
      false,
    ],
  ])('are disposed of %s', async (_how, request, started) => {
    await using world = await openWorld()
    let loaded = 0
    const reconciliations = new Reconciliations({
      ...world.singles,
      rulesOf: async () => {
        throw new Problem('NOT_FOUND', 'there are no others')
      },
      inlineRules: async () => {
        loaded++
        const rules = await loadRules(world.mapping, {}, noEngine)
        return { ...rules, [Symbol.asyncDispose]: async () => void loaded-- }
      },
    })
    const inline = { name: 'inline' }
    const start = reconciliations.start({ mapping: 'inline', inline, ...request }, administrator)
    if (started) {
      const { done } = await start
      expect(loaded).toBe(1)
      await done
    } else await expect(start).rejects.toThrow('runTargetPhase must be true or false')
    expect(loaded).toBe(0)
  })
})
