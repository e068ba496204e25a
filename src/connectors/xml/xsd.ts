import { readFileSync } from 'node:fs'
import { SaxesParser } from 'saxes'
import { ConnectorError, errorCode } from '../kit/errors.ts'
import type { AttributeType, NativeAttribute, ObjectClass } from '../kit/schema.ts'
import type { XmlSettings } from './settings.ts'

/**
 * The types of objects and their attributes, from XML Schema files as the peer has them: each global element with a sequence of
 * elements is a type. Occurrence says whether an attribute is required and has several values; annotations have flags. No other
 * part of XML Schema is looked at.
 */
export interface Shapes {
  /** Of the elements that are objects. */
  readonly namespace: string
  /** Of attributes with names such as `__NAME__`. */
  readonly icfNamespace: string
  readonly classes: ReadonlyMap<string, Shape>
}

export interface Shape {
  readonly attributes: ReadonlyMap<string, NativeAttribute>
  /** Objects have a `__UID__`; otherwise the name is the id. */
  readonly hasUid: boolean
}

export const uidName = '__UID__'
export const nameName = '__NAME__'
export const passwordName = '__PASSWORD__'

const icfNamespace = 'http://openidm.forgerock.com/xml/ns/public/resource/openicf/resource-schema-1.xsd'

interface Node {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Node[]
  text: string
}

/** Reads them at once: they are small, and who asks for the form of a value does not wait. */
export function readShapes(xsdFile: string, { xsdIcfFile }: XmlSettings): Shapes {
  const schema = treeOf(xsdFile)
  const icf = xsdIcfFile === undefined ? undefined : treeOf(xsdIcfFile)
  const global = new Map<string, Node>()
  for (const node of [...elementsIn(icf), ...elementsIn(schema)]) global.set(node.attributes.name ?? '', node)
  const classes = new Map<string, Shape>()
  for (const node of elementsIn(schema)) {
    const { name } = node.attributes
    const members = membersOf(node)
    if (name !== undefined && members) classes.set(name, shapeOf(members, global))
  }
  if (classes.size === 0)
    throw new ConnectorError(
      'misconfigured',
      `${xsdFile} has no element with a sequence of elements: no type of objects`,
    )
  const namespace = schema.attributes.targetNamespace
  if (namespace === undefined)
    throw new ConnectorError('misconfigured', `${xsdFile} has no targetNamespace, which new objects need`)
  return { namespace, icfNamespace: icf?.attributes.targetNamespace ?? icfNamespace, classes }
}

export function classOf({ attributes }: Shape, isWritable: boolean): ObjectClass {
  const operations = ['GET', 'SEARCH', 'AUTHENTICATE'] as const
  return { attributes: [...attributes.values()], ...(!isWritable && { operations }) }
}

function shapeOf(members: readonly Node[], global: ReadonlyMap<string, Node>): Shape {
  const attributes = new Map<string, NativeAttribute>()
  let hasUid = false
  for (const member of members) {
    const name = localOf(member.attributes.name ?? member.attributes.ref ?? '')
    if (name === uidName) hasUid = true
    // A container within an object holds other objects, not a value.
    else if (name !== 'OpenICFContainer' && name !== '')
      attributes.set(name, attributeOf(name, member, global.get(name)))
  }
  const name = attributes.get(nameName) ?? attributeOf(nameName, undefined, undefined)
  attributes.set(nameName, {
    ...name,
    required: true,
    multivalued: false,
    unique: true,
    secret: false,
    type: 'string',
  })
  return { attributes, hasUid }
}

function attributeOf(name: string, member: Node | undefined, declared: Node | undefined): NativeAttribute {
  const { minOccurs = '1', maxOccurs = '1' } = member?.attributes ?? {}
  const notes = [member, declared].flatMap((node) => (node ? notesOf(node) : []))
  const has = (flag: string) => notes.some(({ name, text }) => name === 'flag' && text.trim() === flag)
  const guarded = notes.some(({ name, text }) => name === 'javaclass' && /\.Guarded\w+\s*$/.test(text))
  const secret = guarded || name === passwordName
  const type = typeOf(member) ?? typeOf(declared) ?? (booleans.has(name) ? 'boolean' : 'string')
  return {
    name,
    type: secret ? 'string' : type,
    multivalued: maxOccurs !== '1' && maxOccurs !== '0',
    required: minOccurs !== '0',
    comparison: 'exact',
    secret,
    creatable: !has('NOT_CREATABLE'),
    updateable: !has('NOT_UPDATEABLE'),
    readable: !has('NOT_READABLE'),
    returnedByDefault: !has('NOT_RETURNED_BY_DEFAULT'),
  }
}

const booleans: ReadonlySet<string> = new Set(['__ENABLE__', '__LOCK_OUT__', '__PASSWORD_EXPIRED__'])

/** Numbers with any number of digits stay text, so that nothing is rounded. */
const types: Readonly<Record<string, AttributeType>> = {
  boolean: 'boolean',
  byte: 'integer',
  short: 'integer',
  int: 'integer',
  long: 'integer',
  integer: 'integer',
  nonNegativeInteger: 'integer',
  positiveInteger: 'integer',
  unsignedInt: 'integer',
  unsignedLong: 'integer',
  float: 'number',
  double: 'number',
  base64Binary: 'bytes',
}

function typeOf(node: Node | undefined): AttributeType | undefined {
  if (!node) return undefined
  const base = childrenOf(childrenOf([node], 'simpleType'), 'restriction')[0]?.attributes.base
  const name = node.attributes.type ?? base
  return name === undefined ? undefined : (types[localOf(name)] ?? 'string')
}

function membersOf(node: Node): readonly Node[] | undefined {
  const groups = childrenOf([node], 'complexType').flatMap(({ children }) =>
    children.filter(({ name }) => name === 'sequence' || name === 'all'),
  )
  return groups.length === 0 ? undefined : childrenOf(groups, 'element')
}

function notesOf(node: Node): readonly Node[] {
  return childrenOf(childrenOf([node], 'annotation'), 'appinfo').flatMap(({ children }) => children)
}

function elementsIn(schema: Node | undefined): readonly Node[] {
  return schema ? childrenOf([schema], 'element') : []
}

function childrenOf(nodes: readonly Node[], wanted: string): readonly Node[] {
  return nodes.flatMap(({ children }) => children.filter(({ name }) => name === wanted))
}

function localOf(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function treeOf(file: string): Node {
  const parser = new SaxesParser({ xmlns: true, position: false })
  const document: Node = { name: '', attributes: {}, children: [], text: '' }
  const open = [document]
  const wrong = (fact: string) =>
    new ConnectorError('misconfigured', `${file}, line ${parser.line}, column ${parser.column + 1}: ${fact}`)
  parser.on('error', ({ message }) => {
    throw wrong(`the document is not well-formed: ${message}`)
  })
  parser.on('doctype', () => {
    throw wrong('a document type declaration (<!DOCTYPE …>), which is refused; remove it')
  })
  parser.on('opentag', ({ local, attributes }) => {
    const values = Object.values(attributes).map((one) => [one.name, one.value] as const)
    const node = { name: local, attributes: Object.fromEntries(values), children: [], text: '' }
    open.at(-1)?.children.push(node)
    open.push(node)
  })
  parser.on('closetag', () => void open.pop())
  parser.on('text', (text) => {
    const node = open.at(-1)
    if (node) node.text += text
  })
  parser.write(contentOf(file)).close()
  const [schema] = document.children
  if (schema?.name !== 'schema') throw wrong(`the root element is ${schema?.name}, not a schema`)
  return schema
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    const fact = errorCode(error) === 'ENOENT' ? 'there is no such file' : String(error)
    throw new ConnectorError('misconfigured', `the XML Schema file ${file} cannot be read: ${fact}`, {
      cause: error,
    })
  }
}
