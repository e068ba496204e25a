/** Servers in processes that have run others before: such a start takes a fraction of the time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { program } from './program.ts'

type Environment = Readonly<Record<string, string | undefined>>

interface Child {
  readonly process: ChildProcess
  readonly stdout: Readable
  readonly stderr: Readable
}

/** A server, as if its process were its own. */
export interface Running {
  readonly pid: number | undefined
  /** What it has printed, and what it prints. */
  readonly stdout: Output
  readonly stderr: Output
  /** The exit code; null if a signal ended the process. */
  readonly ended: Promise<number | null>
  kill(signal: NodeJS.Signals): void
}

/** They run nothing at present. */
const idle: Child[] = []

/** `own`: in a new process that runs nothing else, because the environment is Node's as well. */
export function startServer(args: readonly string[], env: Environment, own: boolean): Running {
  const child = (own ? undefined : idle.pop()) ?? newProcess(env)
  const { process: server } = child
  const [stdout, stderr] = [new Output(child.stdout), new Output(child.stderr)]
  const ended = new Promise<number | null>((resolve) => {
    const exited = (code: number | null) => {
      server.off('message', done)
      resolve(code)
    }
    const done = async (code: unknown) => {
      server.off('exit', exited)
      await Promise.all([stdout.complete, stderr.complete])
      if (own) server.kill()
      else idle.push(child)
      resolve(Number(code))
    }
    server.once('exit', exited)
    server.once('message', done)
  })
  server.send({ args, env })
  return { pid: server.pid, stdout, stderr, ended, kill: (signal) => void server.kill(signal) }
}

/** It ends with the process that tests, and does not keep that one. */
function newProcess(env: Environment): Child {
  const file = join(import.meta.dirname, 'warm-server.js')
  const server = spawn(process.execPath, [file, join(program, 'dist/main.js')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const { stdout, stderr, channel } = server
  if (!(stdout instanceof Socket && stderr instanceof Socket && channel))
    throw new Error('the process of a server has no streams')
  for (const held of [server, stdout, stderr, channel]) held.unref()
  return { process: server, stdout, stderr }
}

/** What one server writes on a stream, up to the null character after its last. */
export class Output {
  readonly #chunks: Buffer[] = []
  #size = 0
  /** There is a whole line. */
  readonly line: Promise<void>
  readonly complete: Promise<void>

  constructor(stream: Readable) {
    const [line, complete] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    this.line = line.promise
    this.complete = complete.promise
    const take = (chunk: Buffer) => {
      const end = chunk.indexOf(0)
      this.#keep(end < 0 ? chunk : chunk.subarray(0, end))
      if (chunk.includes('\n')) line.resolve()
      if (end < 0) return
      stream.off('data', take)
      complete.resolve()
    }
    stream.on('data', take)
  }

  /** Of very much, the beginning and the end. */
  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    // The first chunk has what a server says when it begins.
    while (this.#size > mostKept) this.#size -= this.#chunks.splice(1, 1)[0]?.length ?? mostKept
  }
}

/** Bytes: a log that is flooded must not become the memory and the time of the process that tests. */
const mostKept = 16 << 20
