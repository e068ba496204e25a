import { configEvent } from '../audit/config-event.ts'
import type { Version } from '../config/live/versions.ts'
import { isJsonObject, type JsonObject } from '../model/json.ts'
import type { Store } from '../repository/repository.ts'
import { connectorSchemas } from './checked-project.ts'

/** `audit/config`: a version of a configuration object has become the present one; the event has its id. */
export async function recordConfigurationChange(
  { audit }: Pick<Store, 'audit'>,
  { id, configId, operation, timestamp, userId, transactionId }: Version,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): Promise<void> {
  const change = { operation, objectId: `config/${configId}`, before, after, revision: id }
  await audit.append([
    configEvent({ ...change, id, timestamp, request: { userId, transactionId }, isSecret: isSecretSetting }),
  ])
}

/** What a connector declares to be secret among its settings. */
function isSecretSetting(name: string): boolean {
  return Object.values(connectorSchemas).some((schema) => {
    const properties = isJsonObject(schema.properties) ? schema.properties : {}
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined
    return isJsonObject(declared) && declared.writeOnly === true
  })
}
