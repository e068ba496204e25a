import { copy } from '../../model/equality.ts'
import { isJsonObject, type JsonObject } from '../../model/json.ts'
import { parsePointer, setAt } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import type { CompiledType } from '../type/compile.ts'
import { compileType, type TypeParts } from '../type/compile.ts'
import { type ManagedType, type PolicyReference, type PropertySchema, propertiesOf } from '../type/type.ts'
import { conflicts } from '../write/unique.ts'
import { requirementsOf } from './built-in.ts'
import { refuseForeignSecrets } from './foreign-secrets.ts'
import type { OwnPolicies } from './project-policies.ts'
import { type PolicyResource, resourceFor, withPolicies } from './resources-with-policies.ts'
import { compileValidator, type FailedProperty, mergeFailures, type Validator } from './validator.ts'

/**
 * `policy/{resource}[/{id|*}]` (platform §2, §6.3): which policies the properties of a resource have, and what
 * would be wrong with an object or with single values, without writing anything.
 */
export function policyProvider(options: {
  readonly repository: Repository
  /** With the policies of `conf/policy.json`. */
  readonly types: readonly ManagedType[]
  readonly resources: readonly PolicyResource[]
  readonly ownPolicies: OwnPolicies
  readonly partsOf: (type: ManagedType) => TypeParts
}): ResourceProvider {
  const { repository, types, resources, partsOf } = options
  const { known } = options.ownPolicies
  const compiled = new Map(types.map((type) => [type.name, compileType(type, true, partsOf(type))]))

  function subject(path: string): Subject {
    const [root, name = '', id = '*', ...more] = splitPath(path)
    const type = root === 'managed' && more.length === 0 ? compiled.get(name) : undefined
    if (type) {
      const validate = (object: JsonObject, only: Only, request: RequestContext) =>
        failuresOf(type, repository, id, object, only, request)
      const properties = schemaProperties(type.type)
      return { resource: `managed/${name}/${id}`, id, properties, type, validate }
    }
    const own = resourceFor(resources, path) ?? { resource: path, properties: [] }
    const schema = withPolicies({ name: '' }, [{ ...own, resource: 'managed//*' }]).schema
    const validator: Validator = compileValidator(schema)
    return {
      resource: path,
      id,
      properties: own.properties.map(({ name, policies }) => ({ name, policies })),
      validate: async (object, only) => validator(object, only),
    }
  }

  return {
    async read(path) {
      if (path !== '') {
        const found = subject(path)
        return { _id: found.id, ...shown(known, found) }
      }
      const paths = [...compiled.keys()].map((name) => `managed/${name}/*`)
      const others = resources.map(({ resource }) => resource).filter((one) => !paths.includes(one))
      return { _id: '', resources: [...paths, ...others].map((one) => shown(known, subject(one))) }
    },
    async action(path, action, request) {
      const found = subject(path)
      if (request.external)
        refuseForeignSecrets(
          isJsonObject(action.content) ? action.content : {},
          await storedObject(found, repository),
        )
      const failures = mergeFailures(await validated(found, action, request, repository))
      return { result: failures.length === 0, failedPolicyRequirements: [...failures] }
    },
  }
}

type Only = ReadonlySet<string> | undefined
type Known = OwnPolicies['known']

function requirements(known: Known, policyId: string): readonly string[] {
  return known.get(policyId)?.policyRequirements ?? requirementsOf(policyId)
}

function shownPolicy(known: Known, { policyId, params = {} }: PolicyReference): JsonObject {
  const policyFunction = known.get(policyId)?.policyFunction
  return {
    policyId,
    params,
    ...(policyFunction !== undefined && { policyFunction }),
    policyRequirements: [...requirements(known, policyId)],
  }
}

function shown(known: Known, { resource, properties }: Pick<Subject, 'resource' | 'properties'>): JsonObject {
  const all = (policies: readonly PolicyReference[] = []) => policies.map((one) => shownPolicy(known, one))
  return {
    resource,
    properties: properties.map(({ name, policies, conditionalPolicies, fallbackPolicies }) => ({
      name,
      policies: all(policies),
      conditionalPolicies:
        conditionalPolicies?.map((one) => ({ ...one, policies: all(one.policies) })) ?? null,
      fallbackPolicies: fallbackPolicies ? all(fallbackPolicies) : null,
      policyRequirements: [...new Set(policies.flatMap(({ policyId }) => requirements(known, policyId)))],
    })),
  }
}

interface Subject {
  readonly resource: string
  readonly id: string
  readonly properties: readonly ShownProperty[]
  readonly type?: CompiledType
  validate(object: JsonObject, only: Only, request: RequestContext): Promise<readonly FailedProperty[]>
}

type ShownProperty = { readonly name: string; readonly policies: readonly PolicyReference[] } & Pick<
  PropertySchema,
  'conditionalPolicies' | 'fallbackPolicies'
>

/** The properties that any policy concerns, what their schema amounts to among them. */
function schemaProperties({ schema }: ManagedType): readonly ShownProperty[] {
  const required = new Set(schema?.required ?? [])
  return propertiesOf(schema)
    .map(([name, property]) => ({
      name,
      policies: [...derived(property, required.has(name)), ...(property.policies ?? [])],
      ...(property.conditionalPolicies?.length ? { conditionalPolicies: property.conditionalPolicies } : {}),
      ...(property.fallbackPolicies?.length ? { fallbackPolicies: property.fallbackPolicies } : {}),
    }))
    .filter((one) => one.policies.length > 0 || one.conditionalPolicies || one.fallbackPolicies)
}

function derived(property: PropertySchema, required: boolean): readonly PolicyReference[] {
  const { type, minLength, pattern } = property
  const types = type === undefined ? [] : [type].flat()
  return [
    ...(required ? [{ policyId: 'required' }, { policyId: 'not-empty' }] : []),
    ...(!required && minLength ? [{ policyId: 'not-empty' }] : []),
    ...(minLength ? [{ policyId: 'minimum-length', params: { minLength } }] : []),
    ...(pattern ? [{ policyId: 'regexpMatches', params: { regexp: pattern } }] : []),
    ...(types.length > 0 ? [{ policyId: 'valid-type', params: { types } }] : []),
  ]
}

async function failuresOf(
  compiled: CompiledType,
  { objects }: Repository,
  id: string,
  object: JsonObject,
  only: Only,
  request: RequestContext,
): Promise<readonly FailedProperty[]> {
  const { collection, unique, noInternalUsers, validate, scriptedPolicies, encryption } = compiled
  const opened = await encryption.decrypt(object)
  const concerned = (names: readonly string[]) => names.filter((name) => !only || only.has(name))
  const asked = { collection, unique: concerned(unique), noInternalUsers: concerned(noInternalUsers) }
  const candidate = { id, content: opened }
  const conflictsOf = await conflicts(objects, asked, [candidate])
  const about = { resourcePath: `${collection}/${id}`, only, request }
  return [
    ...validate(opened, only),
    ...conflictsOf(candidate),
    ...((await scriptedPolicies?.(opened, about)) ?? []),
  ]
}

async function validated(
  subject: Subject,
  { name, content }: ResourceAction,
  request: RequestContext,
  repository: Repository,
): Promise<readonly FailedProperty[]> {
  if (!isJsonObject(content)) throw new Problem('BAD_REQUEST', `${name} needs an object to validate`)
  switch (name) {
    case 'validateObject':
      return subject.validate(content, undefined, request)
    case 'validateProperty': {
      const { object, properties } = stated(content)
      const whole: JsonObject = copy({ ...(await storedObject(subject, repository)), ...object })
      for (const [name, value] of Object.entries(properties)) setAt(whole, parsePointer(name), value ?? null)
      const names = Object.keys(properties)
      const failures = await subject.validate(whole, new Set(names.map(firstOf)), request)
      return failures.filter(({ property }) => names.some((name) => isAtOrBelow(property, name)))
    }
    default:
      throw new Problem(
        'BAD_REQUEST',
        `unknown action ${name} on policy; allowed: validateObject, validateProperty`,
      )
  }
}

/** The values to validate, or, with the object that they belong to, `{object, properties}`. */
function stated(content: JsonObject): { readonly object: JsonObject; readonly properties: JsonObject } {
  const { object, properties, ...more } = content
  return isJsonObject(object) && isJsonObject(properties) && Object.keys(more).length === 0
    ? { object, properties }
    : { object: {}, properties: content }
}

function firstOf(name: string): string {
  return parsePointer(name)[0] ?? name
}

function isAtOrBelow(property: string, name: string): boolean {
  const pointer = parsePointer(name).join('/')
  return property === pointer || property.startsWith(`${pointer}/`)
}

async function storedObject({ type, id }: Subject, { objects }: Repository): Promise<JsonObject | undefined> {
  return type && id !== '*' ? (await objects.read(type.collection, [id])).get(id) : undefined
}
