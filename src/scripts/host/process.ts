import { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { encodeFrame, type Frame, FrameReader } from './frames.ts'
import { Isolate } from './isolate.ts'
import type { Report, Request } from './messages.ts'
import { syntaxAnalysis } from './syntax.ts'

/**
 * The script host: a process that does nothing but hold isolates, so that what scripts do to V8 and to the memory ends with
 * it. It speaks with the server over file descriptor 3 and ends with it.
 *
 *     node --permission --allow-addons --allow-fs-read=… process.ts <MiB>
 */
// V8 omits the interrupt check in loops that it expects to end soon. It is wrong about some loops that only fill an
// array: those could be stopped neither by the time limit nor by the memory limit.
setFlagsFromString('--no-turboshaft-loop-unrolling')

const server = new Socket({ fd: 3, readable: true, writable: true })
const isolates = new Map<number, Isolate>()
const calls = new Map<number, (answer: string) => void>()
const analyse = syntaxAnalysis()
let lastCall = 0

const reader = new FrameReader<Request>()
server.on('data', (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) take(frame)
})
// By force: an isolate that V8 lost control of would keep the process for ever.
server.on('close', end)
server.on('error', end)
endWhenTooLarge(Number(process.argv[2]))

function end(): void {
  process.kill(process.pid, 'SIGKILL')
}

function tell(report: Report, text = ''): void {
  server.write(encodeFrame(report, text))
}

function take({ header, text }: Frame<Request>): void {
  switch (header.kind) {
    case 'create':
      create(header)
      return
    case 'answer':
      calls.get(header.call)?.(text)
      calls.delete(header.call)
      return
    case 'release':
      isolates.get(header.isolate)?.release(header.program)
      return
    case 'dispose':
      isolates.get(header.isolate)?.dispose()
      isolates.delete(header.isolate)
      return
    case 'analyse':
      return void analyse(text).then((found) => tell({ kind: 'done', id: header.id }, JSON.stringify(found)))
    case 'load':
      return void within(header.id, header.isolate, async (isolate) => {
        await isolate.load(header.program, header.address, text)
        return ''
      })
    case 'step':
      return void within(header.id, header.isolate, (isolate) => isolate.step(header, text))
  }
}

/** Never rejects: what fails is the server's to judge. */
async function within(
  id: number,
  number: number,
  work: (isolate: Isolate) => Promise<string>,
): Promise<void> {
  const isolate = isolates.get(number)
  try {
    if (!isolate) throw new Error(`there is no isolate ${number}`)
    const text = await work(isolate)
    tell({ kind: 'done', id, progress: isolate.progress }, text)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    tell({ kind: 'done', id, error: message, dead: isolate?.disposed, progress: isolate?.progress })
  }
}

function create({ isolate: number, memory, locations }: Extract<Request, { kind: 'create' }>): void {
  const isolate: Isolate = new Isolate({
    memory,
    locations,
    answer: (name, args) => {
      const call = ++lastCall
      const { promise, resolve } = Promise.withResolvers<string>()
      calls.set(call, resolve)
      tell({ kind: 'call', call, isolate: number, name, progress: isolate.progress }, args)
      return promise
    },
    onLost: (message) => tell({ kind: 'lost', isolate: number, message, progress: isolate.progress }),
  })
  isolates.set(number, isolate)
}

/** What scripts allocate outside of the heaps that V8 bounds, e.g. by one huge array. */
function endWhenTooLarge(mebibytes: number): void {
  setInterval(() => {
    if (process.memoryUsage.rss() > mebibytes * 2 ** 20) end()
  }, 100).unref()
}
