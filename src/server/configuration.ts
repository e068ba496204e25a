import { configEvent } from '../audit/config-event.ts'
import { Reconfiguration, type ReconfigurationOptions } from '../config/live/reconfiguration.ts'
import { configProvider } from '../config/resource/config.ts'
import { versionsProvider } from '../config/resource/history.ts'
import { scriptFilesProvider } from '../config/resource/script-files.ts'
import { configurationKey } from '../config/secrets.ts'
import type { Part } from '../feature/feature.ts'
import { isJsonObject } from '../model/json.ts'
import type { Problem } from '../model/problem.ts'
import type { Secrets } from '../scripts/engine.ts'
import type { Generation } from './generation.ts'

export interface ConfigurationOptions
  extends Omit<ReconfigurationOptions<Generation>, 'encrypt' | 'decrypt' | 'record'> {
  readonly secrets: Secrets
  readonly projectFolder: string
}

/** The configuration of a server that runs, and its resources. */
export function configuration({ secrets, ...options }: ConfigurationOptions) {
  const { current, repository, connectorSchemas } = options
  const isSecret = secretSetting(connectorSchemas)
  const reconfiguration = new Reconfiguration<Generation>({
    ...options,
    encrypt: (value) => secrets.encrypt(value, null, configurationKey(current().project.property)),
    decrypt: (value) => secrets.decrypt(value),
    /** A version of a configuration object has become the present one; the event has its id. */
    async record({ audit }, { id, configId, operation, timestamp, userId, transactionId }, before, after) {
      const change = { operation, objectId: `config/${configId}`, before, after, revision: id }
      await audit.append([configEvent({ ...change, id, timestamp, userId, transactionId, isSecret })])
    },
  })
  const part: Part = {
    mounts: {
      config: configProvider({
        documents: () => current().project.documents,
        reconfiguration,
        connectorSchemas,
        transform: (script, variables, request) => current().transform(script, variables, request),
      }),
      'config/history': versionsProvider(repository, connectorSchemas, (value) => secrets.decrypt(value)),
      'script/files': scriptFilesProvider({
        folder: options.projectFolder,
        check: (path, source) => checkedFile(current(), path, source),
        changed: () => reconfiguration.reload(),
      }),
    },
  }
  return { reconfiguration, part }
}

/** A file is a script, whose value is that of its last expression, or a module, which runs as a function. */
async function checkedFile(
  { engine }: Generation,
  path: string,
  source: string,
): Promise<Problem | undefined> {
  const script = { label: `script/${path}`, file: `script/${path}`, globals: {} }
  const problem = await engine.check({ ...script, source })
  const asModule = problem && (await engine.check({ ...script, source: `(function(){${source}\n})` }))
  return asModule && problem
}

/** The settings that a connector declares secret. */
function secretSetting(schemas: ConfigurationOptions['connectorSchemas']): (name: string) => boolean {
  return (name) =>
    Object.values(schemas).some((schema) => {
      const properties = isJsonObject(schema.properties) ? schema.properties : {}
      const declared = Object.hasOwn(properties, name) ? properties[name] : undefined
      return isJsonObject(declared) && declared.writeOnly === true
    })
}
