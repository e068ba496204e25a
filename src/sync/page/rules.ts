import { hash } from 'node:crypto'
import { noScripts } from '../../mapping/call.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { type ScriptWords, wordsOf } from '../../mapping/secret-origins.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { type ProcedureName, procedures, program, usesScripts } from '../../plan/procedures.ts'
import type {
  LoadedProgram,
  ScriptContext,
  ScriptEngine,
  ScriptOutcome,
  ScriptSource,
} from '../../scripts/engine.ts'
import { AssignmentScripts } from './assignment-scripts.ts'

/**
 * A mapping's rules, ready to be asked a page at a time. A procedure whose scripts live in the sandbox runs there;
 * one that reaches no script runs here. Whoever asks cannot tell the difference.
 */
export interface Rules extends AsyncDisposable {
  readonly mapping: Mapping
  /** Of the mapping and its scripts: what was decided under another digest may have been decided otherwise. */
  readonly digest: string
  readonly words: ScriptWords
  /**
   * True if scripts that select, decide or shape may look at, or change, the world while they run. Then objects are worked
   * strictly one after the other, so that each script sees what the objects before it did (a script that looks
   * for a free user name is the common case). Otherwise whole pages are.
   */
  readonly oneByOne: boolean
  /** True if hooks run between the writes of one operation, so that they cannot share a transaction. */
  readonly interleaved: boolean
  ask(
    procedure: ProcedureName,
    inputs: readonly Json[],
    context: ScriptContext,
  ): Promise<readonly ScriptOutcome[]>
}

export async function loadRules(
  mapping: Mapping,
  scripts: Readonly<Record<string, ScriptSource>>,
  engine: ScriptEngine,
  readFile: (path: string) => string | undefined = () => undefined,
): Promise<Rules> {
  const inSandbox = usesScripts(mapping)
  const here = new Map<ProcedureName, ReturnType<(typeof procedures)[ProcedureName]>>()
  let loaded: LoadedProgram<typeof program> | undefined
  const names = Object.keys(inSandbox) as ProcedureName[]
  const parts = { settings: mapping as unknown as Json, scripts }
  if (Object.keys(scripts).length > 0) loaded = await engine.load(program, parts)
  const assigned = new AssignmentScripts(parts, mapping.name, engine, readFile)
  for (const name of names) here.set(name, procedures[name](mapping as unknown as Json))
  const interleaved = hasInterleavedHooks(mapping)
  return {
    mapping,
    digest: hash('sha256', JSON.stringify([mapping, scripts]), 'base64url'),
    words: Object.fromEntries(Object.entries(scripts).map(([name, { source }]) => [name, wordsOf(source)])),
    interleaved,
    oneByOne: mapping.reconciliation.taskThreads <= 1 || interleaved || reachesOut(mapping, scripts),
    async ask(name, inputs, context) {
      if (inputs.length === 0) return []
      const extended = shaping.has(name) ? await assigned.programFor(inputs) : undefined
      if (extended) return extended.run(name, inputs, context)
      if (loaded && inSandbox[name]) return loaded.run(name, inputs, context)
      const procedure = here.get(name) as ReturnType<(typeof procedures)[ProcedureName]>
      return inputs.map((input) => outcomeOf(() => procedure(input, noScripts)))
    },
    async [Symbol.asyncDispose]() {
      await assigned[Symbol.asyncDispose]()
      await loaded?.[Symbol.asyncDispose]()
    },
  }
}

/** What works the assignments of a source. */
const shaping: ReadonlySet<ProcedureName> = new Set(['shapeTarget', 'explain'])

function outcomeOf(evaluate: () => Json | undefined): ScriptOutcome {
  try {
    return { ok: true, value: evaluate() }
  } catch (error) {
    return {
      ok: false,
      error:
        error instanceof Problem
          ? error
          : new Problem('SYNC_FAILED', (error as Error).message, { cause: error }),
    }
  }
}

function hasInterleavedHooks({ hooks, policies }: Mapping): boolean {
  const { onDelete, onLink, onUnlink, postMapping, onError } = hooks
  const some = onDelete ?? onLink ?? onUnlink ?? postMapping ?? onError
  return some !== undefined || policies.some(({ postAction }) => postAction !== undefined)
}

const reaching = /\b(openidm|require|globalThis|eval|Function)\b/
/** Computes, and does nothing else. */
const harmless = /\brequire\(\s*(['"])lib\/lodash\1\s*\)/g

/** Conservative on purpose: a mention is enough, in a comment too. */
function reachesOut(mapping: Mapping, scripts: Readonly<Record<string, ScriptSource>>): boolean {
  const wholeRun = new Set([mapping.hooks.onRecon, mapping.hooks.result])
  return Object.entries(scripts).some(
    ([name, { source }]) =>
      !wholeRun.has(name) && (name === 'correlationScript' || reaching.test(source.replaceAll(harmless, ''))),
  )
}
