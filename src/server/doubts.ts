import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Project } from '../config/project.ts'
import { type LintedProject, projectDoubts } from '../lint/lint.ts'
import type { Modules } from '../lint/script/modules.ts'
import type { DocumentFinding } from '../model/finding.ts'
import { declaredScripts } from '../objects/type/scripts.ts'
import { withShippedScripts } from '../objects/type/shipped-scripts.ts'
import type { ManagedType } from '../objects/type/type.ts'
import { builtInOf } from '../router/scripts/read-filter.ts'
import { modulePaths } from '../scripts/script-files.ts'
import { shippedModule } from '../scripts/shipped-files.ts'

/** What a person would doubt in the project, besides what keeps it from running. */
export function doubtsOf(project: Project): readonly DocumentFinding[] {
  const { documents, declaredMappings, declaredManagedObjects, managedObjects, readFile } = project
  const hasFile = (path: string) => readFile(path) !== undefined
  const managed: LintedProject['managed'] = declaredManagedObjects.map((entry) => ({
    ...entry,
    // The schema of managed.json has made sure that those without errors are types.
    scripts: managedObjects.includes(entry)
      ? declaredScripts(withShippedScripts({ ...entry.content, name: entry.name } as ManagedType, hasFile))
      : [],
  }))
  return projectDoubts({
    ...{ documents, managed, readFile },
    connectors: documents.flatMap(connectorIn),
    isBuiltIn: (definition) => builtInOf(definition) !== undefined,
    mappings: declaredMappings,
    modules: modulesOf(project),
  })
}

/** Those with errors, too: what they declare is there. */
function connectorIn(document: Project['documents'][number]): LintedProject['connectors'] {
  const [kind, instance = ''] = document.id.split('/')
  const content = document.content ?? document.raw
  if (kind !== 'provisioner.openicf' || !content) return []
  return [
    { name: typeof content.name === 'string' ? content.name : instance, document, pointer: [], content },
  ]
}

/** The modules that scripts of the project can require. */
function modulesOf({ folder, readFile }: Pick<Project, 'folder' | 'readFile'>): Modules {
  return {
    names: () => moduleNames(folder),
    find(from, name) {
      for (const path of modulePaths(from, name)) {
        const source = readFile(`script/${path}`)
        if (source !== undefined) return { file: `script/${path}`, source }
      }
      return shippedModule(name) === undefined ? undefined : {}
    },
  }
}

/** As scripts require them. */
function moduleNames(folder: string): readonly string[] {
  try {
    const files = readdirSync(join(folder, 'script'), { recursive: true, encoding: 'utf8' })
    return files
      .filter((file) => /\.js(?:on)?$/.test(file))
      .map((file) => file.replaceAll('\\', '/').replace(/\.js$/, ''))
  } catch {
    return []
  }
}
