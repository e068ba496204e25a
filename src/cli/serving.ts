import type { Logger } from 'pino'
import { formatProblem } from '../config/locate.ts'
import { messageOf, Problem } from '../model/problem.ts'
import { openServer } from '../server/server.ts'
import { folders, type ProjectOptions } from './options.ts'
import { serverLog, written } from './server-log.ts'

export interface ServeOptions extends ProjectOptions {
  readonly port?: string
  readonly host: string
}

export async function serve(options: ServeOptions): Promise<number> {
  const log = serverLog()
  try {
    return await untilStopped(options, log)
  } finally {
    await written(log)
  }
}

async function untilStopped(options: ServeOptions, log: Logger): Promise<number> {
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  await using server = await openServer({
    ...folders(options),
    environment: process.env,
    flags: {},
    log,
    host: options.host,
    port: options.port === undefined ? undefined : portIn(options.port),
    announce: (username, password) =>
      console.error(`\n  The administrator is ${username}; the password, shown this once: ${password}\n`),
  })
  for (const problem of server.application.problems) console.error(formatProblem(problem))
  if (options.json) console.log(JSON.stringify({ url: server.url }))
  else console.log(`Syncline is listening on ${server.url}`)
  await server.application.doubts().then(
    (doubts) => {
      for (const doubt of doubts) console.error(formatProblem(doubt))
    },
    // What only warns must not end a server that answers already.
    (error) => log.warn(`what is doubtful in the configuration cannot be found: ${messageOf(error)}`),
  )
  await stopped
  log.info('closing')
  return 0
}

function portIn(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Problem('BAD_REQUEST', `--port must be a number from 0 to 65535, not ${text}`)
}
