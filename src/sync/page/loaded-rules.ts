import type { Mapping } from '../../mapping/mapping.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import { loadRules, type Rules } from './rules.ts'

/** What rules are made of. */
export interface RuleSource {
  readonly mapping: Mapping
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

/** Mappings' rules by name, loaded into the sandbox when first used and kept until closed. */
export class LoadedRules implements AsyncDisposable {
  readonly #find: (name: string) => RuleSource
  readonly #engine: ScriptEngine
  readonly #readFile: ((path: string) => string | undefined) | undefined
  readonly #loaded = new Map<string, Promise<Rules>>()

  /** `find` throws if there is no mapping of that name, or none that can run. */
  constructor(
    find: (name: string) => RuleSource,
    engine: ScriptEngine,
    readFile?: (path: string) => string | undefined,
  ) {
    this.#find = find
    this.#readFile = readFile
    this.#engine = engine
  }

  async of(name: string): Promise<Rules> {
    const { mapping, scripts } = this.#find(name)
    const loaded = this.#loaded.get(name) ?? loadRules(mapping, scripts, this.#engine, this.#readFile)
    this.#loaded.set(name, loaded)
    return loaded
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const rules of this.#loaded.values()) await (await rules)[Symbol.asyncDispose]()
  }
}
