import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestProject } from './project.ts'

export const password = 'correct horse'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind are looked into
  readonly body: any
}

export interface CallOptions {
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** The administrator's password, or another one; empty: nobody speaks. */
  readonly as?: string
}

/** The server as a process of its own, spoken to as administrators' scripts do. */
export async function serve(
  project: TestProject,
  env: Record<string, string> = { SYNCLINE_ADMIN_PASSWORD: password },
) {
  const child = project.start(['serve', '--port', '0', '--json'], env)
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the server has ended with ${code}: ${out}${log}`)
  })
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string]
  ended.catch(() => {})
  const { url } = JSON.parse(line) as { url: string }
  return {
    url,
    pid: child.pid ?? 0,
    log: () => log,
    /** What it printed on its standard output. */
    out: () => out,
    call: (method: string, path: string, options: CallOptions = {}) => call(url, method, path, options),
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      const ended = once(child, 'exit')
      child.kill(signal)
      const [code] = await ended
      return code as number | null
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await this.stop()
    },
  }
}

export type Server = Awaited<ReturnType<typeof serve>>

async function call(url: string, method: string, path: string, options: CallOptions): Promise<Answer> {
  const credentials = options.as ?? password
  const response = await fetch(`${url}/${path}`, {
    method,
    headers: {
      ...(credentials === ''
        ? {}
        : { 'X-OpenIDM-Username': 'openidm-admin', 'X-OpenIDM-Password': credentials }),
      ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...options.headers,
    },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}
