import { type Json, type JsonObject, member } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import {
  type Check,
  matchesRegexp,
  minimumLength,
  type PolicyRequirement,
  policies,
  validType,
} from './policies.ts'
import { type ObjectSchema, type PolicyReference, type PropertySchema, propertiesOf } from './type.ts'

/**
 * Compiles a type's schema into one function that says what is wrong with an object (platform specification §6.3).
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
export function compileValidator(schema: ObjectSchema | undefined): Validator {
  const validators = compileProperties(schema ?? {}, '')
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

type ValidateProperty = (value: Json | undefined, object: JsonObject, failures: FailedProperty[]) => void

interface PropertyValidator {
  readonly name: string
  readonly validate: ValidateProperty
}

function compileProperties(schema: ObjectSchema, prefix: string): readonly PropertyValidator[] {
  const required = new Set(schema.required ?? [])
  const declared = propertiesOf(schema).map(([name, property]) => ({
    name,
    validate: compileProperty(property, required.has(name), `${prefix}${name}`),
  }))
  const undeclared = [...required].filter((name) => !Object.hasOwn(schema.properties ?? {}, name))
  return [
    ...declared,
    ...undeclared.map((name) => ({ name, validate: compileProperty({}, true, `${prefix}${name}`) })),
  ]
}

function compileProperty(
  schema: PropertySchema,
  listedAsRequired: boolean,
  property: string,
): ValidateProperty {
  const presence = compilePresence(schema, listedAsRequired)
  const checks = compileChecks(schema)
  const below = compileBelow(schema, property)
  return (value, object, failures) => {
    const missing = presence(value)
    if (missing) failures.push({ property, policyRequirements: [missing] })
    if (missing || value === undefined || value === null) return
    const failed = runChecks(checks, value, object)
    if (failed) failures.push({ property, policyRequirements: failed })
    else below?.(value, object, failures)
  }
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

function compileChecks(schema: PropertySchema): readonly Check[] {
  const types = typesOf(schema)
  return [
    ...(types.length > 0 ? [validType(types)] : []),
    ...(schema.minLength ? [minimumLength(schema.minLength)] : []),
    ...(schema.pattern ? [matchesRegexp(schema.pattern)] : []),
    ...(schema.policies ?? []).filter(({ policyId }) => !decidedElsewhere.has(policyId)).map(compilePolicy),
  ]
}

/** `unique` needs the repository: unique.ts. The others are about presence: above. */
export const decidedElsewhere: ReadonlySet<string> = new Set(['required', 'not-empty', 'unique'])

function compilePolicy({ policyId, params }: PolicyReference): Check {
  const policy = Object.hasOwn(policies, policyId) ? policies[policyId] : undefined
  if (!policy) throw new Problem('CONFIGURATION', `There is no policy "${policyId}"`)
  return policy(params ?? {})
}

function compileBelow(schema: PropertySchema, property: string): ValidateProperty | undefined {
  const members = compileProperties(schema, `${property}/`)
  if (members.length > 0) {
    return (value, object, failures) => {
      for (const { name, validate } of members) validate(member(value as JsonObject, name), object, failures)
    }
  }
  return schema.items && compileItems(schema.items, property)
}

function compileItems(items: PropertySchema, property: string): ValidateProperty | undefined {
  const validateItem = compileProperty(items, false, '')
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
