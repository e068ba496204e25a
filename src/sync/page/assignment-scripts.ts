import { assignmentScript, assignmentScripts } from '../../mapping/assignments.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { program } from '../../plan/procedures.ts'
import { scriptSource } from '../../scripts/definition.ts'
import type { LoadedProgram, ProgramParts, ScriptEngine, ScriptSource } from '../../scripts/engine.ts'

/**
 * Scripts of assignments are data (platform §6.4): they come with the source objects. When the first objects with a new
 * one are shaped, the mapping's program is loaded once more with all that are known by then.
 */
export class AssignmentScripts implements AsyncDisposable {
  readonly #parts: ProgramParts<typeof program>
  readonly #mapping: string
  readonly #engine: ScriptEngine
  readonly #readFile: (path: string) => string | undefined
  readonly #known: Record<string, ScriptSource> = {}
  readonly #loaded: Promise<LoadedProgram<typeof program>>[] = []

  constructor(
    parts: ProgramParts<typeof program>,
    mapping: string,
    engine: ScriptEngine,
    readFile: (path: string) => string | undefined,
  ) {
    this.#parts = parts
    this.#mapping = mapping
    this.#engine = engine
    this.#readFile = readFile
  }

  /** The program for these inputs; undefined if none of their assignments has a script. */
  async programFor(inputs: readonly Json[]): Promise<LoadedProgram<typeof program> | undefined> {
    const definitions = inputs.flatMap((input) => this.#scriptsIn(input))
    if (definitions.length === 0) return undefined
    let news = false
    for (const definition of definitions) {
      const name = assignmentScript(definition)
      if (Object.hasOwn(this.#known, name)) continue
      this.#known[name] = this.#sourceOf(definition)
      news = true
    }
    if (news || this.#loaded.length === 0)
      this.#loaded.push(
        this.#engine.load(program, {
          ...this.#parts,
          scripts: { ...this.#parts.scripts, ...this.#known },
        }),
      )
    return this.#loaded.at(-1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#loaded) await (await program)[Symbol.asyncDispose]()
  }

  #scriptsIn(input: Json): readonly JsonObject[] {
    const { shape, ...own } = isJsonObject(input) ? input : {}
    const { source, oldSource } = isJsonObject(shape) ? shape : (own as JsonObject)
    if (!isJsonObject(source)) return []
    return assignmentScripts(source, isJsonObject(oldSource) ? oldSource : undefined, this.#mapping)
  }

  /** One that cannot be used fails the object that needs it. */
  #sourceOf(definition: JsonObject): ScriptSource {
    const label = `mapping ${this.#mapping}, a script of an assignment`
    const read = scriptSource(definition, { label, readFile: this.#readFile })
    return read.ok ? read.script : { label, source: `throw ${JSON.stringify(read.message)}`, globals: {} }
  }
}
