import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorObject } from '../kit/query.ts'
import { type Attributes, setAttribute } from '../kit/values.ts'
import type { Damage, XmlObject } from './reader.ts'
import { isValue, valueOfTexts } from './values.ts'
import { nameName, type Shape, uidName } from './xsd.ts'

/** What an object of a document says: the texts of each attribute, its id, and its values. */
export type Content = ReadonlyMap<string, readonly string[]>

export function contentOf({ elements }: Pick<XmlObject, 'elements'>): Content {
  const content = new Map<string, string[]>()
  for (const { name, text } of elements) {
    const texts = content.get(name)
    if (texts) texts.push(text)
    else content.set(name, [text])
  }
  return content
}

/** `__UID__`, where objects have one; otherwise the name. */
export function idOfContent(content: Content, { hasUid }: Shape): string | undefined {
  return (hasUid ? bare(content, uidName) : undefined) ?? bare(content, nameName)
}

export function nameOfContent(content: Content): string | undefined {
  return content.get(nameName)?.find(isValue)
}

function bare(content: Content, name: string): string | undefined {
  return content.get(name)?.find(isValue)?.trim()
}

/** Equal for equal contents, whatever the order of their elements. */
export function textOfContent(content: Content): string {
  const members = [...content].map(([name, texts]) => [name, texts.filter(isValue)] as const)
  return JSON.stringify(
    members.filter(([, texts]) => texts.length > 0).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The object as it is read: those fields, or all that are returned by default. */
export function asObject(
  id: string,
  content: Content,
  { attributes }: Shape,
  fields?: readonly string[],
): ConnectorObject {
  const object: Attributes = {}
  for (const [name, attribute] of attributes) {
    const isWanted = fields ? fields.includes(name) : attribute.returnedByDefault !== false
    if (!isWanted || attribute.readable === false) continue
    const value = valueOfTexts(content.get(name) ?? [], attribute)
    if (value !== undefined) setAttribute(object, name, value)
  }
  return { ...object, _id: id }
}

/** What of an object does not fit the schema; undefined: nothing. */
export function faultOf(object: XmlObject, content: Content, { attributes }: Shape): Damage | undefined {
  if (object.fault) return object.fault
  for (const [name, texts] of content) {
    const attribute = attributes.get(name)
    if (!attribute) continue
    try {
      valueOfTexts(texts, attribute)
    } catch (error) {
      const { line, column } = object.elements.find((element) => element.name === name) ?? object
      return { line, column, fact: `${name} ${error instanceof Error ? error.message : String(error)}` }
    }
  }
  return undefined
}

export function problemAt(file: string, { line, column, fact }: Damage): ConnectorError {
  const message = `${file}, line ${line}, column ${column}: ${fact}`
  return new ConnectorError('unreadable', message, { detail: { file, line, column } })
}
