import type { ConfigurationProblem, Project } from '../config/project.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { nearest } from '../model/nearest.ts'
import { Problem } from '../model/problem.ts'
import type { CheckedProject } from './check.ts'
import type { CompiledMapping } from './mappings.ts'

/** The configuration does not allow the request; `problems` contains the places and reasons. */
export class ConfigurationFailure extends Problem {
  readonly problems: readonly ConfigurationProblem[]

  constructor(message: string, problems: readonly ConfigurationProblem[]) {
    super('CONFIGURATION', message, { detail: problems })
    this.problems = problems
  }
}

/** The compiled mapping of that name; throws a Problem with the errors if it cannot run. */
export function usableMapping(checked: CheckedProject, name: string): CompiledMapping {
  const compiled = checked.mappings.get(name)
  if (!compiled) throw mappingFailure(checked, name)
  requireEnds(checked, compiled.mapping)
  return compiled
}

export function requireEnds(checked: CheckedProject, { name, source, target }: Mapping): void {
  for (const path of [source, target]) if (!isReady(checked, path)) throw unusableEnd(checked, name, path)
}

/** True for a mapping that compiles and whose source and target both exist. */
export function isUsable(checked: CheckedProject, name: string): boolean {
  const mapping = checked.mappings.get(name)?.mapping
  return mapping !== undefined && isReady(checked, mapping.source) && isReady(checked, mapping.target)
}

/** Is there an object set of this path? Roots other than systems and managed objects are not checked. */
export function isReady({ systems, types }: CheckedProject, path: string): boolean {
  const [root, name = ''] = path.split('/')
  if (root === 'system') return systems.has(name)
  return root !== 'managed' || types.some(({ type }) => type.name === name)
}

function unusableEnd({ project, problems }: CheckedProject, mapping: string, path: string): Problem {
  const [root, name] = path.split('/')
  const connector = project.documents.find(
    ({ id, raw }) =>
      id === `provisioner.openicf/${name}` || (id.startsWith('provisioner.') && raw?.name === name),
  )
  const file = root === 'system' ? connector?.file : 'conf/managed.json'
  const causes = problems.filter((problem) => problem.severity === 'error' && problem.file === file)
  const why = causes.length > 0 ? 'has errors' : 'is switched off or not configured'
  return new ConfigurationFailure(`mapping ${mapping} cannot run: ${root}/${name} ${why}`, causes)
}

/** Why a mapping cannot be used: its errors, or that it does not exist. */
function mappingFailure({ project, mappings, problems }: CheckedProject, name: string): Problem {
  const errors = problems.filter(({ severity }) => severity === 'error')
  const own = errors.filter((problem) => isAbout(project, problem, name))
  if (own.length > 0) return new ConfigurationFailure(`mapping ${name} has errors and cannot run`, own)
  const known = [...mappings.keys()]
  const near = nearest(name, known)
  const hint = near ? `; did you mean ${near}?` : known.length > 0 ? `; there are: ${known.join(', ')}` : ''
  const elsewhere = errors.filter(({ file }) => /^conf.(sync|mapping-.*)\.json$/.test(file))
  if (elsewhere.length > 0) return new ConfigurationFailure(`No usable mapping ${name}${hint}`, elsewhere)
  // Over REST an unknown mapping is a conflict (engine §7.1).
  return new Problem('NOT_FOUND', `No such mapping: ${name}${hint}`, { status: 409 })
}

/** Found by its place in the file, or by the name at the beginning of messages of later checks. */
export function isAbout(
  project: Pick<Project, 'documents'>,
  problem: ConfigurationProblem,
  name: string,
): boolean {
  if (problem.message.includes(`mapping ${name}: `) || problem.file === `conf/mapping-${name}.json`)
    return true
  const mappings = project.documents.find(({ id }) => id === 'sync')?.raw?.mappings
  const index = Array.isArray(mappings)
    ? mappings.findIndex((one) => (one as { name?: unknown } | null)?.name === name)
    : -1
  return problem.file === 'conf/sync.json' && problem.pointer.startsWith(`/mappings/${index}/`)
}
