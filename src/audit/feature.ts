import { type CompileTools, feature } from '../feature/feature.ts'
import type { Log } from '../kit/log.ts'
import { type Finding, inDocument } from '../model/finding.ts'
import type { Repository } from '../repository/repository.ts'
import type { Resources } from '../router/resources.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { filterScripts } from './filter-scripts.ts'
import { historyProvider } from './history.ts'
import { auditProvider, auditStoreProvider } from './resource.ts'
import { secretNames } from './secret-names.ts'
import type { AuditService } from './service.ts'
import { type AuditSettings, defaultSettings, readSettings } from './settings.ts'

export interface AuditHost {
  readonly audit: AuditService
  readonly repository: Repository
  readonly resources: () => Resources
}

export interface AuditServices {
  readonly audit: AuditService
  readonly engine: ScriptEngine
  readonly readFile: (path: string) => string | undefined
  readonly log: Log
}

/** The settings of `conf/audit.json`, and the secret names of the project's types and connectors. */
export const auditFeature = feature({
  name: 'audit',
  documents: /^(?:audit|managed|provisioner\.openicf\/.*)$/,
  async compile(documents, tools: CompileTools) {
    const isSecret = secretNames(documents)
    const document = documents.find(({ id }) => id === 'audit')
    if (!document?.content) return { value: { settings: defaultSettings, isSecret }, findings: [] }
    const { settings, warnings } = readSettings(document.content, tools.folder)
    const findings = [...warnings, ...(await scriptFindings(settings, tools))]
    return { value: { settings, isSecret }, findings: inDocument(document, findings) }
  },
  begin: ({ audit, repository, resources }: AuditHost) => ({
    mounts: {
      audit: auditProvider({ audit, resources }),
      'repo/audit': auditStoreProvider({ audit }),
      history: historyProvider(repository),
    },
  }),
  open(value, { audit, ...options }: AuditServices) {
    const filters = filterScripts(options)
    return {
      activate: () => audit.configure({ ...value, runFilter: filters.run }),
      [Symbol.asyncDispose]: () => filters[Symbol.asyncDispose](),
    }
  },
})

async function scriptFindings(
  { filters }: AuditSettings,
  { engine, readFile }: CompileTools,
): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const [topic, { script }] of filters) {
    if (!script) continue
    const read = scriptSource(script, { label: 'audit filter', readFile })
    const fault = read.ok ? (await engine.check(read.value))?.message : read.finding.message
    const place = ['eventTopics', topic, 'filter', 'script']
    if (fault !== undefined) found.push({ place, message: `audit filter of ${topic}: ${fault}` })
  }
  return found
}
