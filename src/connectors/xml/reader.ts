import { isAscii } from 'node:buffer'
import { SaxesParser, type SaxesTagNS } from 'saxes'

/**
 * Finds the objects of a document in its bytes, piece by piece: the children of the root element, and in each the
 * elements that are its attributes, with the place of every one in bytes. Memory holds one object. The parser checks that the
 * document is well-formed; it expands no entity but the five of XML, and a document type declaration is refused.
 */
export interface XmlObject {
  readonly className: string
  /** The name with its prefix. */
  readonly tag: string
  /** In the namespace of the root element: then it is no object, unless a schema says so. */
  readonly isOfRoot: boolean
  readonly start: number
  readonly end: number
  readonly line: number
  readonly column: number
  readonly elements: readonly AttributeElement[]
  readonly fault: Damage | undefined
}

export interface AttributeElement {
  readonly name: string
  readonly tag: string
  readonly start: number
  readonly end: number
  readonly text: string
  readonly line: number
  readonly column: number
}

/** What is wrong, and where. */
export interface Damage {
  readonly line: number
  readonly column: number
  readonly fact: string
}

export interface Root {
  readonly tag: string
  /** By prefix, as far as the root element binds them. */
  readonly namespaces: Readonly<Record<string, string>>
  /** Where its end tag starts; of `<root/>`, where the slash is. */
  readonly closing: number
  readonly end: number
  readonly isEmptyTag: boolean
}

/** The document is not well-formed from there on. */
export class NotWellFormed extends Error {
  readonly damage: Damage
  constructor(damage: Damage) {
    super(damage.fact)
    this.damage = damage
  }
}

/** A document that is not read at all. */
export class Refused extends NotWellFormed {}

type Building = { -readonly [K in keyof XmlObject]: XmlObject[K] } & { elements: AttributeElement[] }

const rootName = 'OpenICFContainer'
const lessThan = 0x3c
const greaterThan = 0x3e

export class XmlReader {
  readonly #parser: SaxesParser<{ xmlns: true }>
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  /** Where the next byte is. */
  #offset: number
  /** Where the last `<` was. */
  #mark = { offset: 0, line: 1, column: 1 }
  /** How many elements are open. */
  #depth: number
  #object: Building | undefined
  #attribute: { -readonly [K in keyof AttributeElement]: AttributeElement[K] } | undefined
  #root: Root | undefined
  #rootUri: string | undefined
  #found: XmlObject[] = []

  /** `within`: the bytes are those of one object of a document with this root element, from an offset on. */
  constructor(within?: { readonly root: Root; readonly offset: number }) {
    this.#offset = within?.offset ?? 0
    this.#depth = within ? 1 : 0
    this.#rootUri = within?.root.namespaces[prefixOf(within.root.tag)]
    this.#parser = new SaxesParser({
      xmlns: true,
      position: false,
      fragment: within !== undefined,
      defaultXMLVersion: '1.0',
      forceXMLVersion: true,
      ...(within && { additionalNamespaces: { ...within.root.namespaces } }),
    })
    this.#listen()
  }

  /** Known once the root element has ended. */
  get root(): Root | undefined {
    return this.#root
  }

  /** The objects that end in these bytes, which follow those before. */
  push(bytes: Buffer): readonly XmlObject[] {
    const isPlain = isAscii(bytes)
    let less = -1
    let greater = -1
    for (let from = 0; from < bytes.length; ) {
      if (less < from) less = nextOf(bytes, lessThan, from)
      if (greater < from) greater = nextOf(bytes, greaterThan, from)
      const opens = less === from
      if (opens) this.#mark = { offset: this.#offset, ...this.#place() }
      // Text up to the next tag, or a tag; what only looks like one is harmless.
      const to = !opens && less < greater ? less : Math.min(greater + 1, bytes.length)
      this.#feed(bytes, from, to, isPlain)
      from = to
    }
    return this.taken()
  }

  end(): readonly XmlObject[] {
    try {
      this.#parser.write(this.#decode(undefined))
      this.#parser.close()
    } catch (error) {
      throw this.#problem(error)
    }
    return this.taken()
  }

  /** Those that have ended since they were last asked for: also when the document turned out to be damaged behind them. */
  taken(): readonly XmlObject[] {
    const found = this.#found
    this.#found = []
    return found
  }

  #feed(bytes: Buffer, from: number, to: number, isPlain: boolean): void {
    this.#offset += to - from
    try {
      const text = isPlain ? bytes.toString('latin1', from, to) : this.#decode(bytes.subarray(from, to))
      this.#parser.write(text)
    } catch (error) {
      throw this.#problem(error)
    }
  }

  #decode(bytes: Uint8Array | undefined): string {
    return bytes ? this.#decoder.decode(bytes, { stream: true }) : this.#decoder.decode()
  }

  #problem(error: unknown): unknown {
    if (error instanceof NotWellFormed) return error
    if (error instanceof TypeError) return new NotWellFormed({ ...this.#place(), fact: notUtf8 })
    return error
  }

  #place() {
    return { line: this.#parser.line, column: this.#parser.column + 1 }
  }

  #listen(): void {
    const parser = this.#parser
    parser.on('error', ({ message }) => {
      throw new NotWellFormed({ ...this.#place(), fact: `the document is not well-formed: ${message}` })
    })
    parser.on('xmldecl', ({ encoding = 'utf-8' }) => {
      if (!['utf-8', 'utf8', 'us-ascii'].includes(encoding.toLowerCase()))
        throw new Refused({ ...this.#place(), fact: `the encoding is ${encoding}; ${saveAsUtf8}` })
    })
    parser.on('doctype', () => {
      throw new Refused({ ...this.#place(), fact: doctypeRefused })
    })
    parser.on('opentag', (tag) => this.#open(tag))
    parser.on('closetag', (tag) => this.#close(tag))
    parser.on('text', (text) => this.#text(text))
    parser.on('cdata', (text) => this.#text(text))
  }

  #open({ name, local, uri, ns, isSelfClosing }: SaxesTagNS): void {
    this.#depth++
    const { offset: start, line, column } = this.#mark
    if (this.#depth === 1) {
      if (local !== rootName) throw new Refused({ line, column, fact: wrongRoot(name) })
      this.#rootUri = uri
      this.#root = { tag: name, namespaces: { ...ns }, closing: 0, end: 0, isEmptyTag: isSelfClosing }
    } else if (this.#depth === 2) {
      const isOfRoot = uri === this.#rootUri
      const places = { start, end: start, line, column }
      this.#object = { className: local, tag: name, isOfRoot, ...places, elements: [], fault: undefined }
    } else if (this.#depth === 3) {
      this.#attribute = { name: local, tag: name, start, end: start, text: '', line, column }
    } else
      this.#fault({ line, column, fact: `the element ${name} within ${this.#attribute?.tag}; ${textOnly}` })
  }

  #close({ isSelfClosing }: SaxesTagNS): void {
    const end = this.#offset
    if (this.#depth === 1 && this.#root) {
      const closing = isSelfClosing ? end - 2 : this.#mark.offset
      this.#root = { ...this.#root, closing, end }
    } else if (this.#depth === 2 && this.#object) {
      this.#found.push({ ...this.#object, end })
      this.#object = undefined
    } else if (this.#depth === 3 && this.#attribute) {
      this.#object?.elements.push({ ...this.#attribute, end })
      this.#attribute = undefined
    }
    this.#depth--
  }

  #text(text: string): void {
    if (this.#depth === 3 && this.#attribute) this.#attribute.text += text
    else if (this.#depth === 2 && /\S/.test(text))
      this.#fault({ ...this.#place(), fact: `text outside the elements of ${this.#object?.tag}` })
  }

  #fault(damage: Damage): void {
    if (this.#object) this.#object.fault ??= damage
  }
}

const saveAsUtf8 = 'save the file as UTF-8'
const notUtf8 = `bytes that are not UTF-8; ${saveAsUtf8}`
const textOnly = 'the value of an attribute is text'
const doctypeRefused =
  'a document type declaration (<!DOCTYPE …>). Documents with one are refused: it can define entities that grow without limit or ' +
  'read other files. Remove the declaration'

function wrongRoot(name: string): string {
  return `the root element is ${name}; that of a file of this connector is ${rootName}`
}

export function prefixOf(tag: string): string {
  return tag.includes(':') ? tag.slice(0, tag.indexOf(':')) : ''
}

function nextOf(bytes: Buffer, byte: number, from: number): number {
  const found = bytes.indexOf(byte, from)
  return found < 0 ? bytes.length : found
}
