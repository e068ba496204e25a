/**
 * Reads a project folder: parses, substitutes and checks every file of conf/, and puts together the mappings,
 * connectors and managed object types that are usable. All problems are found and none is thrown; only a folder
 * that is not a project is refused.
 */
import { printPlace } from '../model/finding.ts'
import { asObject, type Json, type JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { parseProperties } from './boot-properties.ts'
import { type DocumentSchemas, readDocument } from './checked-document.ts'
import { connectorEntries, managedObjectEntries, mappingEntries } from './entries/entries.ts'
import { brokenFiles } from './entries/entry.ts'
import { fileRoots } from './file-roots.ts'
import { bootProperties, configurationFiles, inlineText, misnamed, readProjectFile, unread } from './files.ts'
import type { ConfigurationFile, ConfigurationProblem, Project } from './project.ts'
import { propertyLookup, scriptProperties } from './properties.ts'
import { type SubstitutionSources, substitute } from './substitute.ts'

export interface ReadOptions extends DocumentSchemas {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Properties given to the process; they win over everything else. */
  readonly flags?: Readonly<Record<string, Json>>
  /** An empty folder is a project that is yet to be configured. */
  readonly mayBeEmpty?: boolean | undefined
  /** Used instead of the files of conf/, to check a change before it is made. */
  readonly files?: readonly ConfigurationFile[] | undefined
}

/** The project with all its problems (platform §3.1, §3.2; engine §2.3). */
export async function readProject(folder: string, options: ReadOptions): Promise<Project> {
  const files = options.files ?? (await configurationFiles(folder, options.mayBeEmpty))
  const boot = parseProperties(await bootProperties(folder))
  const { environment, flags = {} } = options
  const properties = { projectFolder: folder, flags, environment, boot }
  const property = propertyLookup(properties)
  const isAllowed = fileRoots(folder, property)
  const sources = { property, isAllowed, readText: inlineText(folder, isAllowed) }
  const read = files.map((file) => readDocument(file, sources, options))

  const documents = read.map(({ document }) => document)
  const fileProblems = [
    ...files.flatMap((file) => misnamed(file) ?? []),
    ...documents.flatMap((document) => unread(document) ?? []),
    ...read.flatMap(({ problems }) => problems),
  ]
  const declared = { documents, fileProblems }
  const managed = managedObjectEntries(declared)
  const connectors = connectorEntries(declared)
  const broken = brokenFiles(documents)
  const known = { managed: managed.declared, connectors: connectors.declared, broken }
  const mappings = mappingEntries(declared, known)
  const filesRead = new Set<string>()
  return {
    folder,
    files,
    filesRead,
    readFile(path) {
      filesRead.add(path)
      return readProjectFile(folder, path)
    },
    documents,
    problems: inReadingOrder([
      ...fileProblems,
      ...managed.problems,
      ...connectors.problems,
      ...mappings.problems,
    ]),
    mappings: mappings.valid,
    declaredMappings: mappings.declared,
    connectors: connectors.valid,
    managedObjects: managed.valid,
    declaredManagedObjects: managed.declared,
    property,
    expand: (content) => expanded(content, sources),
    scriptProperty: scriptProperties(properties),
  }
}

function expanded(content: JsonObject, sources: SubstitutionSources): JsonObject {
  const { value, failures } = substitute(content, sources)
  const [failure] = failures
  if (failure) throw new Problem('CONFIGURATION', `${printPlace(failure.place)}: ${failure.message}`)
  return asObject(value)
}

function inReadingOrder(problems: readonly ConfigurationProblem[]): readonly ConfigurationProblem[] {
  return problems.toSorted(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  )
}
