import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { chunksOf } from '../../kit/chunks.ts'
import { isRunning } from '../../kit/process.ts'
import { isJsonObject, type Json } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { PlanHeader, PlanLine } from '../../plan/plan-line.ts'
import type { PlanSink, PlanSource } from './plan-source.ts'

/**
 * A plan as a file for review: NDJSON, a header and a line for each operation. The header has the count and checksum of the
 * lines, so it is written last, into room left for it. The plan appears under its name when it is complete, or not at all.
 */
export interface PlanFileWriter extends PlanSink, AsyncDisposable {
  finish(header: Omit<PlanHeader, 'checksum'>): Promise<PlanHeader>
}

const chunk = 256 * 1024
const pageSize = 500
/** Bytes for what every header has; what the request of the run adds comes on top. */
const ownRoom = 8192
/** Bytes for what the header says of a mapping behind. */
const roomBehind = 8192

/**
 * `request` is what the header will repeat of the request: overrides and filters. `behind`: how many mappings it may tell of besides its own.
 */
export async function writePlanFile(
  file: string,
  request: object = {},
  { behind = 0 }: { readonly behind?: number } = {},
): Promise<PlanFileWriter> {
  const temporary = `${file}.new-${process.pid}`
  const handle = await writable(temporary)
  await removeUnfinished(file)
  const room = ownRoom + behind * roomBehind + 2 * Buffer.byteLength(JSON.stringify(request))
  const checksum = createHash('sha256')
  let pending = ''
  await handle.write(`${' '.repeat(room)}\n`)

  async function flush(): Promise<void> {
    const bytes = Buffer.from(pending)
    pending = ''
    checksum.update(bytes)
    await handle.write(bytes)
  }

  return {
    add(line) {
      pending += `${JSON.stringify(line)}\n`
    },
    async flush() {
      if (pending.length >= chunk) await flush()
    },
    async finish(facts) {
      await flush()
      const header: PlanHeader = { ...facts, checksum: checksum.digest('base64url') }
      const bytes = Buffer.from(JSON.stringify(header))
      if (bytes.length > room) throw new Problem('INTERNAL', `the header of the plan ${file} is too long`)
      await handle.write(bytes, 0, bytes.length, 0)
      await handle.sync()
      await rename(temporary, file)
      return header
    },
    async [Symbol.asyncDispose]() {
      await handle.close()
      await rm(temporary, { force: true })
    },
  }
}

/** What processes left that ended before their plan of this name was complete. */
async function removeUnfinished(file: string): Promise<void> {
  const prefix = `${basename(file)}.new-`
  for (const name of await readdir(dirname(file))) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN
    if (Number.isInteger(pid) && !isRunning(pid)) await rm(join(dirname(file), name), { force: true })
  }
}

async function writable(file: string): Promise<FileHandle> {
  try {
    await rm(file, { force: true })
    // Values of identities: for nobody but the one who asked.
    return await open(file, 'wx', 0o600)
  } catch (cause) {
    throw new Problem('BAD_REQUEST', `${file} cannot be written: ${asProblem(cause).message}`, { cause })
  }
}

/** BAD_REQUEST, with the line, for a file that is no plan, that was cut off, or that was changed since it was written. */
export async function readPlanFile(file: string): Promise<PlanSource> {
  const header = await verified(file)
  const isOwn = ({ mapping }: PlanLine) => mapping === header.mapping
  const those = async function* (isWanted: (line: PlanLine) => boolean) {
    for await (const line of linesOf(file, 2)) if (isWanted(line)) yield line
  }
  return {
    header,
    lines: (phase) =>
      chunksOf(
        those((line) => line.phase === phase && isOwn(line)),
        pageSize,
      ),
    behind: () =>
      chunksOf(
        those((line) => !isOwn(line)),
        pageSize,
      ),
  }
}

async function verified(file: string): Promise<PlanHeader> {
  let header: PlanHeader | undefined
  let count = 0
  for await (const line of linesOf(file, 1)) {
    if (header) count++
    else header = headerIn(file, line as unknown as Json)
  }
  if (!header) throw damaged(file, 1, 'it is empty')
  const counted = header.entries + (header.behind ?? 0)
  if (count !== counted)
    throw damaged(file, count + 1, `it has ${count} entries; the header counts ${counted}`)
  if ((await checksumOf(file)) !== header.checksum)
    throw damaged(file, 1, 'an entry was changed after the plan was made; make a new plan instead')
  return header
}

function headerIn(file: string, line: Json): PlanHeader {
  if (!isJsonObject(line) || line.plan === undefined)
    throw damaged(file, 1, 'the first line is no header of a plan')
  if (line.plan !== 1)
    throw damaged(file, 1, `it has the format ${JSON.stringify(line.plan)}; this program knows 1`)
  return line as unknown as PlanHeader
}

async function checksumOf(file: string): Promise<string> {
  const checksum = createHash('sha256')
  let isHeader = true
  for await (const bytes of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0
    if (isHeader) {
      const end = bytes.indexOf('\n')
      if (end < 0) continue
      isHeader = false
      start = end + 1
    }
    checksum.update(bytes.subarray(start))
  }
  return checksum.digest('base64url')
}

/** Parsed lines, from a line on. */
async function* linesOf(file: string, from: number): AsyncGenerator<PlanLine> {
  const handle = await open(file).catch((cause) => {
    throw new Problem('BAD_REQUEST', `${file} cannot be read: ${cause.message}`, { cause })
  })
  let number = 0
  for await (const text of handle.readLines()) {
    number++
    if (number < from || text === '') continue
    try {
      yield JSON.parse(text)
    } catch (cause) {
      throw damaged(file, number, `the line is no JSON: ${asProblem(cause).message}`)
    }
  }
}

function damaged(file: string, line: number, fact: string): Problem {
  return new Problem('BAD_REQUEST', `${file}, line ${line}: ${fact}`, { detail: { file, line } })
}
