import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { ManagedType, ObjectSchema, PolicyReference, PropertySchema } from '../type/type.ts'

/** `resources` of `conf/policy.json` (platform §6.3): policies of properties, by resource path. */
export interface PolicyResource {
  /** `managed/user/*`; a star stands for one segment. */
  readonly resource: string
  readonly properties: readonly PolicyProperty[]
}

export interface PolicyProperty {
  /** `password`, `address/city`, `mails[*]`. */
  readonly name: string
  readonly policies: readonly PolicyReference[]
}

export function resourceFor(resources: readonly PolicyResource[], path: string): PolicyResource | undefined {
  return resources.find(({ resource }) => isOf(resource.split('/'), path.split('/')))
}

function isOf(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((segment, index) => segment === '*' || path[index] === '*' || segment === path[index])
  )
}

/**
 * The type with the policies of its resource added. What the type itself says about a policy wins over what the
 * resource says about the same one.
 */
export function withPolicies(type: ManagedType, resources: readonly PolicyResource[]): ManagedType {
  const resource = resourceFor(resources, `managed/${type.name}/*`)
  if (!resource || resource.properties.length === 0) return type
  return {
    ...type,
    schema: resource.properties.reduce(
      (schema, { name, policies }) => added(schema, stepsOf(name), policies) as ObjectSchema,
      type.schema ?? {},
    ),
  }
}

/** The elements of an array are written `name[*]`. */
function stepsOf(name: string): readonly string[] {
  return name
    .replace(/^\//, '')
    .split('/')
    .flatMap((step) => (step.endsWith('[*]') ? [step.slice(0, -3), '[*]'] : [step]))
}

function added(
  schema: PropertySchema,
  [step, ...rest]: readonly string[],
  policies: readonly PolicyReference[],
): PropertySchema {
  if (step === undefined) return { ...schema, policies: together(policies, schema.policies ?? []) }
  if (step === '[*]') return { ...schema, items: added(schema.items ?? {}, rest, policies) }
  const properties = schema.properties ?? {}
  const known = Object.hasOwn(properties, step) ? properties[step] : undefined
  return { ...schema, properties: { ...properties, [step]: added(known ?? {}, rest, policies) } }
}

function together(resource: readonly PolicyReference[], own: readonly PolicyReference[]): PolicyReference[] {
  const declared = new Set(own.map(({ policyId }) => policyId))
  return [...resource.filter(({ policyId }) => !declared.has(policyId)), ...own]
}

/** The resources of a document; anything malformed in it was found when it was read. */
export function resourcesOf({ resources }: JsonObject): readonly PolicyResource[] {
  return list(resources)
    .filter(isJsonObject)
    .map(({ resource, properties }) => ({
      resource: String(resource ?? ''),
      properties: list(properties)
        .filter(isJsonObject)
        .map(({ name, policies }) => ({
          name: String(name ?? ''),
          policies: list(policies) as PolicyReference[],
        })),
    }))
}

export function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}
