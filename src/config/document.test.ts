import { describe, expect, it } from 'vitest'
import { parseFile } from './document.ts'
import { formatProblem } from './locate.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const faultsOf = (text: string | Uint8Array) =>
  parseFile('conf/sync.json', typeof text === 'string' ? bytes(text) : text).problems.map(formatProblem)

describe('a file that is not strict JSON', () => {
  it.each([
    ['{"a": 1,}', '1:9 ', 'the comma before } is too many; remove it'],
    ['{"a": [1,\n 2,\n]}', '3:1 ', 'the comma before ] is too many; remove it'],
    ['{\n  // why\n  "a": 1}', '2:3 ', 'JSON has no comments; use a property such as "comment": "…"'],
    ['{"a": 1 /* x */}', '1:9 ', 'JSON has no comments; use a property such as "comment": "…"'],
    ['{"a": 1 "b": 2}', '1:9 ', 'a comma is missing before this'],
    ['{"a" 1}', '1:6 ', 'a colon is missing between name and value'],
    ['{a: 1}', '1:2 ', 'a is not JSON; names and texts need double quotes'],
    ["{'a': 1}", '1:2 ', "strings and names need double quotes, found 'a'"],
    ['{"a": 1', '1:8 ', 'the file ends before the closing } of an object'],
    ['{"a": [1, 2', '1:12 ', 'the file ends before the closing ] of an array'],
    ['{"a": 1}}', '1:9 ', 'there is text behind the end of the object: }; a file holds one JSON object'],
    [
      '{"a": "x\ny"}',
      '1:7 ',
      'the string is not closed on its line; close it with ", and write line breaks as \\n',
    ],
    ['{"a": "\\q"}', '1:7 ', 'the escape in "\\q" is not JSON; write a backslash as \\\\'],
    ['', '1:1 ', 'the file is empty; write {} if nothing is to be configured'],
    [' \n ', '1:1 ', 'the file is empty; write {} if nothing is to be configured'],
    ['[1]', '1:1 ', 'a configuration file holds one JSON object, found array'],
  ])('%j is one error with its place', (text, place, message) => {
    expect(faultsOf(text)).toEqual([`conf/sync.json:${place.trim()}: ${message}`])
  })

  it.each<[string, ...string[]]>([
    ['{"a": [1,2,], "b": {"x":1,},}', '1:12', '1:27', '1:29'],
    ['{"a": 1 "b": 2\n "c": 3}', '1:9', '2:2'],
    ['{"a" 1, "b": 2, "c" 3}', '1:6', '1:21'],
    ['{"a": "one\ntwo\nthree", "b": 1,}', '1:7'],
    ["{'a': 'x', 'b': 'y'}", '1:2', '1:7', '1:12', '1:17'],
    ['{a: 1, b: yes, "c": tru}', '1:2', '1:8', '1:11', '1:21'],
    ['{"a": True, "b": None}', '1:7', '1:18'],
    ['{ // x\n "a": 1, /* y */ "b": 2 }', '1:3', '2:10'],
    ['{"a": , "b": }', '1:7', '1:14'],
    ['{"a" = 1; "b": 2}', '1:6', '1:9'],
    ['{"a": "\\x", "b": "\\d \\q"}', '1:7', '1:18'],
    ['{"a": "x,\n "b": 1, "c": 2,}', '1:7', '2:17'],
    ['{"a: 1,\n "b": {"c": 2}}', '1:2'],
    ['{"a": {"b": "x},\n "c": 1}', '1:13'],
    ['{"a": {"b": [1, 2', '1:18'],
    ['{"a": [1, 2}, "b": {"x": 1]}', '1:12'],
    ['{"a": {"x": 1], "b": 2}', '1:14'],
    ['{"a": [1, 2, "b": 3}', '1:17'],
    ['{"a": x {"b": 1}}', '1:7'],
    ['{"a": 1 "b": {', '1:9', '1:15'],
    ['{"a": 01}', '1:8'],
  ])('tells each of its errors, and none that only follows from another: %j', (text, ...places) => {
    expect(faultsOf(text).map((fault) => fault.split(':').slice(1, 3).join(':'))).toEqual(places)
  })

  it('tells which bracket is missing', () => {
    expect(faultsOf('{"a": [1, 2}')).toEqual([
      'conf/sync.json:1:12: an array is not closed before this }; its ] is missing',
    ])
  })

  it('tells twenty of its errors, and how many there are besides', () => {
    const faults = faultsOf(`{"a": [${'yes, '.repeat(100)}1]}`)
    expect(faults).toHaveLength(21)
    expect(faults.at(-1)).toContain('80 more errors follow in this file')
  })

  it.each([
    ['lists', `{"a": ${'['.repeat(1100)}${']'.repeat(1100)}}`],
    ['objects', `${'{"a": '.repeat(300)}1${'}'.repeat(300)}`],
  ])('is nested too deep for anything that reads it: %s', (_what, text) => {
    expect(faultsOf(text)).toEqual([
      'conf/sync.json:1:1: The JSON is nested more than 256 levels deep; no setting needs that',
    ])
  })

  it('is refused where its bytes are not UTF-8', () => {
    const latin1 = Uint8Array.of(...bytes('{\n"a": "M'), 0xfc, ...bytes('ller"}'))
    expect(faultsOf(latin1)).toEqual(['conf/sync.json:2:8: the file is not valid UTF-8; save it as UTF-8'])
  })
})

describe('a repeated key', () => {
  it('is an error at the later one, at any depth', () => {
    expect(faultsOf('{"a": [{"b": 1,\n "b": 2}]}')).toEqual([
      'conf/sync.json:2:2 /a/0/b: the key "b" is repeated in the same object; keep one of them',
    ])
  })
})

describe('a file that is JSON', () => {
  it('may begin with a byte order mark', () => {
    expect(parseFile('x', bytes('\uFEFF{"a": 1}')).raw).toEqual({ a: 1 })
  })

  it('keeps __proto__ as a plain key', () => {
    const { raw } = parseFile('x', bytes('{"__proto__": {"admin": true}}'))
    expect(Object.keys(raw ?? {})).toEqual(['__proto__'])
    expect((raw as { admin?: unknown }).admin).toBeUndefined()
  })

  it('tells where a value, its key, and the nearest ancestor of what is missing stand', () => {
    const { locate } = parseFile('x', bytes('{\r\n  "a": {\r\n    "b/c": [1, 2]\r\n  }\r\n}'))
    expect(locate(['a', 'b/c', 1])).toEqual({ line: 3, column: 16 })
    expect(locate(['a', 'b/c'], 'key')).toEqual({ line: 3, column: 5 })
    expect(locate(['a', 'missing', 'deep'])).toEqual({ line: 2, column: 8 })
    expect(locate([])).toEqual({ line: 1, column: 1 })
  })
})
