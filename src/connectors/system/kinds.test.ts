import { describe, expect, it } from 'vitest'
import type { ConnectorKind } from '../kit/kind.ts'
import { isInRange, kindFor, versionWarning } from './kinds.ts'

describe('a version', () => {
  it.each<[string, string | undefined, boolean]>([
    ['1.4', '[1.4,2)', true],
    ['1.5.20.0', '[1.4,2)', true],
    ['2', '[1.4,2)', false],
    ['2.0.0', '[1.4,2]', true],
    ['1.4.0', '(1.4,2)', false],
    ['1.3.9', '[1.4,2)', false],
    ['1.10', '[1.9,2)', true],
    ['9', '[1.4,)', true],
    ['1', '(,2)', true],
    ['1.5', '1.5.0', true],
    ['1.5.1', '1.5', false],
    ['1.5', undefined, true],
    ['1.5', '', true],
  ])('%s against %s: %s', (version, range, expected) => {
    expect(isInRange(version, range)).toBe(expected)
  })
})

describe('of several versions of a connector', () => {
  it('those whose configurations mean the same are no warning', () => {
    const [kind] = [{ connectorName: 'x', bundleVersion: '1.5', alsoFollows: ['2.0.2'] } as const]
    const asked = (bundleVersion: string) =>
      versionWarning({ connectorName: 'x', bundleVersion }, kind as unknown as ConnectorKind)
    expect(asked('[2.0.0.0,3)')).toEqual([])
    expect(asked('[1.4,2)')).toEqual([])
    expect(asked('[3,4)')).toHaveLength(1)
  })

  it('the newest that the range allows is taken', () => {
    const kinds = ['1.4', '1.10', '2.0'].map(
      (bundleVersion) => ({ connectorName: 'x', bundleVersion }) as ConnectorKind,
    )
    expect(kindFor({ connectorName: 'x', bundleVersion: '[1,2)' }, kinds).bundleVersion).toBe('1.10')
    expect(kindFor({ connectorName: 'x' }, kinds).bundleVersion).toBe('2.0')
    expect(kindFor({ connectorName: 'x', bundleVersion: '[3,4)' }, kinds).bundleVersion).toBe('2.0')
  })
})
