import type { Mapping } from '../mapping/mapping.ts'
import type { Problem } from '../model/problem.ts'
import type { ScriptEngine, ScriptSource } from '../scripts/engine.ts'
import { loadRules, type Rules } from './rules.ts'

/** Mappings' rules by name, loaded into the sandbox when first used and kept until closed. */
export class LoadedRules implements AsyncDisposable {
  readonly #mappings: Mappings
  readonly #engine: ScriptEngine
  readonly #missing: (name: string) => Problem
  readonly #loaded = new Map<string, Promise<Rules>>()

  constructor(mappings: Mappings, engine: ScriptEngine, missing: (name: string) => Problem) {
    this.#mappings = mappings
    this.#engine = engine
    this.#missing = missing
  }

  async of(name: string): Promise<Rules> {
    const compiled = this.#mappings.get(name)
    if (!compiled) throw this.#missing(name)
    const loaded = this.#loaded.get(name) ?? loadRules(compiled.mapping, compiled.scripts, this.#engine)
    this.#loaded.set(name, loaded)
    return loaded
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const rules of this.#loaded.values()) await (await rules)[Symbol.asyncDispose]()
  }
}

type Mappings = ReadonlyMap<
  string,
  { readonly mapping: Mapping; readonly scripts: Readonly<Record<string, ScriptSource>> }
>
