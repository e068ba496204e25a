import { applyEdits, findNodeAtLocation, type JSONPath, modify, parseTree } from 'jsonc-parser'
import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'

/**
 * The text of a configuration file with other content. Unchanged parts keep their layout, so that people who keep their
 * files under version control see what was changed and nothing else. A text that cannot be edited this way is rewritten.
 */
export function editedText(text: string | undefined, content: JsonObject): string {
  const before = text === undefined ? undefined : parsed(text)
  if (text === undefined || !isJsonObject(before)) return `${JSON.stringify(content, undefined, 2)}\n`
  const edited = editedInPlace(text, before, content)
  if (edited !== undefined && isExactly(edited, content)) return edited
  return `${JSON.stringify(content, undefined, indentationOf(text))}${lineBreakAtEnd(text)}`
}

/** Undefined where a member occurs twice: reading takes the last, editing finds the first, which may be of another kind. */
function editedInPlace(text: string, before: JsonObject, content: JsonObject): string | undefined {
  try {
    return edit(text, [], before, content)
  } catch {
    return undefined
  }
}

function edit(text: string, place: JSONPath, before: Json | undefined, after: Json): string {
  if (isJsonObject(before) && isJsonObject(after)) return editObject(text, place, before, after)
  if (Array.isArray(before) && Array.isArray(after)) return editArray(text, place, before, after)
  return before !== undefined && equal(before, after) ? text : replaced(text, place, after)
}

function editObject(text: string, place: JSONPath, before: JsonObject, after: JsonObject): string {
  let edited = text
  for (const key of Object.keys(before))
    if (after[key] === undefined) edited = replaced(edited, [...place, key], undefined)
  for (const [key, value] of Object.entries(after))
    if (value !== undefined) edited = edit(edited, [...place, key], before[key], value)
  return edited
}

/** Edits the elements that both have; then removes or adds the rest. */
function editArray(text: string, place: JSONPath, before: readonly Json[], after: readonly Json[]): string {
  let edited = before.length > after.length ? shortened(text, place, after.length) : text
  for (const [index, value] of after.entries())
    edited =
      index < before.length
        ? edit(edited, [...place, index], before[index], value)
        : replaced(edited, [...place, index], value, true)
  return edited
}

/** By hand: removing the last element of an array leaves a character behind where no white space follows it (jsonc-parser 3.3). */
function shortened(text: string, place: JSONPath, length: number): string {
  const root = parseTree(text)
  const array = root && findNodeAtLocation(root, place)
  const last = array?.children?.at(-1)
  if (array === undefined || last === undefined) return text
  const kept = array.children?.[length - 1]
  const [from, to] =
    kept === undefined
      ? [array.offset + 1, array.offset + array.length - 1]
      : [kept.offset + kept.length, last.offset + last.length]
  return text.slice(0, from) + text.slice(to)
}

function replaced(text: string, place: JSONPath, value: Json | undefined, isArrayInsertion = false): string {
  const unit = indentationOf(text)
  const formattingOptions = {
    insertSpaces: unit !== '\t',
    tabSize: unit === '\t' ? 1 : unit.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  }
  return applyEdits(text, modify(text, place, value, { formattingOptions, isArrayInsertion }))
}

/** That of the first line that is indented. */
function indentationOf(text: string): string {
  const first = /\n([ \t]+)\S/.exec(text)?.[1] ?? '  '
  return first.startsWith('\t') ? '\t' : first
}

function lineBreakAtEnd(text: string): string {
  return /\r?\n$/.exec(text)?.[0] ?? ''
}

/** The order of members counts, too: mappings and properties are worked in it. */
function isExactly(text: string, content: JsonObject): boolean {
  return JSON.stringify(parsed(text)) === JSON.stringify(content)
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
