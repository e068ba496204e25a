/**
 * One configuration file as text: strict JSON whose places are kept, so that every later stage can say line and
 * column. Comments, trailing commas, repeated keys, empty files and broken UTF-8 are errors; a byte order mark
 * is not. All syntax errors of a file are reported but those that follow from another one.
 */
import { findNodeAtLocation, type Node, type ParseError, parseTree } from 'jsonc-parser'
import { type Place, printPlace } from '../model/finding.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { checkJsonText } from '../model/json-text.ts'
import { messageOf } from '../model/problem.ts'
import type { ConfigurationDocument, ConfigurationProblem, Position } from './project.ts'
import { syntaxFaults } from './syntax.ts'

export interface ParsedFile extends Pick<ConfigurationDocument, 'raw' | 'locate'> {
  readonly problems: readonly ConfigurationProblem[]
}

export function parseFile(file: string, bytes: Uint8Array): ParsedFile {
  const text = decode(bytes)
  if (text === undefined)
    return broken(file, undecodable(bytes), 'the file is not valid UTF-8; save it as UTF-8')
  const position = positions(text)
  if (text.trim() === '')
    return broken(file, position(0), 'the file is empty; write {} if nothing is to be configured')
  const tooDeep = depthProblem(text)
  if (tooDeep !== undefined) return broken(file, position(0), tooDeep)
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false })
  const [first, ...others] = syntaxFaults(errors, text)
  if (first) {
    const { problems, ...parsed } = broken(file, position(first.offset), first.message)
    const more = others.map(({ offset, message }) => problemOf(file, position(offset), message))
    return { ...parsed, problems: [...problems, ...more] }
  }
  if (root?.type !== 'object') {
    return broken(
      file,
      position(root?.offset ?? 0),
      `a configuration file holds one JSON object, found ${root?.type}`,
    )
  }
  return {
    raw: toJsonObject(root),
    problems: [...repeatedKeys(root, [])].map(({ place, key }) => ({
      severity: 'error',
      file,
      ...position(key.offset),
      pointer: printPlace(place),
      message: `the key ${JSON.stringify(key.value)} is repeated in the same object; keep one of them`,
      found: key.value,
    })),
    locate: (place, what) => position(offsetOf(root, place, what)),
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // The decoder drops a byte order mark.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Where the text stops being UTF-8: decoding leniently puts U+FFFD there. */
function undecodable(bytes: Uint8Array): Position {
  const lenient = new TextDecoder('utf-8').decode(bytes)
  return positions(lenient)(Math.max(0, lenient.indexOf('\uFFFD')))
}

function broken(file: string, position: Position, message: string): ParsedFile {
  return {
    raw: undefined,
    problems: [problemOf(file, position, message)],
    locate: () => position,
  }
}

function problemOf(file: string, position: Position, message: string): ConfigurationProblem {
  return { severity: 'error', file, ...position, pointer: '', message }
}

/** Of a file that only JSON's own grammar would accept. */
function depthProblem(text: string): string | undefined {
  try {
    checkJsonText(text)
    return undefined
  } catch (error) {
    return `${messageOf(error)}; no setting needs that`
  }
}

/** jsonc-parser's own conversion would make `__proto__` a prototype; here it is a plain key as everywhere. */
function toJson(node: Node): Json {
  if (node.type === 'object') return toJsonObject(node)
  if (node.type === 'array') return (node.children ?? []).map(toJson)
  // A string, number, boolean or null, as the parser read it.
  return node.value as Json
}

function toJsonObject(node: Node): JsonObject {
  return Object.fromEntries(
    (node.children ?? []).flatMap(({ children: [key, value] = [] }) =>
      key && value ? [[String(key.value), toJson(value)] as const] : [],
    ),
  )
}

function* repeatedKeys(node: Node, place: Place): Iterable<{ readonly place: Place; readonly key: Node }> {
  if (node.type === 'array') {
    for (const [index, child] of (node.children ?? []).entries())
      yield* repeatedKeys(child, [...place, index])
    return
  }
  const seen = new Set<string>()
  for (const { children: [key, value] = [] } of node.type === 'object' ? (node.children ?? []) : []) {
    if (!key) continue
    const inner = [...place, String(key.value)]
    if (seen.has(key.value)) yield { place: inner, key }
    seen.add(key.value)
    if (value) yield* repeatedKeys(value, inner)
  }
}

function offsetOf(root: Node, place: Place, what: 'key' | 'value' = 'value'): number {
  for (let length = place.length; length > 0; length--) {
    const node = findNodeAtLocation(root, place.slice(0, length))
    if (!node) continue
    const property = node.parent?.type === 'property' ? node.parent : undefined
    return what === 'key' && length === place.length ? (property ?? node).offset : node.offset
  }
  return root.offset
}

/** Offsets to lines and columns, both from 1. */
function positions(text: string): (offset: number) => Position {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return (offset) => {
    let line = starts.findLastIndex((start) => start <= offset)
    if (line < 0) line = 0
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 }
  }
}
