import { hash } from 'node:crypto'
import { noScripts } from '../../mapping/call.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { type ScriptWords, wordsOf } from '../../mapping/secret-origins.ts'
import { Problem } from '../../model/problem.ts'
import {
  type DecisionInput,
  type DecisionName,
  type DecisionOutput,
  proceduresOf,
  program,
  reachesScripts,
} from '../../plan/programs.ts'
import type { ScriptContext, ScriptEngine, ScriptOutcome, ScriptSource } from '../../scripts/engine.ts'
import { reachesOut } from '../../scripts/reaches-out.ts'
import { AssignmentScripts } from './assignment-scripts.ts'

/**
 * A mapping's rules, asked a page at a time. What reaches a script runs in the sandbox, the rest here; callers see no
 * difference.
 */
export interface Rules extends AsyncDisposable {
  readonly mapping: Mapping
  /** Of the mapping and its scripts: what was decided under another digest may have been decided otherwise. */
  readonly digest: string
  readonly words: ScriptWords
  /**
   * True if scripts that select, decide or shape may look at, or change, the world. Then objects are worked one after the
   * other, so that each script sees what those before it did: a script that looks for a free user name is the common case.
   */
  readonly oneByOne: boolean
  /** True if hooks run between the writes of one operation, so that they cannot share a transaction. */
  readonly interleaved: boolean
  ask<N extends DecisionName>(
    name: N,
    inputs: readonly DecisionInput<N>[],
    context: ScriptContext,
  ): Promise<readonly ScriptOutcome<DecisionOutput<N>>[]>
}

export async function loadRules(
  mapping: Mapping,
  scripts: Readonly<Record<string, ScriptSource>>,
  engine: ScriptEngine,
  readFile: (path: string) => string | undefined = () => undefined,
): Promise<Rules> {
  const parts = { settings: mapping, scripts }
  const loaded = Object.keys(scripts).length > 0 ? engine.load(program, parts) : undefined
  const assigned = new AssignmentScripts(parts, engine, readFile)
  const here = proceduresOf(mapping)
  const reaches = reachesScripts(mapping)
  const interleaved = hasInterleavedHooks(mapping)
  return {
    mapping,
    digest: hash('sha256', JSON.stringify([mapping, scripts]), 'base64url'),
    words: Object.fromEntries(Object.entries(scripts).map(([name, { source }]) => [name, wordsOf(source)])),
    interleaved,
    oneByOne: mapping.reconciliation.taskThreads <= 1 || interleaved || someReachesOut(mapping, scripts),
    async ask<N extends DecisionName>(name: N, inputs: readonly DecisionInput<N>[], context: ScriptContext) {
      if (inputs.length === 0) return []
      const extended = assigned.programFor(name, inputs)
      if (extended) return extended.run(name, inputs, context)
      if (loaded && inputs.some(reaches[name])) return loaded.run(name, inputs, context)
      return inputs.map((input) => outcomeOf(() => here[name](input, noScripts)))
    },
    async [Symbol.asyncDispose]() {
      await assigned[Symbol.asyncDispose]()
      await loaded?.[Symbol.asyncDispose]()
    },
  }
}

/** Mappings' rules by name, loaded into the sandbox when first used and kept until closed. */
export class LoadedRules implements AsyncDisposable {
  readonly #load: (name: string) => Promise<Rules>
  readonly #loaded = new Map<string, Promise<Rules>>()

  constructor(load: (name: string) => Promise<Rules>) {
    this.#load = load
  }

  async of(name: string): Promise<Rules> {
    const known = this.#loaded.get(name)
    if (known) return known
    const loaded = this.#load(name)
    this.#loaded.set(name, loaded)
    // Every caller gets the error of a mapping that cannot be loaded, and there is nothing to dispose of.
    loaded.catch(() => this.#loaded.delete(name))
    return loaded
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const rules of this.#loaded.values()) await (await rules)[Symbol.asyncDispose]()
  }
}

function outcomeOf<T>(evaluate: () => T): ScriptOutcome<T> {
  try {
    return { ok: true, value: evaluate() }
  } catch (cause) {
    if (cause instanceof Problem) return { ok: false, error: cause }
    const message = cause instanceof Error ? cause.message : String(cause)
    return { ok: false, error: new Problem('SYNC_FAILED', message, { cause }) }
  }
}

function hasInterleavedHooks({ hooks, policies }: Mapping): boolean {
  const { onDelete, onLink, onUnlink, postMapping, onError } = hooks
  const some = onDelete ?? onLink ?? onUnlink ?? postMapping ?? onError
  return some !== undefined || policies.some(({ postAction }) => postAction !== undefined)
}

function someReachesOut(mapping: Mapping, scripts: Readonly<Record<string, ScriptSource>>): boolean {
  const wholeRun = new Set([mapping.hooks.onRecon, mapping.hooks.result])
  return Object.entries(scripts).some(
    ([name, { source }]) => !wholeRun.has(name) && (name === 'correlationScript' || reachesOut(source)),
  )
}
