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

/** The documents of a kind by their ids, and their schema. */
const table = {
  sync: { documents: /^sync$/, schema: syncSchema },
  mapping: { documents: /^mapping\//, schema: mappingSchema },
  managed: { documents: /^managed$/, schema: managedSchema },
  policy: { documents: /^policy$/, schema: policySchema },
  provisioner: { documents: /^provisioner\.openicf\//, schema: provisionerSchema },
  script: { documents: /^script$/, schema: scriptSettingsSchema },
  schedule: { documents: /^schedule\//, schema: scheduleSchema },
  router: { documents: /^router$/, schema: routerSchema },
  access: { documents: /^access$/, schema: accessSchema },
  audit: { documents: /^audit$/, schema: auditSchema },
}

export type Kind = keyof typeof table
/** In the order of the reference. */
export const kinds = Object.keys(table) as readonly Kind[]

/** All named shapes, for `$ref: '#/$defs/…'`. */
export const definitions = plain({
  mapping: namedMappingSchema,
  ...mappingDefinitions,
  ...managedDefinitions,
  ...provisionerDefinitions,
  ...sharedDefinitions,
})

export const schemas = plain(Object.fromEntries(kinds.map((kind) => [kind, table[kind].schema]))) as Readonly<
  Record<Kind, JsonSchema>
>

/** The kind of a document by its id; undefined for documents without a schema. */
export function kindOfId(id: string): Kind | undefined {
  return kinds.find((kind) => table[kind].documents.test(id))
}

/** TypeBox schemas are JSON Schema with hidden marks. This returns plain JSON Schema. */
function plain(from: Readonly<Record<string, TSchema>>): Readonly<Record<string, JsonSchema>> {
  return JSON.parse(JSON.stringify(from))
}
