import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Asks a person; undefined where nobody sits at a terminal, or nothing was answered. */
export async function askFor(question: string): Promise<string | undefined> {
  return asked(question, process.stderr)
}

/** The same for a secret: what is typed is not shown. */
export async function askSecretly(question: string): Promise<string | undefined> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  process.stderr.write(process.stdin.isTTY ? `${question}: ` : '')
  const answer = await asked('', silent)
  if (process.stdin.isTTY) process.stderr.write('\n')
  return answer
}

async function asked(question: string, output: NodeJS.WritableStream): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  try {
    const answer = await lines.question(question === '' ? '' : `${question}: `)
    return answer.trim() === '' ? undefined : answer.trim()
  } finally {
    lines.close()
  }
}
