import ivm from 'isolated-vm'
import { asProblem } from '../model/problem.ts'

/**
 * Compiles scripts without running them, in a separate isolate that never runs anything, so that a check does not wait
 * for busy isolates. Positions count from 1.
 */
export interface SyntaxError {
  readonly message: string
  readonly line: number
  readonly column: number
}

export interface SyntaxChecker extends Disposable {
  check(source: string): Promise<SyntaxError | undefined>
  /** The script as the text of one expression with the same value, if it is one. */
  expression(source: string): Promise<string | undefined>
}

export function syntaxChecker(): SyntaxChecker {
  let isolate: ivm.Isolate | undefined

  async function check(source: string): Promise<SyntaxError | undefined> {
    isolate ??= new ivm.Isolate({ memoryLimit: 64 })
    try {
      const script = await isolate.compileScript(source, { filename: 'script' })
      script.release()
      return undefined
    } catch (error) {
      return position(asProblem(error).message)
    }
  }

  return {
    check,
    async expression(source) {
      const text = source.replace(/;\s*$/, '')
      if (text.trim() === '' || startsStatement.test(text)) return undefined
      // Valid in both forms, so it contains neither an extra closing parenthesis nor a statement.
      const fails = (await check(text)) ?? (await check(`(function(){return (\n${text}\n)})`))
      return fails ? undefined : text
    },
    [Symbol.dispose]() {
      isolate?.dispose()
      isolate = undefined
    },
  }
}

/** Texts that mean something else, or only look like an expression, at the beginning of a statement. */
const startsStatement = /^\s*(?:\{|\/[/*]|['"`]use|(?:function|class|async|let|await|yield)\b)/

/** isolated-vm adds the place to V8's message: `Unexpected token ')' [script:1:3]`. */
function position(message: string): SyntaxError {
  const match = /^(.*?)\s*\[script:(\d+):(\d+)\]/s.exec(message)
  if (!match) return { message, line: 1, column: 1 }
  const [, text = message, line, column] = match
  return { message: text, line: Number(line), column: Number(column) }
}
