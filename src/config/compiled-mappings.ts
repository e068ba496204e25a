import { join } from 'node:path'
import { compileMapping as compilePure } from '../mapping/compile.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { Place, ScriptObject } from '../mapping/reading.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { ScriptEngine, ScriptSource } from '../scripts/engine.ts'
import { locateProblem } from './problem.ts'
import type { ConfigurationProblem, ConfiguredMapping, Project } from './project.ts'

/** A mapping that can run: compiled, its scripts found and free of syntax errors. */
export interface CompiledMapping {
  readonly mapping: Mapping
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

export interface CompiledMappings {
  readonly mappings: ReadonlyMap<string, CompiledMapping>
  readonly problems: readonly ConfigurationProblem[]
}

/**
 * Compiles every mapping of a project and looks at each of its scripts (engine §2.3, [D]: everything is
 * checked at load). A mapping with an error is left out, with all of its errors; the others stay.
 */
export async function compileMappings(project: Project, engine: ScriptEngine): Promise<CompiledMappings> {
  const mappings = new Map<string, CompiledMapping>()
  const problems: ConfigurationProblem[] = []
  const valid = new Set(project.mappings)
  for (const configured of project.declaredMappings) {
    const { mapping, scripts, found } = await compileMapping(project, configured, engine)
    problems.push(...found.filter((problem) => !isKnown(problem, project.problems)))
    if (mapping && found.length === 0 && valid.has(configured))
      mappings.set(configured.name, { mapping, scripts })
  }
  return { mappings: inProcessingOrder(project, mappings), problems }
}

/** One mapping against the others that are declared; there is a `mapping` unless something was found. */
export async function compileMapping(project: Project, configured: ConfiguredMapping, engine: ScriptEngine) {
  const { mapping, scripts, errors } = compilePure(configured.content, project.declaredMappings, {
    consentService: isConsentServiceOn(project),
    hasFile: (file) => [file, join('script', file)].some((path) => project.readFile(path) !== undefined),
  })
  const found = errors.map(({ place, message }) => problemAt(configured, place, message))
  const sources: Record<string, ScriptSource> = {}
  for (const [name, script] of Object.entries(scripts)) {
    const read = await readScript(project, configured, name, script, engine)
    if ('message' in read) found.push(read)
    else sources[name] = read
  }
  return { mapping, scripts: sources, found }
}

function isConsentServiceOn({ documents }: Project): boolean {
  return documents.find(({ id }) => id === 'consent')?.content?.enabled === true
}

/** What the schema has said already about a place, or about what it stands in, need not be said twice. */
function isKnown({ file, pointer }: ConfigurationProblem, known: readonly ConfigurationProblem[]): boolean {
  return known.some(
    (other) =>
      other.severity === 'error' &&
      other.file === file &&
      (pointer === other.pointer ||
        pointer.startsWith(`${other.pointer}/`) ||
        other.pointer.startsWith(`${pointer}/`)),
  )
}

function inProcessingOrder(project: Project, mappings: ReadonlyMap<string, CompiledMapping>) {
  const ordered = project.mappings.flatMap(({ name }) => {
    const compiled = mappings.get(name)
    return compiled ? [[name, compiled] as const] : []
  })
  return new Map(ordered)
}

async function readScript(
  project: Project,
  configured: ConfiguredMapping,
  name: string,
  { definition, place }: ScriptObject,
  engine: ScriptEngine,
): Promise<ScriptSource | ConfigurationProblem> {
  const label = `mapping ${configured.name}, ${name.replaceAll('/', '.')}`
  const read = scriptSource(definition, { label, readFile: project.readFile })
  if (!read.ok) return problemAt(configured, [...place, ...read.pointer], read.message)
  const error = await engine.check(read.script)
  // The engine's message names mapping and hook already.
  return error
    ? locateProblem(configured.document, [...configured.pointer, ...place], error.message)
    : read.script
}

function problemAt(
  { document, pointer, name }: ConfiguredMapping,
  place: Place,
  message: string,
): ConfigurationProblem {
  return locateProblem(document, [...pointer, ...place], `mapping ${name}: ${message}`)
}
