import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { attempt } from '../files/file.ts'
import { type Content, contentOf, idOfContent, textOfContent } from './content.ts'
import { NotWellFormed, type Root, type XmlObject, XmlReader } from './reader.ts'
import type { ClassState } from './snapshot.ts'

/** An object as it stands in the file. */
export interface StoredObject {
  readonly id: string
  readonly content: Content
  readonly object: XmlObject
  readonly bytes: Buffer
  /** How many bytes before it are the line break and blanks that go with it. */
  readonly lead: number
}

/** So many blanks before an object are looked at. */
const longestLead = 128

/**
 * Objects by id, read at their places. What stands there is compared with the index; undefined if it differs, so that no object is
 * ever taken for another.
 */
export async function readObjects(
  handle: FileHandle,
  { index, shape }: ClassState,
  root: Root,
  ids: readonly string[],
  file: string,
): Promise<ReadonlyMap<string, StoredObject> | undefined> {
  const found = new Map<string, StoredObject>()
  for (const id of new Set(ids)) {
    const range = index.range(id)
    if (!range) continue
    const before = Math.min(longestLead, range.start)
    const length = range.end - range.start + before
    if (!(length > 0)) return undefined
    const { buffer, bytesRead } = await attempt(file, 'read', () =>
      handle.read(Buffer.alloc(length), 0, length, range.start - before),
    )
    const bytes = buffer.subarray(before, bytesRead)
    const object = objectIn(bytes, root, range.start)
    const content = object && contentOf(object)
    if (!content || idOfContent(content, shape) !== id) return undefined
    if (crc32(textOfContent(content)) !== index.checksum(id)) return undefined
    found.set(id, { id, content, object, bytes, lead: leadOf(buffer.subarray(0, before)) })
  }
  return found
}

/** The object that these bytes are; undefined if they are anything but one. */
export function objectIn(bytes: Buffer, root: Root, offset: number): XmlObject | undefined {
  try {
    const reader = new XmlReader({ root, offset })
    const [object, ...others] = [...reader.push(bytes), ...reader.end()]
    const isAll = object?.start === offset && object.end === offset + bytes.length
    return others.length === 0 && isAll && object.fault === undefined ? object : undefined
  } catch (error) {
    if (error instanceof NotWellFormed) return undefined
    throw error
  }
}

/** The last line break and the blanks after it. */
function leadOf(before: Buffer): number {
  const [lead = ''] = /(\r?\n[ \t]*)?$/.exec(before.toString('latin1')) ?? []
  return lead.length
}
