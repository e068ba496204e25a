import ivm from 'isolated-vm'
import { asProblem } from '../model/problem.ts'

/**
 * Compiles scripts without running them, in an isolate of its own in which nothing ever runs: so that a script is
 * checked at once while others are busy. Positions count from 1.
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
      // Valid both ways, so neither a closing parenthesis of its own nor a statement has slipped in.
      const fails = (await check(text)) ?? (await check(`(function(){return (\n${text}\n)})`))
      return fails ? undefined : text
    },
    [Symbol.dispose]() {
      isolate?.dispose()
      isolate = undefined
    },
  }
}

/** What reads differently, or only seems to be an expression, at the beginning of a statement. */
const startsStatement = /^\s*(?:\{|\/[/*]|['"`]use|(?:function|class|async|let|await|yield)\b)/

/** isolated-vm adds the place to V8's message: `Unexpected token ')' [script:1:3]`. */
function position(message: string): SyntaxError {
  const match = /^(.*?)\s*\[script:(\d+):(\d+)\]/s.exec(message)
  if (!match) return { message, line: 1, column: 1 }
  const [, text = message, line, column] = match
  return { message: text, line: Number(line), column: Number(column) }
}
