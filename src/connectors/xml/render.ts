import type { Content } from './content.ts'
import type { StoredObject } from './read-objects.ts'
import { prefixOf, type Root } from './reader.ts'
import type { Shapes } from './xsd.ts'

/** Objects as the text of a document. Of a changed one, only the elements of the changed attributes are written anew. */

/** Where the pieces of a document are named. */
export interface Naming {
  readonly root: Root
  readonly shapes: Shapes
}

export function newObject(className: string, content: Content, naming: Naming): Buffer {
  const { root, shapes } = naming
  const bound = Object.entries(root.namespaces).find(([, uri]) => uri === shapes.namespace)?.[0]
  const prefix = bound ?? freePrefix(root)
  const tag = qualified(prefix, className)
  const declaration = bound === undefined ? ` xmlns:${prefix}="${escaped(shapes.namespace)}"` : ''
  const lines = [...content].flatMap(([name, texts]) =>
    texts.map((text) => `    ${element(tagOf(name, prefix, root), text)}\n`),
  )
  return Buffer.from(`<${tag}${declaration}>\n${lines.join('')}  </${tag}>`)
}

/** The bytes of an object with another content. */
export function changedObject(
  { object, bytes, content: before }: StoredObject,
  after: Content,
  root: Root,
): Buffer {
  const prefix = prefixOf(object.tag)
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = []
  const ends = object.elements.at(-1)?.end ?? object.end
  const last = object.elements.at(-1)
  const usual = last ? blanksBefore(bytes, last.start - object.start) : ''
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const texts = after.get(name) ?? []
    if (JSON.stringify(texts) === JSON.stringify(before.get(name) ?? [])) continue
    const [first, ...others] = object.elements.filter((one) => one.name === name)
    const tag = first?.tag ?? tagOf(name, prefix, root)
    const lead = first ? blanksBefore(bytes, first.start - object.start) : usual
    const text = texts.map((one) => lead + element(tag, one)).join('')
    const place = first ?? { start: ends, end: ends }
    const from = place.start - object.start - (first ? Buffer.byteLength(lead) : 0)
    edits.push({ from, to: place.end - object.start, text })
    for (const other of others) {
      const start = other.start - object.start
      edits.push({ from: start - blanksBefore(bytes, start).length, to: other.end - object.start, text: '' })
    }
  }
  const pieces: Buffer[] = []
  let done = 0
  for (const { from, to, text } of edits.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    pieces.push(bytes.subarray(done, from), Buffer.from(text))
    done = to
  }
  return Buffer.concat([...pieces, bytes.subarray(done)])
}

/** A document without objects. */
export function emptyDocument({ namespace, icfNamespace }: Shapes): string {
  const names = `xmlns:icf="${escaped(icfNamespace)}" xmlns:ri="${escaped(namespace)}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<icf:OpenICFContainer ${names}>\n</icf:OpenICFContainer>\n`
}

function element(tag: string, text: string): string {
  return `<${tag}>${escaped(text)}</${tag}>`
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser would turn it into a line feed.
  '\r': '&#13;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"\r]/g, (character) => escapes[character] ?? '')
}

function tagOf(name: string, prefix: string, root: Root): string {
  return qualified(/^__.*__$/.test(name) ? prefixOf(root.tag) : prefix, name)
}

function qualified(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}:${name}`
}

function freePrefix({ namespaces }: Root): string {
  for (let n = 0; ; n++) {
    const prefix = n === 0 ? 'ri' : `ri${n}`
    if (!(prefix in namespaces)) return prefix
  }
}

function blanksBefore(bytes: Buffer, at: number): string {
  let from = at
  while (from > 0 && [0x20, 0x09, 0x0a, 0x0d].includes(bytes[from - 1] ?? 0)) from--
  return bytes.toString('latin1', from, at)
}
