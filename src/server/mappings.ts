import { join } from 'node:path'
import { isValid } from '../config/entries/entry.ts'
import type { ConfiguredEntry, Project } from '../config/project.ts'
import { type CompileTools, feature } from '../feature/feature.ts'
import { compileMapping as compilePure } from '../mapping/compile.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { below, type DocumentFinding, type Finding, inDocument } from '../model/finding.ts'
import { checkedScript } from '../scripts/definition.ts'
import type { ScriptSource } from '../scripts/engine.ts'
import { type ListedMapping, mappingsProvider } from '../sync/resources/mappings.ts'

/** A mapping that can run: compiled, its scripts found and free of syntax errors. */
export interface CompiledMapping {
  readonly mapping: Mapping
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

/** The input for compiling mappings: each may depend on the others. */
export interface MappingTools extends CompileTools {
  readonly documents: Project['documents']
  /** The findings so far. */
  readonly problems: Project['problems']
  readonly mappings: Project['mappings']
  readonly declaredMappings: Project['declaredMappings']
}

export interface MappingServices {
  /** Is there an object set of this path? */
  isReady(path: string): boolean
}

/**
 * The mappings of the project, in processing order. Each of their scripts is checked (engine §2.3, [D]: everything
 * is checked at load). A mapping with errors is left out, and all its errors are reported; the others stay.
 */
export const mappingFeature = feature({
  name: 'mapping',
  documents: /^(?:sync$|mapping\/)/,
  async compile(_documents, tools: MappingTools) {
    const compiled = new Map<string, CompiledMapping>()
    const findings: DocumentFinding[] = []
    for (const configured of tools.declaredMappings) {
      const { usable, findings: found } = await compileMapping(configured, tools)
      const { document, pointer } = configured
      // What the schema check has already reported, at the place, within it or around it.
      const isNew = ({ place }: Finding) => isValid({ document, pointer: place }, tools.problems)
      findings.push(...inDocument(document, below(pointer, found).filter(isNew)))
      if (usable && tools.mappings.includes(configured)) compiled.set(configured.name, usable)
    }
    // In processing order.
    const value = new Map<string, CompiledMapping>()
    const entries: Record<string, unknown> = {}
    for (const { name } of tools.mappings) {
      const usable = compiled.get(name)
      if (!usable) continue
      value.set(name, usable)
      entries[`mapping/${name}`] = [usable.mapping.configuration, usable.mapping.links, usable.scripts]
    }
    return { value, findings, entries }
  },
  open: (mappings, { isReady }: MappingServices) => ({
    mounts: { 'sync/mappings': mappingsProvider(() => listed(mappings, isReady)) },
  }),
})

/** Checks one mapping together with the others. It is usable if there are no findings. Places are in the mapping. */
export async function compileMapping(
  { name, content }: Pick<ConfiguredEntry, 'name' | 'content'>,
  { engine, readFile, documents, declaredMappings }: Omit<MappingTools, 'problems' | 'mappings'>,
): Promise<{ readonly usable: CompiledMapping | undefined; readonly findings: readonly Finding[] }> {
  const about = `mapping ${name}`
  const { mapping, scripts, errors } = compilePure(content, declaredMappings, {
    consentService: documents.find(({ id }) => id === 'consent')?.content?.enabled === true,
    hasFile: (file) => [file, join('script', file)].some((path) => readFile(path) !== undefined),
  })
  const findings: Finding[] = errors.map((error) => ({ ...error, message: `${about}: ${error.message}` }))
  const sources: Record<string, ScriptSource> = {}
  for (const [script, { definition, place }] of Object.entries(scripts)) {
    const label = `${about}, ${script.replaceAll('/', '.')}`
    const read = await checkedScript(definition, { label, about, engine, readFile })
    if (read.ok) sources[script] = read.value
    else findings.push(...below(place, [read.finding]))
  }
  return { usable: mapping && findings.length === 0 ? { mapping, scripts: sources } : undefined, findings }
}

function listed(
  mappings: ReadonlyMap<string, CompiledMapping>,
  isReady: MappingServices['isReady'],
): readonly ListedMapping[] {
  return [...mappings.values()].map(({ mapping: { name, configuration, source, target } }) => ({
    name,
    configuration,
    sourceReady: isReady(source),
    targetReady: isReady(target),
  }))
}
