import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { check } from './check/check.ts'
import { type CompiledMapping, compileMapping } from './compiled-mappings.ts'
import { brokenFiles } from './entries/entry.ts'
import { linkProblems } from './entries/links.ts'
import { objectSetProblems } from './entries/object-sets.ts'
import { locateProblem } from './problem.ts'
import type { ConfigurationDocument, ConfigurationProblem, ConfiguredMapping, Project } from './project.ts'
import { definitions } from './schemas/kinds.ts'

/**
 * A mapping that comes with a request instead of standing in a file (engine §7.1, §11). It is checked like
 * those of the project and against them: it may reuse their link sets, and takes the place of one with the same name.
 * BAD_REQUEST names what is wrong by its pointer in the mapping.
 */
export async function compileInlineMapping(
  content: JsonObject,
  project: Project,
  engine: ScriptEngine,
): Promise<CompiledMapping> {
  const inline = configured(content)
  refuse(schemaProblems(inline))
  const others = project.declaredMappings.filter(({ name }) => name !== inline.name)
  const declaredMappings = [...others, inline]
  const known = {
    managed: project.declaredManagedObjects,
    connectors: project.connectors,
    broken: brokenFiles(project.documents),
  }
  refuse([
    ...objectSetProblems(inline, known),
    ...linkProblems(declaredMappings, known.broken).filter(({ file }) => file === inline.document.file),
  ])
  const { mapping, scripts, found } = await compileMapping({ ...project, declaredMappings }, inline, engine)
  refuse(found)
  // Without errors there is a mapping.
  return { mapping: mapping as NonNullable<typeof mapping>, scripts }
}

function configured(content: JsonObject): ConfiguredMapping {
  const { name } = content
  if (typeof name !== 'string' || name === '')
    throw new Problem('BAD_REQUEST', '/name: an inline mapping needs a name; its links and runs go by it')
  return { name, document: document(content), pointer: [], content }
}

/** A document without a file: everything in it stands at its beginning. */
function document(content: JsonObject): ConfigurationDocument {
  const locate = () => ({ line: 1, column: 1 })
  return { id: 'inline', file: 'the inline mapping', raw: content, content, locate }
}

function schemaProblems({ document, content }: ConfiguredMapping): readonly ConfigurationProblem[] {
  const { findings } = check({ $ref: '#/$defs/mapping' }, content, [], { definitions })
  return findings.map(({ place, message, ...facts }) => locateProblem(document, place, message, facts))
}

function refuse(problems: readonly ConfigurationProblem[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const list = errors.map(({ pointer, message }) => `${pointer}: ${message}`)
  throw new Problem('BAD_REQUEST', `the inline mapping cannot run: ${list.join('; ')}`, {
    detail: errors.map(({ pointer, message }) => ({ pointer, message })),
  })
}
