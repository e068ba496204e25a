import ivm from 'isolated-vm'

/**
 * Compiles scripts without running them, in a separate isolate that never runs anything, so that a check does not wait
 * for busy isolates. Positions count from 1.
 */
export interface SyntaxError {
  readonly message: string
  readonly line: number
  readonly column: number
}

export interface Analysis {
  readonly error?: SyntaxError | undefined
  /** The script as the text of one expression with the same value, if it is one. */
  readonly expression?: string | undefined
}

export type Analyse = (source: string) => Promise<Analysis>

export function syntaxAnalysis(): Analyse {
  let isolate: ivm.Isolate | undefined

  async function errorIn(source: string): Promise<SyntaxError | undefined> {
    if (!isolate || isolate.isDisposed) isolate = new ivm.Isolate({ memoryLimit: 64 })
    try {
      const script = await isolate.compileScript(source, { filename: 'script' })
      script.release()
      return undefined
    } catch (error) {
      return position(error instanceof Error ? error.message : String(error))
    }
  }

  return async (source) => {
    const error = await errorIn(source)
    if (error) return { error }
    const text = source.replace(/;\s*$/, '')
    if (text.trim() === '' || startsStatement.test(text)) return {}
    // Valid in both forms, so it contains neither an extra closing parenthesis nor a statement.
    const fails = (await errorIn(text)) ?? (await errorIn(`(function(){return (\n${text}\n)})`))
    return fails ? {} : { expression: text }
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
