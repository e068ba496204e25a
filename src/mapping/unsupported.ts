import { isJsonObject, type JsonObject } from '../model/json.ts'

/**
 * Properties that this version reads but does not act on yet. A mapping that uses one is refused: running it without
 * the property would do something else than its author asked for.
 */
const notYet: Readonly<Record<string, (value: unknown) => boolean>> = {
  consentRequired: (value) => value === true,
  queuedSync: (value) => isJsonObject(value) && value.enabled === true,
  clusteredSourceReconEnabled: (value) => value === true,
  triggerSyncProperties: (value) => Array.isArray(value) && value.length > 0,
  defaultSourceFields: (value) => Array.isArray(value) && value.length > 0,
  defaultTargetFields: (value) => Array.isArray(value) && value.length > 0,
}

export interface Refusal {
  readonly property: string
  readonly message: string
}

export function unsupportedProperties(configuration: JsonObject): readonly Refusal[] {
  return Object.entries(notYet)
    .filter(([property, used]) => used(configuration[property]))
    .map(([property]) => ({
      property,
      message: `${property} is not supported by this version, and the mapping would do something else without it: remove it, or disable it`,
    }))
}
