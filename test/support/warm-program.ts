/** The command line in a process that has loaded the program before: a command takes a tenth of the time. */
import { spawn, spawnSync } from 'node:child_process'
import { openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { lastingFolder } from '../../src/testing/folder.ts'
import { program } from './program.ts'

export interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

type Environment = Readonly<Record<string, string | undefined>>

interface WarmProgram {
  /** Returns when the command has ended, as `spawnSync` does. */
  run(args: readonly string[], env: Environment): Result
}

let running: WarmProgram | undefined

export function warmProgram(env: Environment): WarmProgram {
  running ??= start(env)
  return running
}

function start(env: Environment): WarmProgram {
  const folder = lastingFolder()
  const [requests, answers] = [folder.file('requests'), folder.file('answers')]
  spawnSync('mkfifo', [requests, answers])
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'warm-program.js'), join(program, 'dist/main.js'), requests, answers],
    { env, stdio: ['ignore', 'ignore', 'inherit'] },
  )
  child.unref()
  // In this order: each waits for the other side.
  const [answer, request] = [openSync(answers, 'r'), openSync(requests, 'w')]
  return {
    run(args, env) {
      writeSync(request, `${JSON.stringify({ args, env })}\n`)
      return JSON.parse(readLine(answer)) as Result
    },
  }
}

function readLine(file: number): string {
  const chunks: Buffer[] = []
  for (;;) {
    const buffer = Buffer.alloc(65_536)
    const length = readSync(file, buffer)
    if (length === 0) {
      running = undefined
      throw new Error('the process of the command line has died')
    }
    chunks.push(buffer.subarray(0, length))
    // It answers one line at a time.
    if (buffer[length - 1] === 10) return Buffer.concat(chunks).toString()
  }
}
