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
  const server = project.serve(env)
  const { stdout, stderr, pid } = server
  let running = true
  const ended = server.ended.then((code) => {
    running = false
    throw new Error(`the server has ended with ${code}: ${stdout.text}${stderr.text}`)
  })
  await Promise.race([stdout.line, ended])
  ended.catch(() => {})
  const { url } = JSON.parse(stdout.text.split('\n')[0] ?? '') as { url: string }
  return {
    url,
    pid: pid ?? 0,
    log: () => stderr.text,
    /** What it printed on its standard output. */
    out: () => stdout.text,
    async call(method: string, path: string, options: CallOptions = {}) {
      try {
        return await call(url, method, path, options)
      } catch (error) {
        if (running) throw error
        throw new Error(`the server has ended: ${stderr.text.slice(-5_000)}`, { cause: error })
      }
    },
    async stop(signal: NodeJS.Signals = 'SIGTERM') {
      server.kill(signal)
      return server.ended
    },
    async [Symbol.asyncDispose]() {
      if (running) await this.stop()
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
