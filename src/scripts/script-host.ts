import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeFrame, FrameReader } from './host/frames.ts'
import type { Call, Done, Lost, Numbered, Report, Request } from './host/messages.ts'
import type { Analysis } from './host/syntax.ts'

/** An isolate as its host sees it. */
export interface Hosted {
  /** True while a page has it. */
  readonly busy: boolean
  called(call: Call, args: string): Promise<string>
  lost(report: Lost): void
  /** With its host, at an unknown point. */
  died(reason: string): void
}

/**
 * The server's side of the script host, the process that holds the isolates (host/process.ts): what scripts do to V8 or to the
 * memory ends with it and does not reach the server. A host that has lost an isolate takes no new ones; it is
 * ended when the others are free, and the next script gets a new host. A host ends with its server, however that ends.
 */
export class ScriptHost {
  static #current: ScriptHost | undefined

  /** All engines of this process share one. */
  static current(): ScriptHost {
    if (!ScriptHost.#current || ScriptHost.#current.retired) ScriptHost.#current = new ScriptHost()
    return ScriptHost.#current
  }

  readonly #child: ChildProcess
  readonly #channel: Socket
  readonly #pending = new Map<number, PromiseWithResolvers<Answer>>()
  readonly #isolates = new Map<number, Hosted>()
  #last = 0
  #retired = false
  #stderr = ''

  private constructor() {
    this.#child = spawn(process.execPath, [...restrictions(), entry, String(mostMebibytes)], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      // Nothing of the server's environment is for scripts.
      env: {},
    })
    const channel = this.#child.stdio[3]
    if (!(channel instanceof Socket)) throw new Error('the script host has no channel')
    this.#channel = channel
    const reader = new FrameReader<Report>()
    channel.on('data', (chunk: Buffer) => {
      for (const { header, text } of reader.push(chunk)) this.#take(header, text)
    })
    channel.on('error', () => {})
    this.#child.stderr?.on('data', (chunk) => {
      this.#stderr = `${this.#stderr}${chunk}`.slice(-1000)
    })
    this.#child.on('error', ({ message }) => this.#ended(message))
    this.#child.on('close', (code, signal) =>
      this.#ended(`${signal ?? `code ${code}`} ${this.#stderr}`.trim()),
    )
    this.#child.unref()
    if (this.#child.stderr instanceof Socket) this.#child.stderr.unref()
    channel.unref()
    sacrificeFirst(this.#child.pid)
  }

  /** True if it takes no new isolates. */
  get retired(): boolean {
    return this.#retired
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Returns its number. */
  add(isolate: Hosted): number {
    const number = ++this.#last
    this.#isolates.set(number, isolate)
    return number
  }

  remove(number: number): void {
    if (this.#isolates.delete(number)) this.tell({ kind: 'dispose', isolate: number })
    this.endIfFree()
  }

  /** Rejects if the host ends. */
  ask(request: Numbered, text: string): Promise<Answer> {
    const id = ++this.#last
    const answer = Promise.withResolvers<Answer>()
    this.#pending.set(id, answer)
    // Whoever waits for it keeps the process running.
    this.#channel.ref()
    this.tell({ ...request, id }, text)
    return answer.promise
  }

  tell(request: Request, text = ''): void {
    if (this.#channel.writable) this.#channel.write(encodeFrame(request, text))
  }

  /** Takes no new isolates, and ends when none is busy, at the latest after a while. */
  retire(): void {
    if (this.#retired) return
    this.#retired = true
    setTimeout(() => this.kill(), graceMs).unref()
    this.endIfFree()
  }

  endIfFree(): void {
    if (this.#retired && ![...this.#isolates.values()].some(({ busy }) => busy)) this.kill()
  }

  kill(): void {
    this.#retired = true
    this.#child.kill('SIGKILL')
  }

  #take(report: Report, text: string): void {
    switch (report.kind) {
      case 'done': {
        this.#pending.get(report.id)?.resolve({ ...report, text })
        this.#pending.delete(report.id)
        if (this.#pending.size === 0) this.#channel.unref()
        return
      }
      case 'call':
        void this.#answer(report, text)
        return
      case 'lost':
        this.#isolates.get(report.isolate)?.lost(report)
        this.retire()
    }
  }

  async #answer(call: Call, args: string): Promise<void> {
    const answer = await this.#isolates.get(call.isolate)?.called(call, args)
    if (answer !== undefined) this.tell({ kind: 'answer', call: call.call }, answer)
  }

  #ended(reason: string): void {
    this.#retired = true
    for (const isolate of this.#isolates.values()) isolate.died(reason)
    this.#isolates.clear()
    for (const { reject } of this.#pending.values()) reject(new Error(`the script host has ended: ${reason}`))
    this.#pending.clear()
  }
}

/** What the engine of the scripts says of a source. A host that ends meanwhile, for whatever other reason, is asked again in the next. */
export async function analyse(source: string): Promise<Analysis> {
  for (let tries = 1; ; tries++) {
    try {
      return JSON.parse((await ScriptHost.current().ask({ kind: 'analyse' }, source)).text)
    } catch (error) {
      if (tries === mostTries) throw error
    }
  }
}

export interface Answer extends Done {
  readonly text: string
}

/** Hosts that may end one after the other, for whatever reason, before a source is given up. */
const mostTries = 10

/** Memory of the whole process, beyond which it is out of control. Each isolate has a limit of its own. */
const mostMebibytes = 2048

/** How long the other isolates of a host may work on after one is lost. */
const graceMs = 5000

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const entry = here(`./host/process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`)

/** It reads its own code and nothing else; it writes nothing and starts nothing. */
function restrictions(): readonly string[] {
  const libraries = dirname(dirname(createRequire(import.meta.url).resolve('isolated-vm/package.json')))
  const readable = [here('../'), here('../../package.json'), libraries, '/etc/alpine-release']
  return [
    // The warnings are about --allow-addons, which isolated-vm is.
    ...['--no-warnings', '--permission', '--allow-addons'],
    ...readable.map((path) => `--allow-fs-read=${path}`),
  ]
}

/** When the machine runs out of memory, Linux ends this process before the server. */
function sacrificeFirst(pid: number | undefined): void {
  if (process.platform === 'linux' && pid !== undefined)
    writeFile(`/proc/${pid}/oom_score_adj`, '800', () => {})
}
