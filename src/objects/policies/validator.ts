import { isJsonObject, type Json, type JsonObject, member } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { type ObjectSchema, type PropertySchema, propertiesOf } from '../type/type.ts'
import {
  type Check,
  type MappingExists,
  matchesRegexp,
  minimumLength,
  type PolicyRequirement,
  policies,
  type Validated,
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
  mappingExists: MappingExists = () => true,
): Validator {
  const validators = compileProperties(schema ?? {}, '')
  return (object, only) => {
    const failures: FailedProperty[] = []
    const about = { object, mappingExists }
    for (const { name, validate } of validators) {
      if (only === undefined || only.has(name)) validate(member(object, name), about, failures)
    }
    return failures
  }
}

/** POLICY_FAILED with the documented body; patches word it differently. */
export function policyFailure(failures: readonly FailedProperty[], operation: 'write' | 'patch'): Problem {
  const message = operation === 'patch' ? 'Failed policy validation' : 'Policy validation failed'
  return new Problem('POLICY_FAILED', message, {
    detail: { result: false, failedPolicyRequirements: oneEach(failures) },
  })
}

/** An entry for each policy that failed, as clients know them. */
export function oneEach(failures: readonly FailedProperty[]): FailedProperty[] {
  return failures.flatMap(({ property, policyRequirements }) =>
    policyRequirements.map((one) => ({ property, policyRequirements: [one] })),
  )
}

type ValidateProperty = (value: Json | undefined, about: Validated, failures: FailedProperty[]) => void

function compileProperties(schema: ObjectSchema, prefix: string) {
  // Older files say `true` or `false` at each property instead of a list.
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const declared = propertiesOf(schema)
  const undeclared = [...required].filter((name) => !Object.hasOwn(schema.properties ?? {}, name))
  return [...declared, ...undeclared.map((name) => [name, {}] as const)].map(([name, property]) => ({
    name,
    validate: compileProperty(property, required.has(name), `${prefix}${name}`),
  }))
}

function compileProperty(
  schema: PropertySchema,
  listedAsRequired: boolean,
  property: string,
): ValidateProperty {
  const check = compileValue(schema, listedAsRequired)
  const below = compileBelow(schema, property)
  return (value, about, failures) => {
    const failed = check(value, about)
    if (failed) failures.push({ property, policyRequirements: failed })
    else if (below && isJudged(schema, value)) below(value, about, failures)
  }
}

/** What is wrong with a value, but for what is in it; undefined: nothing is. */
export type ValueCheck = (value: Json | undefined, about: Validated) => PolicyRequirement[] | undefined

export function compileValue(schema: PropertySchema, listedAsRequired = false): ValueCheck {
  const presence = compilePresence(schema, listedAsRequired)
  const checks = compileChecks(schema)
  return (value, about) => {
    const missing = presence(value)
    if (missing) return [missing]
    return isJudged(schema, value) ? runChecks(checks, value, about) : undefined
  }
}

function isJudged(schema: PropertySchema, value: Json | undefined): value is Json {
  return value !== undefined && value !== null && !isSealed(schema, value)
}

/** What a hash stands for is unknown: it was judged when it came in clear. */
export function isSealed({ secureHash, encryption }: PropertySchema, value: Json | undefined): boolean {
  return Boolean(secureHash ?? encryption) && isJsonObject(value) && Object.hasOwn(value, '$crypto')
}

/** Allocates only when something is wrong, which is rare and hot paths are long. */
function runChecks(checks: readonly Check[], value: Json, about: Validated): PolicyRequirement[] | undefined {
  let failed: PolicyRequirement[] | undefined
  for (const check of checks) {
    const failure = check(value, about)
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
    // What is decided elsewhere is not among the built-in ones.
    ...(schema.policies ?? []).flatMap(({ policyId, params }) =>
      Object.hasOwn(policies, policyId) ? (policies[policyId]?.(params ?? {}) ?? []) : [],
    ),
  ]
}

/** About presence, above; of the repository, unique.ts; of who asks, validate.ts. */
export const decidedElsewhere: ReadonlySet<string> = new Set([
  ...['required', 'not-empty', 'unique', 'no-internal-user-conflict', 're-auth-required'],
])

export function isBuiltIn(policyId: string): boolean {
  return decidedElsewhere.has(policyId) || Object.hasOwn(policies, policyId)
}

function compileBelow(schema: PropertySchema, property: string): ValidateProperty | undefined {
  const members = compileProperties(schema, `${property}/`)
  if (members.length > 0) {
    return (value, about, failures) => {
      for (const { name, validate } of members) validate(member(value as JsonObject, name), about, failures)
    }
  }
  return schema.items && compileItems(schema.items, property)
}

function compileItems(items: PropertySchema, property: string): ValidateProperty | undefined {
  const validateItem = compileProperty(items, false, '')
  return (value, about, failures) => {
    if (!Array.isArray(value)) return
    value.forEach((element, index) => {
      const below: FailedProperty[] = []
      validateItem(element, about, below)
      failures.push(
        ...below.map((failure) => ({ ...failure, property: `${property}/${index}${failure.property}` })),
      )
    })
  }
}

function typesOf({ type }: PropertySchema): readonly string[] {
  return type === undefined ? [] : [type].flat()
}
