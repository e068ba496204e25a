import { isJsonObject, type Json, type JsonObject, member } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { type ObjectSchema, type PolicyReference, type PropertySchema, propertiesOf } from '../type/type.ts'
import {
  anyPolicyContext,
  type Check,
  matchesRegexp,
  minimumLength,
  type PolicyContext,
  type PolicyRequirement,
  policies,
  validType,
} from './built-in.ts'

/**
 * Compiles a type's schema into one function that says what is wrong with an object (platform §6.3).
 * Compiled once, because it runs for every object of a reconciliation.
 *
 * Null: where a property is not required, null means the same as absent and passes every policy; a required
 * property must not be null unless its `type` lists null. Properties that the schema does not name are accepted.
 */
export type Validator = (object: JsonObject, only?: ReadonlySet<string>) => readonly FailedProperty[]

export interface FailedProperty extends JsonObject {
  property: string
  policyRequirements: PolicyRequirement[]
}

/** `only` restricts validation to these top-level properties, as a patch does. */
export function compileValidator(
  schema: ObjectSchema | undefined,
  context: PolicyContext = anyPolicyContext,
): Validator {
  const validators = compileProperties(schema ?? {}, '', context)
  return (object, only) => {
    const failures: FailedProperty[] = []
    for (const { name, validate } of validators) {
      if (only === undefined || only.has(name)) validate(member(object, name), object, failures)
    }
    return failures
  }
}

/** POLICY_FAILED with the documented body; patches word it differently. */
export function policyFailure(failures: readonly FailedProperty[], operation: 'write' | 'patch'): Problem {
  const message = operation === 'patch' ? 'Failed policy validation' : 'Policy validation failed'
  return new Problem('POLICY_FAILED', message, {
    detail: { result: false, failedPolicyRequirements: failures },
  })
}

/** What several policies say, each property once. */
export function mergeFailures(failures: readonly FailedProperty[]): readonly FailedProperty[] {
  const merged = new Map<string, FailedProperty>()
  for (const { property, policyRequirements } of failures) {
    const known = merged.get(property)?.policyRequirements ?? []
    merged.set(property, { property, policyRequirements: [...known, ...policyRequirements] })
  }
  return [...merged.values()]
}

export type ValidateProperty = (
  value: Json | undefined,
  object: JsonObject,
  failures: FailedProperty[],
) => void

interface PropertyValidator {
  readonly name: string
  readonly validate: ValidateProperty
}

function compileProperties(
  schema: ObjectSchema,
  prefix: string,
  context: PolicyContext,
): readonly PropertyValidator[] {
  // Older files say `true` or `false` at each property instead of a list.
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const declared = propertiesOf(schema).map(([name, property]) => ({
    name,
    validate: compileProperty(property, required.has(name), `${prefix}${name}`, context),
  }))
  const undeclared = [...required].filter((name) => !Object.hasOwn(schema.properties ?? {}, name))
  return [
    ...declared,
    ...undeclared.map((name) => ({
      name,
      validate: compileProperty({}, true, `${prefix}${name}`, context),
    })),
  ]
}

export function compileProperty(
  schema: PropertySchema,
  listedAsRequired: boolean,
  property: string,
  context: PolicyContext,
): ValidateProperty {
  const presence = compilePresence(schema, listedAsRequired)
  const checks = compileChecks(schema, context)
  const below = compileBelow(schema, property, context)
  return (value, object, failures) => {
    const missing = presence(value)
    if (missing) failures.push({ property, policyRequirements: [missing] })
    if (missing || value === undefined || value === null || isSealed(schema, value)) return
    const failed = runChecks(checks, value, object)
    if (failed) failures.push({ property, policyRequirements: failed })
    else below?.(value, object, failures)
  }
}

/** What a hash stands for is unknown: it was judged when it came in clear. */
export function isSealed({ secureHash, encryption }: PropertySchema, value: Json | undefined): boolean {
  return Boolean(secureHash ?? encryption) && isJsonObject(value) && Object.hasOwn(value, '$crypto')
}

/** Allocates only when something is wrong, which is rare and hot paths are long. */
function runChecks(
  checks: readonly Check[],
  value: Json,
  object: JsonObject,
): PolicyRequirement[] | undefined {
  let failed: PolicyRequirement[] | undefined
  for (const check of checks) {
    const failure = check(value, object)
    if (failure) failed = [...(failed ?? []), failure]
  }
  return failed
}

const REQUIRED: PolicyRequirement = { policyRequirement: 'REQUIRED' }

function compilePresence(
  schema: PropertySchema,
  listedAsRequired: boolean,
): (value: Json | undefined) => PolicyRequirement | undefined {
  const ids = new Set(schema.policies?.map(({ policyId }) => policyId))
  const required = listedAsRequired || schema.required === (true as unknown) || ids.has('required')
  const notEmpty = required || ids.has('not-empty')
  const nullable = typesOf(schema).includes('null')
  return (value) => {
    if (value === undefined) return required ? REQUIRED : undefined
    if (value === null) return required && !nullable ? REQUIRED : undefined
    return notEmpty && value === '' ? REQUIRED : undefined
  }
}

function compileChecks(schema: PropertySchema, context: PolicyContext): readonly Check[] {
  const types = typesOf(schema)
  return [
    ...(types.length > 0 ? [validType(types)] : []),
    ...(schema.minLength ? [minimumLength(schema.minLength)] : []),
    ...(schema.pattern ? [matchesRegexp(schema.pattern)] : []),
    ...(schema.policies ?? []).flatMap((reference) => compilePolicy(reference, context) ?? []),
  ]
}

/** About presence, above; of the repository, unique.ts; of who asks, protected.ts. */
export const decidedElsewhere: ReadonlySet<string> = new Set([
  ...['required', 'not-empty', 'unique', 'no-internal-user-conflict', 're-auth-required'],
])

export function isBuiltIn(policyId: string): boolean {
  return decidedElsewhere.has(policyId) || Object.hasOwn(policies, policyId)
}

/** Undefined for what is decided elsewhere: policies of the project in scripted-policies.ts. */
function compilePolicy({ policyId, params }: PolicyReference, context: PolicyContext): Check | undefined {
  return Object.hasOwn(policies, policyId) ? policies[policyId]?.(params ?? {}, context) : undefined
}

function compileBelow(
  schema: PropertySchema,
  property: string,
  context: PolicyContext,
): ValidateProperty | undefined {
  const members = compileProperties(schema, `${property}/`, context)
  if (members.length > 0) {
    return (value, object, failures) => {
      for (const { name, validate } of members) validate(member(value as JsonObject, name), object, failures)
    }
  }
  return schema.items && compileItems(schema.items, property, context)
}

function compileItems(
  items: PropertySchema,
  property: string,
  context: PolicyContext,
): ValidateProperty | undefined {
  const validateItem = compileProperty(items, false, '', context)
  return (value, object, failures) => {
    if (!Array.isArray(value)) return
    value.forEach((element, index) => {
      const below: FailedProperty[] = []
      validateItem(element, object, below)
      failures.push(
        ...below.map((failure) => ({ ...failure, property: `${property}/${index}${failure.property}` })),
      )
    })
  }
}

function typesOf({ type }: PropertySchema): readonly string[] {
  return type === undefined ? [] : typeof type === 'string' ? [type] : type
}
