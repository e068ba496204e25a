import { describe, expect, it } from 'vitest'
import type { Mapping } from '../mapping/mapping.ts'
import { notForeseen } from './not-foreseen.ts'

const nothing = { creates: 0, updates: 0, deletes: 0, others: 0 }
const of = (hooks: readonly string[], after: readonly string[], writes: Partial<typeof nothing>) => {
  const named: Mapping['hooks'] = Object.fromEntries(hooks.map((hook) => [hook, hook]))
  return notForeseen({ hooks: named, target: 'managed/user' }, after, { ...nothing, ...writes })
}

describe('not foreseen by a plan', () => {
  it.each<[what: string, ...Parameters<typeof of>, expected: readonly string[]]>([
    ['is no script that shapes the target', ['onMapping', 'onCreate', 'onUpdate'], [], { creates: 1 }, []],
    [
      'is what other hooks of the mapping do',
      ['onLink', 'onError'],
      [],
      { others: 1 },
      ['onLink', 'onError'],
    ],
    [
      'is what the target runs after a write of the kind',
      [],
      ['postCreate', 'postUpdate', 'onSync'],
      { creates: 2 },
      ['postCreate of managed/user', 'onSync of managed/user'],
    ],
    ['is no deletion where nothing is deleted', ['onDelete'], ['postDelete'], { updates: 1 }, []],
    ['is only what runs anyway where nothing is written', ['onLink', 'result'], ['onSync'], {}, ['result']],
  ])('%s', (_what, hooks, after, writes, expected) => {
    expect(of(hooks, after, writes)).toEqual(expected)
  })
})
