/**
 * What a person would doubt in a project that is valid: names that nothing has, scripts without a value, patterns that take for ever,
 * settings that never count. All of it are warnings: what they concern runs, and may be meant. Pure; the places are in the documents.
 */
import { compileMapping } from '../mapping/compile.ts'
import { below, type DocumentFinding, inDocument, type Place } from '../model/finding.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { deletionDoubts } from './deletions.ts'
import type { Entry } from './entry.ts'
import { managedDoubts, typeVariables } from './managed.ts'
import { mappingDoubts, purposeOf, sidesOf } from './mapping.ts'
import { remaining } from './names.ts'
import { scheduleDoubts } from './schedule.ts'
import type { Modules } from './script/modules.ts'
import { type DocumentDoubt, otherScripts, Scripts } from './scripts.ts'
import { shapesOf } from './shape.ts'

export interface LintedProject {
  readonly documents: readonly {
    readonly id: string
    readonly content: JsonObject | undefined
    readonly raw: JsonObject | undefined
  }[]
  readonly mappings: readonly Entry[]
  readonly managed: readonly (Entry & { readonly scripts: readonly DeclaredScript[] })[]
  readonly connectors: readonly Entry[]
  readonly modules: Modules
  /** Of a script of a router filter: what it does is built in, and it is not run. */
  isBuiltIn(definition: Json | undefined): boolean
  readFile(path: string): string | undefined
}

/** A script of a managed type. */
export interface DeclaredScript {
  readonly name: string
  readonly pointer: Place
  readonly definition: Json
}

export function projectDoubts(project: LintedProject): readonly DocumentFinding[] {
  const { documents, mappings, managed, connectors, modules } = project
  const broken = new Set(documents.filter(({ raw }) => raw === undefined).map(({ id }) => id))
  const shapes = shapesOf(managed, connectors, broken)
  const scripts = new Scripts((path) => project.readFile(path), { shapes, modules })
  const names = mappings.map(({ name }) => name)
  const unreadable = [...broken].some((id) => id === 'sync' || id.startsWith('mapping/'))
  const found: DocumentDoubt[] = []
  for (const entry of mappings) {
    const { document, pointer, content, name } = entry
    found.push(...inDocument(document, below(pointer, mappingDoubts(content, shapes))))
    const sides = sidesOf(content, shapes)
    for (const [script, { definition, place }] of Object.entries(compileMapping(content, mappings).scripts))
      scripts.judge(
        definition,
        `mapping ${name}, ${script.replaceAll('/', '.')}`,
        purposeOf(script, content, sides),
        document,
        [...pointer, ...place],
      )
  }
  found.push(...deletionDoubts(mappings))
  for (const entry of managed) {
    const { document, pointer, name } = entry
    found.push(...inDocument(document, below(pointer, managedDoubts(entry, { all: managed, shapes }))))
    for (const { name: script, pointer: place, definition } of entry.scripts)
      scripts.judge(
        definition,
        `managed object ${name}, ${script.replaceAll('/', '.')}`,
        { variables: typeVariables(name, shapes), keeps: true },
        document,
        [...pointer, ...place],
      )
  }
  for (const document of documents) {
    const { id, content } = document
    if (!content) continue
    if (id.startsWith('schedule/')) {
      const doubts = scheduleDoubts(content, names, shapes).filter(
        ({ place }) => !unreadable || place.at(-1) !== 'mapping',
      )
      found.push(...inDocument(document, doubts))
    }
    for (const { definition, place, label } of otherScripts(id, content))
      if (!project.isBuiltIn(definition)) scripts.judge(definition, label, { variables: {} }, document, place)
  }
  return distinct(remaining([...found, ...scripts.found]))
}

/** A script file that several places use is doubted once. */
function distinct(findings: readonly DocumentFinding[]): readonly DocumentFinding[] {
  const seen = new Set<string>()
  return findings.filter(({ document, place, message }) => {
    const key = JSON.stringify([document, place, message])
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
