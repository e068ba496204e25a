/** Which kind of configuration a document is, and the JSON Schema of each kind. */
import type { TSchema } from 'typebox'
import type { JsonSchema } from '../check/schema.ts'
import { auditSchema } from './audit.ts'
import { managedDefinitions, managedSchema } from './managed.ts'
import { mappingDefinitions, mappingSchema, namedMappingSchema } from './mapping.ts'
import { policySchema } from './policy.ts'
import { provisionerDefinitions, provisionerSchema } from './provisioner.ts'
import { accessSchema, routerSchema } from './router.ts'
import { scheduleSchema } from './schedule.ts'
import { scriptSettingsSchema } from './script.ts'
import { sharedDefinitions } from './shared.ts'
import { syncSchema } from './sync.ts'

export const kinds = [
  'sync',
  'mapping',
  'managed',
  'policy',
  'provisioner',
  'script',
  'schedule',
  'router',
  'access',
  'audit',
] as const
export type Kind = (typeof kinds)[number]

const roots: Readonly<Record<Kind, TSchema>> = {
  sync: syncSchema,
  mapping: mappingSchema,
  managed: managedSchema,
  policy: policySchema,
  provisioner: provisionerSchema,
  script: scriptSettingsSchema,
  schedule: scheduleSchema,
  router: routerSchema,
  access: accessSchema,
  audit: auditSchema,
}

/** All named shapes, for `$ref: '#/$defs/…'`. */
export const definitions: Readonly<Record<string, JsonSchema>> = plain({
  mapping: namedMappingSchema,
  ...mappingDefinitions,
  ...managedDefinitions,
  ...provisionerDefinitions,
  ...sharedDefinitions,
})

export const schemas: Readonly<Record<Kind, JsonSchema>> = plain(roots)

/** The kind of a document by its id; undefined for documents without a schema, such as `router`. */
export function kindOfId(id: string): Kind | undefined {
  const single = (['sync', 'managed', 'policy', 'script', 'router', 'access', 'audit'] as const).find(
    (kind) => kind === id,
  )
  if (single) return single
  if (id.startsWith('mapping/')) return 'mapping'
  if (id.startsWith('schedule/')) return 'schedule'
  return id.startsWith('provisioner.openicf/') ? 'provisioner' : undefined
}

/** TypeBox schemas are JSON Schema with hidden marks. This returns plain JSON Schema. */
function plain<Name extends string>(
  from: Readonly<Record<Name, TSchema>>,
): Readonly<Record<Name, JsonSchema>> {
  return JSON.parse(JSON.stringify(from)) as Readonly<Record<Name, JsonSchema>>
}
