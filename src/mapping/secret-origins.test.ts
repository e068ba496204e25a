import { describe, expect, it } from 'vitest'
import type { PropertyMapping } from './mapping.ts'
import { secretOrigins, wordsOf } from './secret-origins.ts'

const isSecret = ([name = '']: readonly string[]) => name === 'pin'

function originOf(source: string | undefined, transform?: string, hook?: string) {
  const property: PropertyMapping = {
    target: ['door'],
    source: source === undefined ? undefined : [source],
    condition: undefined,
    transform: transform === undefined ? undefined : 'transform',
    default: undefined,
  }
  const words = { transform: wordsOf(transform ?? ''), hook: wordsOf(hook ?? '') }
  const hooks = hook === undefined ? {} : { onCreate: 'hook' }
  const { targets, hooks: byHooks } = secretOrigins({ properties: [property], hooks }, words, isSecret)
  return { property: targets.length > 0, hooks: byHooks }
}

describe('what a mapping makes', () => {
  it.each([
    ['a copy', 'cn', undefined, false],
    ['a copy of a secret', 'pin', undefined, true],
    ['a script of a secret', 'pin', "source ? 'set' : 'none'", true],
    ['a script of another attribute', 'cn', 'source.toUpperCase()', false],
    ['a script that decrypts', 'key', 'openidm.decrypt(source)', true],
    ['a script that looks into an encryption', undefined, 'source.key.$crypto.value', true],
    ['a script of the whole source that names a secret', undefined, "source['pin'] + 1", true],
    ['a script of the whole source that has its name within a word', undefined, 'source.spinning', false],
  ])('with %s of the source', (_, source, transform, expected) => {
    expect(originOf(source, transform).property).toBe(expected)
  })

  it.each([
    ['target.cn = source.cn', false],
    ['target.x = openidm.decrypt(source.key)', true],
    ['target.x = source.pin', true],
  ])('by the hook %s', (hook, expected) => {
    expect(originOf('cn', undefined, hook)).toEqual({ property: false, hooks: expected })
  })
})
