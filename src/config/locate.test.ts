import { describe, expect, it } from 'vitest'
import type { Finding } from '../model/finding.ts'
import { parseFile } from './document.ts'
import { formatProblem, locate, locateIn } from './locate.ts'

const text = `{
  "mappings": [
    { "name": "a", "a/b": { "~": 1 } },
    {
      "name": "b",
      "source": "managed/user"
    }
  ]
}
`
const file = 'conf/sync.json'
const { raw, locate: positionOf } = parseFile(file, new TextEncoder().encode(text))
const document = { id: 'sync', file, raw, content: raw, locate: positionOf }

describe('a finding', () => {
  it.each<[string, Finding, string]>([
    ['of a value', { place: ['mappings', 1, 'source'], message: 'm' }, '6:17 /mappings/1/source: m'],
    [
      'of a name',
      { place: ['mappings', 1, 'source'], what: 'key', message: 'm' },
      '6:7 /mappings/1/source: m',
    ],
    ['of an element', { place: ['mappings', 1], message: 'm' }, '4:5 /mappings/1: m'],
    [
      'of an absent value',
      { place: ['mappings', 1, 'target', 0], message: 'm' },
      '4:5 /mappings/1/target/0: m',
    ],
    ['of nothing that there is', { place: ['policies', 3], message: 'm' }, '1:1 /policies/3: m'],
    ['of the whole document', { place: [], message: 'm' }, '1:1: m'],
    [
      'of a name with signs',
      { place: ['mappings', 0, 'a/b', '~'], message: 'm' },
      '3:34 /mappings/0/a~1b/~0: m',
    ],
    [
      'that only warns',
      { severity: 'warning', place: ['mappings'], message: 'm' },
      '2:15 /mappings: warning: m',
    ],
  ])('%s has its line, column and pointer', (_what, finding, expected) => {
    expect(formatProblem(locate(document, finding))).toBe(`${file}:${expected}`)
  })

  it('is an error unless it says otherwise, and keeps its facts', () => {
    const facts = { found: 'x', allowed: ['y'], suggestion: 'y' }
    expect(locate(document, { place: [], message: 'm', ...facts })).toEqual({
      ...{ severity: 'error', file, line: 1, column: 1, pointer: '', message: 'm' },
      ...facts,
    })
  })

  it('is looked for in its own document', () => {
    const other = { ...document, id: 'managed', file: 'conf/managed.json' }
    const found = locateIn([other, document], [{ document: 'sync', place: ['mappings'], message: 'm' }])
    expect(found).toMatchObject([{ file, line: 2, column: 15 }])
  })
})
