import type { DocumentFinding, Place } from '../model/finding.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { scriptSource } from '../scripts/definition.ts'
import { type Doubt, doubt } from './names.ts'
import type { ScriptFault } from './script/code.ts'
import { judgedModule, judgedScript, type Purpose, type Surroundings } from './script/judge.ts'
import type { FoundModule } from './script/modules.ts'

export type DocumentDoubt = Doubt & DocumentFinding

/** The scripts of a project, and the modules that they require; each module is judged once. */
export class Scripts {
  readonly found: DocumentDoubt[] = []
  readonly #readFile: (path: string) => string | undefined
  readonly #surroundings: Surroundings
  readonly #judged = new Set<string>()

  constructor(readFile: (path: string) => string | undefined, surroundings: Surroundings) {
    this.#readFile = readFile
    this.#surroundings = surroundings
  }

  /** A script object at a place of a document. One that cannot be read is an error elsewhere. */
  judge(
    definition: Json | undefined,
    label: string,
    purpose: Purpose,
    document: { readonly id: string },
    place: Place,
  ): void {
    if (!isJsonObject(definition)) return
    const read = scriptSource(definition, { label, readFile: this.#readFile })
    if (!read.ok) return
    const { source, file, globals } = read.value
    // What comes with Syncline is right.
    if (definition.source === undefined && file !== undefined && this.#readFile(file) === undefined) return
    const judged = judgedScript(source, purpose, Object.keys(globals), this.#surroundings)
    const at = [
      ...place,
      definition.source === undefined ? (definition.file === undefined ? 'name' : 'file') : 'source',
    ]
    const where = { label, file: definition.source === undefined ? file : undefined, document, place: at }
    const faults = purpose.keeps ? judged.faults.map(kept) : judged.faults
    this.#note(faults, where)
    this.#follow(judged.required, document, at)
  }

  #follow(modules: readonly FoundModule[], document: { readonly id: string }, place: Place): void {
    for (const { file, source } of modules) {
      if (file === undefined || source === undefined || file.endsWith('.json') || this.#judged.has(file))
        continue
      this.#judged.add(file)
      const folder = file
        .replace(/^script\//, '')
        .split('/')
        .slice(0, -1)
        .join('/')
      const judged = judgedModule(source, folder, this.#surroundings)
      this.#note(judged.faults, { label: file, file, document, place })
      this.#follow(judged.required, document, place)
    }
  }

  #note(faults: readonly ScriptFault[], { label, file, document, place }: Where): void {
    for (const { line, column, message, does, ...facts } of faults) {
      const inFile = file === undefined || file === label ? '' : `${file}, `
      const text = `${label} (${inFile}line ${line}, column ${column}): ${message}`
      this.found.push({ ...doubt(place, { ...facts, message: text }, does), document: document.id })
    }
  }
}

interface Where {
  readonly label: string
  /** Absent for a script that stands in the document. */
  readonly file: string | undefined
  readonly document: { readonly id: string }
  readonly place: Place
}

/** What a hook of a type writes is stored, and is there to be read. */
function kept(fault: ScriptFault): ScriptFault {
  return fault.does === 'writes' ? { ...fault, does: 'keeps' } : fault
}

/** Scripts of endpoints, schedules and router filters: nothing is known of what they see. */
export function otherScripts(
  id: string,
  content: JsonObject,
): readonly { definition: Json | undefined; place: Place; label: string }[] {
  const [kind, name] = id.split('/')
  if (kind === 'endpoint' && content.enabled !== false)
    return [{ definition: content, place: [], label: `endpoint ${name}` }]
  if (kind === 'schedule') {
    const { script, task } = asObject(content.invokeContext)
    return [
      { definition: script, place: ['invokeContext', 'script'], label: `schedule ${name}, script` },
      {
        definition: asObject(task).script,
        place: ['invokeContext', 'task', 'script'],
        label: `schedule ${name}, task`,
      },
    ]
  }
  if (id !== 'router' || !Array.isArray(content.filters)) return []
  return content.filters.flatMap((filter, index) =>
    ['condition', 'onRequest', 'onResponse', 'onFailure'].map((hook) => ({
      ...{
        definition: asObject(filter)[hook],
        place: ['filters', index, hook],
        label: `router filter ${index}, ${hook}`,
      },
    })),
  )
}
