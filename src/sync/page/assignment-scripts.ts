import { assignmentScript, assignmentScripts } from '../../mapping/assignments.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import type { JsonObject } from '../../model/json.ts'
import { type DecisionInput, type DecisionName, program, shapedFrom } from '../../plan/programs.ts'
import { scriptSource } from '../../scripts/definition.ts'
import type { LoadedProgram, ScriptEngine, ScriptSource } from '../../scripts/engine.ts'

interface Parts {
  readonly settings: Mapping
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

/**
 * Scripts of assignments come with the source objects (platform §6.4). When a new one comes, the mapping's program is loaded
 * once more, with all that are known by then.
 */
export class AssignmentScripts implements AsyncDisposable {
  readonly #parts: Parts
  readonly #engine: ScriptEngine
  readonly #readFile: (path: string) => string | undefined
  readonly #known: Record<string, ScriptSource> = {}
  readonly #loaded: LoadedProgram<typeof program>[] = []

  constructor(parts: Parts, engine: ScriptEngine, readFile: (path: string) => string | undefined) {
    this.#parts = parts
    this.#engine = engine
    this.#readFile = readFile
  }

  /** The program for these inputs; undefined if none of their assignments has a script. */
  programFor<N extends DecisionName>(
    name: N,
    inputs: readonly DecisionInput<N>[],
  ): LoadedProgram<typeof program> | undefined {
    const { settings, scripts } = this.#parts
    const definitions = inputs.flatMap((input) => {
      const { source, oldSource } = shapedFrom[name](input) ?? {}
      return source ? assignmentScripts(source, oldSource, settings.name) : []
    })
    if (definitions.length === 0) return undefined
    let news = false
    for (const definition of definitions) {
      const script = assignmentScript(definition)
      if (Object.hasOwn(this.#known, script)) continue
      this.#known[script] = this.#sourceOf(definition)
      news = true
    }
    if (news || this.#loaded.length === 0)
      this.#loaded.push(this.#engine.load(program, { settings, scripts: { ...scripts, ...this.#known } }))
    return this.#loaded.at(-1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const loaded of this.#loaded) await loaded[Symbol.asyncDispose]()
  }

  /** One that cannot be used fails the object that needs it. */
  #sourceOf(definition: JsonObject): ScriptSource {
    const label = `mapping ${this.#parts.settings.name}, a script of an assignment`
    const read = scriptSource(definition, { label, readFile: this.#readFile })
    return read.ok
      ? read.value
      : { label, source: `throw ${JSON.stringify(read.finding.message)}`, globals: {} }
  }
}
