import type { Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { namedSecretsIn } from '../model/secrecy.ts'
import type { Program, ProgramParts, ScriptSource } from './engine.ts'
import type { Analysis } from './host/syntax.ts'
import type { PreparedScript } from './inside/program.ts'
import { analyse } from './script-host.ts'

/**
 * A program as every isolate loads it. Its scripts are checked once, so a syntax error is known with its place, and only
 * calls of that script fail.
 */
export interface PreparedProgram {
  /** Absent for a single script. */
  readonly address?: string
  readonly procedures: readonly string[]
  readonly settings: unknown
  /** Its scripts reach nothing of the server. */
  readonly apart: boolean
  readonly scripts: readonly PreparedScript[]
  /** What globals of its scripts are called like secrets. */
  readonly secrets: readonly Json[]
  /** Set once it is unloaded: isolates drop their contexts of it. */
  retired: boolean
}

export async function prepareProgram<P extends Program>(
  { address, procedures, apart = false }: P,
  { settings, scripts }: ProgramParts<P>,
): Promise<PreparedProgram> {
  const prepared = await prepareScripts(Object.entries(scripts))
  const secrets = Object.values(scripts).flatMap(({ globals }) => namedSecretsIn(globals))
  return {
    address,
    procedures: Object.keys(procedures),
    settings,
    apart,
    scripts: prepared,
    secrets,
    retired: false,
  }
}

export async function prepareScript(script: ScriptSource): Promise<PreparedProgram> {
  const scripts = await prepareScripts([['script', script]])
  const secrets = namedSecretsIn(script.globals)
  return { procedures: ['evaluate'], settings: null, apart: false, scripts, secrets, retired: false }
}

/** SCRIPT_FAILED with message, line and column in its detail; undefined if the script compiles. */
export async function syntaxProblem(script: ScriptSource): Promise<Problem | undefined> {
  return problemOf(script, (await analyse(script.source)).error)
}

function problemOf(script: ScriptSource, error: Analysis['error']): Problem | undefined {
  if (!error) return undefined
  const { line, column } = error
  const message = `${error.message}${remedies[error.message] ?? ''}`
  const { label, file } = script
  const place = `${file ? `${file}, ` : ''}line ${line}, column ${column}`
  return new Problem('SCRIPT_FAILED', `${label} script does not compile: ${message} (${place})`, {
    detail: { message, file, line, column },
  })
}

/** What people write who know functions, and not completion values (engine §2.6). */
const remedies: Readonly<Record<string, string>> = {
  'Illegal return statement': '; leave out return: the value of a script is that of its last expression',
  'SyntaxError: Illegal return statement':
    '; leave out return: the value of a script is that of its last expression',
}

async function prepareScripts(
  entries: readonly (readonly [string, ScriptSource])[],
): Promise<PreparedScript[]> {
  const urls = new Set<string>()
  const prepared: PreparedScript[] = []
  for (const [name, script] of entries) {
    const { label, source, file } = script
    const { error, expression } = await analyse(source)
    const problem = problemOf(script, error)
    const broken = problem && { message: problem.message, detail: problem.detail }
    prepared.push({
      name,
      label,
      source,
      file,
      url: url(script, urls),
      expression,
      start: start(source),
      broken,
      globals: texts(script),
    })
  }
  return prepared
}

/** The place of the first character that is not blank. */
function start(source: string): { line: number; column: number } {
  const lines = source.slice(0, source.search(/\S|$/)).split('\n')
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 }
}

function texts({ globals }: ScriptSource): Record<string, string> {
  const defined = Object.entries(globals).filter(([, value]) => value !== undefined)
  return Object.fromEntries(defined.map(([name, value]) => [name, JSON.stringify(value)]))
}

/** A source URL holds no blanks, and the parentheses of stack traces end it. */
function url({ file, label }: ScriptSource, taken: Set<string>): string {
  const base = (file ?? label).replace(/[^\w./,@-]+/g, '_') || 'script'
  let candidate = base
  for (let n = 2; taken.has(candidate); n++) candidate = `${base}~${n}`
  taken.add(candidate)
  return candidate
}
