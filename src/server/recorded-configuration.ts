import { configEvent } from '../audit/config-event.ts'
import type { RecordChange } from '../config/live/history.ts'
import type { ConnectorSchemas } from '../config/live/secret-values.ts'
import { isJsonObject } from '../model/json.ts'

/** `audit/config`: a version of a configuration object has become the present one; the event has its id. */
export function recordConfigurationChange(schemas: ConnectorSchemas): RecordChange {
  const isSecret = secretSetting(schemas)
  return async ({ audit }, { id, configId, operation, timestamp, userId, transactionId }, before, after) => {
    const change = { operation, objectId: `config/${configId}`, before, after, revision: id }
    await audit.append([
      configEvent({ ...change, id, timestamp, request: { userId, transactionId }, isSecret }),
    ])
  }
}

/** What a connector declares to be secret among its settings. */
function secretSetting(schemas: ConnectorSchemas): (name: string) => boolean {
  return (name) =>
    Object.values(schemas).some((schema) => {
      const properties = isJsonObject(schema.properties) ? schema.properties : {}
      const declared = Object.hasOwn(properties, name) ? properties[name] : undefined
      return isJsonObject(declared) && declared.writeOnly === true
    })
}
