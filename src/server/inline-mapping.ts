import { check } from '../config/check/check.ts'
import { brokenFiles } from '../config/entries/entry.ts'
import { linkProblems } from '../config/entries/links.ts'
import { objectSetProblems } from '../config/entries/object-sets.ts'
import type { ConfiguredEntry, Project } from '../config/project.ts'
import { definitions } from '../config/schemas/kinds.ts'
import { type Finding, printPlace } from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { type CompiledMapping, compileMapping } from './mappings.ts'

/**
 * A mapping in a request instead of a file (engine §7.1, §11). It is checked like the mappings of the project, and together
 * with them: it may use their link sets, and replaces one with the same name. BAD_REQUEST names each error by its pointer
 * in the mapping.
 */
export async function compileInlineMapping(
  content: JsonObject,
  project: Project,
  engine: ScriptEngine,
): Promise<CompiledMapping> {
  const inline = inlineMapping(content)
  refuse(check({ $ref: '#/$defs/mapping' }, content, [], { definitions }).findings)
  const others = project.declaredMappings.filter(({ name }) => name !== inline.name)
  const declaredMappings = [...others, inline]
  const known = {
    managed: project.declaredManagedObjects,
    connectors: project.connectors,
    broken: brokenFiles(project.documents),
  }
  refuse([
    ...objectSetProblems(inline, known),
    ...linkProblems(declaredMappings, known.broken).filter(({ document }) => document === inline.document.id),
  ])
  const { usable, findings } = await compileMapping(inline, { ...project, declaredMappings, engine })
  if (usable) return usable
  throw refused(findings)
}

function inlineMapping(content: JsonObject): ConfiguredEntry {
  const { name } = content
  if (typeof name !== 'string' || name === '')
    throw new Problem('BAD_REQUEST', '/name: an inline mapping needs a name; its links and runs go by it')
  // A document without a file: all positions are its beginning.
  const locate = () => ({ line: 1, column: 1 })
  const document = { id: 'inline', file: 'the inline mapping', raw: content, content, locate }
  return { name, document, pointer: [], content }
}

function refuse(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity !== 'warning')
  if (errors.length > 0) throw refused(errors)
}

function refused(errors: readonly Finding[]): Problem {
  const detail = errors.map(({ place, message }) => ({ pointer: printPlace(place), message }))
  const list = detail.map(({ pointer, message }) => `${pointer}: ${message}`)
  return new Problem('BAD_REQUEST', `the inline mapping cannot run: ${list.join('; ')}`, { detail })
}
