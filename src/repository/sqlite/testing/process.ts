import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface WritingProcess extends AsyncDisposable {
  readonly process: ChildProcess
  /** What it reports, a line each: `committed n` after each transaction, `inside` in the middle of the last. */
  readonly lines: AsyncIterator<string>
}

/** Another process that writes to the store: see writer.ts. */
export function startWriter(file: string, ...parameters: readonly string[]): WritingProcess {
  const script = fileURLToPath(new URL('writer.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file, ...parameters], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    process: child,
    lines,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
