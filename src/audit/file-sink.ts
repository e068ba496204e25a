import { existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat, statfs, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../model/json.ts'
import { isDue, removable } from './rotation.ts'
import type { FileHandlerSettings } from './settings.ts'
import type { Position, QueuedEvent, Save, Sink } from './sink.ts'

/**
 * Writes one file for each topic. The stored position contains, for each file, its length, the hash of its last row and
 * the time of its first row; while a file is being archived, also its new name. So after a crash at any point the next
 * process can repair the files: no event is lost and none is written twice.
 */
interface FilePosition extends Position {
  sizes: Record<string, number>
  hashes: Record<string, string>
  begun: Record<string, string>
  aside: Record<string, string>
}

/** How the events of one topic are written to a file. */
export interface FileFormat {
  /** `<folder>/<name>` */
  fileName(topic: string): string
  /** The file's first line, without its end; undefined: files begin with an event. */
  header?(topic: string): string
  readonly newline: string
  /** The line of one event, without its end, and its hash, which the next line needs. */
  line(topic: string, content: JsonObject, before: string): { readonly text: string; readonly after: string }
}

export const jsonLines: FileFormat = {
  fileName: (topic) => `${topic}.audit.json`,
  newline: '\n',
  line: (_topic, content) => ({ text: JSON.stringify(content), after: '' }),
}

type Settings = Pick<FileHandlerSettings, 'folder' | 'topics' | 'rotation' | 'kept'>

export class FileSink implements Sink {
  readonly #settings: Settings
  readonly #format: FileFormat
  readonly #now: () => number
  #hasRotated = true

  constructor(settings: Settings, format: FileFormat, now: () => number = Date.now) {
    this.#settings = settings
    this.#format = format
    this.#now = now
  }

  async begin(position: Position, save: Save): Promise<void> {
    const { folder, topics, rotation } = this.#settings
    const files = filesOf(position)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    for (const topic of topics) {
      await this.#finishRotation(topic, files)
      const size = await sizeOf(this.#file(topic))
      const known = files.sizes[topic]
      // Rows written after the position was stored are written again.
      if (known !== undefined && size > known) await truncate(this.#file(topic), known)
      // Another program has removed or shortened the file.
      if (known !== undefined && size < known) files.sizes[topic] = size
      if (known === undefined && size > 0 && this.#format.header) await this.#archive(topic, files, save)
      else if (isDue(rotation, files.begun[topic], this.#now())) await this.#archive(topic, files, save)
    }
  }

  async write(events: readonly QueuedEvent[], position: Position, save: Save): Promise<number> {
    const files = filesOf(position)
    const [first] = events
    if (first && (await this.#isFull(first, files))) await this.#archive(first.topic, files, save)
    const lines = new Map<string, string[]>()
    const sizes = { ...files.sizes }
    let count = 0
    for (const event of events) {
      const { topic } = event
      const size = sizes[topic] ?? (await sizeOf(this.#file(topic)))
      const isNew = size === 0
      const { block, after } = this.#block(event, isNew, files)
      const end = size + Buffer.byteLength(block)
      if (!isNew && count > 0 && this.#exceeds(end)) break
      lines.set(topic, [...(lines.get(topic) ?? []), block])
      sizes[topic] = end
      if (after !== '') files.hashes[topic] = after
      if (isNew) files.begun[topic] = new Date(this.#now()).toISOString()
      count++
    }
    for (const [topic, some] of lines) files.sizes[topic] = await append(this.#file(topic), some.join(''))
    return count
  }

  async afterSave(): Promise<void> {
    if (!this.#hasRotated) return
    this.#hasRotated = false
    for (const topic of this.#settings.topics) await this.#removeSurplus(topic)
  }

  async rotate(position: Position, save: Save): Promise<void> {
    const files = filesOf(position)
    for (const topic of this.#settings.topics)
      if ((await sizeOf(this.#file(topic))) > 0) await this.#archive(topic, files, save)
  }

  /** The line of an event, after the header if it is the first of its file. */
  #block({ topic, content }: QueuedEvent, isNew: boolean, { hashes }: FilePosition) {
    const { header, line, newline } = this.#format
    const { text, after } = line(topic, content, isNew ? '' : (hashes[topic] ?? ''))
    const start = isNew && header ? header(topic) + newline : ''
    return { block: start + text + newline, after }
  }

  async #isFull(event: QueuedEvent, files: FilePosition): Promise<boolean> {
    if (this.#settings.rotation.maxFileSize === undefined) return false
    const size = files.sizes[event.topic] ?? (await sizeOf(this.#file(event.topic)))
    return size > 0 && this.#exceeds(size + Buffer.byteLength(this.#block(event, false, files).block))
  }

  #exceeds(size: number): boolean {
    const { maxFileSize } = this.#settings.rotation
    return maxFileSize !== undefined && size > maxFileSize
  }

  #file(topic: string): string {
    return join(this.#settings.folder, this.#format.fileName(topic))
  }

  /** Renames the file after the current time. The intent is stored first, so that the next process can finish it after a crash. */
  async #archive(topic: string, files: FilePosition, save: Save): Promise<void> {
    const time = new Date(this.#now()).toISOString().replaceAll(/[:.]/g, '-')
    const taken = new Set((await this.#archived(topic)).map(({ name }) => name))
    const wanted = `${this.#format.fileName(topic)}-${time}`
    let name = wanted
    for (let n = 1; taken.has(name); n++) name = `${wanted}-${n}`
    files.aside[topic] = name
    files.sizes[topic] = 0
    delete files.hashes[topic]
    delete files.begun[topic]
    await save(files)
    await this.#finishRotation(topic, files)
    delete files.aside[topic]
    await save(files)
  }

  async #finishRotation(topic: string, { aside }: FilePosition): Promise<void> {
    const name = aside[topic]
    if (name === undefined) return
    this.#hasRotated = true
    const target = join(this.#settings.folder, name)
    if (!existsSync(target) && existsSync(this.#file(topic))) await rename(this.#file(topic), target)
  }

  async #archived(topic: string) {
    const prefix = `${this.#format.fileName(topic)}-`
    const names = (await readdir(this.#settings.folder)).filter((name) => name.startsWith(prefix)).toSorted()
    return Promise.all(
      names.map(async (name) => {
        const { size, mtimeMs } = await stat(join(this.#settings.folder, name))
        return { name, size, time: mtimeMs }
      }),
    )
  }

  async #removeSurplus(topic: string): Promise<void> {
    const { folder, kept } = this.#settings
    if (Object.values(kept).every((limit) => limit === undefined)) return
    const { bavail, bsize } = await statfs(folder)
    for (const { name } of removable(await this.#archived(topic), kept, {
      free: bavail * bsize,
      now: this.#now(),
    }))
      await rm(join(folder, name), { force: true })
  }
}

/** A position that an earlier version stored may lack some members. */
function filesOf(position: Position): FilePosition {
  const files = position as FilePosition
  files.sizes ??= {}
  files.hashes ??= {}
  files.begun ??= {}
  files.aside ??= {}
  return files
}

async function append(file: string, text: string): Promise<number> {
  const handle = await open(file, 'a', 0o600)
  try {
    await handle.appendFile(text)
    await handle.sync()
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}
