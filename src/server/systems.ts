import { isEnabled } from '../config/entries/entry.ts'
import { withSecrets } from '../config/live/secret-values.ts'
import type { ConfiguredEntry, Project } from '../config/project.ts'
import { configurationKey } from '../config/secrets.ts'
import type { System, SystemEnvironment } from '../connectors/system/open-system.ts'
import { systemProvider } from '../connectors/system/system.ts'
import { feature } from '../feature/feature.ts'
import { type DocumentFinding, type Finding, FindingError, printPlace } from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'
import { asProblem } from '../model/problem.ts'
import type { ResourceProvider } from '../router/resources.ts'
import type { ScriptEngine, Secrets } from '../scripts/engine.ts'
import { connectorScripts } from './connector-scripts.ts'
import { connectorSchemas } from './connectors.ts'

export interface SystemTools {
  readonly connectors: Project['connectors']
  /** The findings so far. */
  readonly problems: Project['problems']
  /** Not connected yet; the caller closes the system. */
  openSystem(configuration: JsonObject): Promise<System>
}

export interface SystemServices extends Pick<SystemEnvironment, 'kinds' | 'expand'> {
  readonly folder: string
  readonly engine: ScriptEngine
  readonly readFile: Project['readFile']
  readonly secrets: Pick<Secrets, 'decrypt' | 'encrypt'>
  readonly property: Project['property']
  readonly liveSync: NonNullable<SystemEnvironment['liveSync']>
  recordingActivity(provider: ResourceProvider, of: 'managed' | 'system'): ResourceProvider
}

/** The systems of `conf/provisioner.openicf-*.json`, by name. */
export const systemFeature = feature({
  name: 'system',
  documents: /^provisioner\.openicf\//,
  async compile(_documents, { connectors, problems, openSystem }: SystemTools) {
    const value = new Map<string, System>()
    const findings: DocumentFinding[] = []
    for (const connector of connectors.filter(isEnabled)) {
      const { system, found } = await opened(connector, openSystem)
      if (system) value.set(system.name, system)
      // If the schema already refuses a value, an error of the connector about it is not reported again.
      const isNew = ({ place }: Finding) =>
        !problems.some(
          ({ file, pointer }) => file === connector.document.file && pointer === printPlace(place),
        )
      for (const finding of found.filter(isNew))
        findings.push({
          ...finding,
          document: connector.document.id,
          message: `connector ${connector.name}: ${finding.message}`,
        })
    }
    const entries = [...value].map(([name, { configuration }]) => [`system/${name}`, configuration] as const)
    return { value, findings, entries: Object.fromEntries(entries) }
  },
  open(systems, services: SystemServices) {
    const { kinds, folder, expand, secrets, property, liveSync, recordingActivity, engine, readFile } =
      services
    const decrypt = secrets.decrypt.bind(secrets)
    const alias = configurationKey(property)
    const seal = (configuration: JsonObject) =>
      withSecrets('provisioner.openicf/draft', configuration, connectorSchemas(kinds), (value) =>
        secrets.encrypt(value, null, alias),
      )
    const scripts = connectorScripts(engine, readFile)
    const environment = { kinds, projectFolder: folder, expand, seal, decrypt, liveSync, scripts }
    const provider = systemProvider(systems, environment)
    return { mounts: { system: recordingActivity(provider, 'system') } }
  },
})

async function opened({ content }: ConfiguredEntry, openSystem: SystemTools['openSystem']) {
  try {
    const system = await openSystem(content)
    const found = system.warnings.map((warning) => ({ ...warning, severity: 'warning' as const }))
    return { system, found }
  } catch (thrown) {
    const isPlaced = thrown instanceof FindingError
    const finding = isPlaced ? thrown.finding : { place: [], message: asProblem(thrown).message }
    return { system: undefined, found: [finding] }
  }
}
