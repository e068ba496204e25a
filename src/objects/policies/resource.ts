import { copy } from '../../model/equality.ts'
import { asObject, isJsonObject, type JsonObject } from '../../model/json.ts'
import { parsePointer, setAt } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { joinPath, splitPath } from '../../model/resource-path.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import type { CompiledType } from '../type/compile.ts'
import { type ManagedType, type PolicyReference, type PropertySchema, propertiesOf } from '../type/type.ts'
import { conflicts } from '../write/unique.ts'
import { requirementsOf } from './built-in.ts'
import { refuseForeignSecrets } from './foreign-secrets.ts'
import type { OwnPolicies } from './project-policies.ts'
import { type PolicyResource, resourceFor, withPolicies } from './resources-with-policies.ts'
import { compileValidator, type FailedProperty, oneEach, type Validator } from './validator.ts'

export interface PolicyOptions {
  readonly repository: Repository
  /** With the policies of `conf/policy.json`. */
  readonly types: readonly CompiledType[]
  readonly resources: readonly PolicyResource[]
  readonly ownPolicies: OwnPolicies
}

/**
 * `policy/{resource}[/{id|*}]` (platform §2, §6.3): which policies the properties of a resource have, and what
 * would be wrong with an object or with single values, without writing anything.
 */
export class PolicyProvider implements ResourceProvider {
  readonly #options: PolicyOptions
  readonly #types: ReadonlyMap<string, CompiledType>

  constructor(options: PolicyOptions) {
    this.#options = options
    this.#types = new Map(options.types.map((compiled) => [compiled.type.name, compiled]))
  }

  async read(path: string) {
    if (path !== '') return { _id: this.#subject(path).id, ...this.#shown(path) }
    const paths = [...this.#types.keys()].map((name) => `managed/${name}/*`)
    const others = this.#options.resources.map(({ resource }) => resource)
    return { _id: '', resources: [...new Set([...paths, ...others])].map((one) => this.#shown(one)) }
  }

  async action(path: string, { name, content }: ResourceAction, request: RequestContext) {
    const subject = this.#subject(path)
    if (request.external) refuseForeignSecrets(asObject(content), await this.#stored(subject))
    if (!isJsonObject(content)) throw new Problem('BAD_REQUEST', `${name} needs an object to validate`)
    const failures = oneEach(await this.#failures(subject, name, content, request))
    return { result: failures.length === 0, failedPolicyRequirements: failures }
  }

  #subject(path: string): Subject {
    const [root, name = '', id = '*', ...more] = splitPath(path)
    const type = root === 'managed' && more.length === 0 ? this.#types.get(name) : undefined
    if (type)
      return { resource: `managed/${joinPath(name, id)}`, id, properties: schemaProperties(type.type), type }
    const { properties } = resourceFor(this.#options.resources, path) ?? { properties: [] }
    return { resource: path, id, properties }
  }

  #shown(path: string): JsonObject {
    const { resource, properties } = this.#subject(path)
    const all = (policies: readonly PolicyReference[] = []) => policies.map((one) => this.#shownPolicy(one))
    return {
      resource,
      properties: properties.map(({ name, policies, conditionalPolicies, fallbackPolicies }) => ({
        name,
        policies: all(policies),
        conditionalPolicies:
          conditionalPolicies?.map((one) => ({ ...one, policies: all(one.policies) })) ?? null,
        fallbackPolicies: fallbackPolicies ? all(fallbackPolicies) : null,
        policyRequirements: [...new Set(all(policies).flatMap((one) => one.policyRequirements))],
      })),
    }
  }

  #shownPolicy({ policyId, params = {} }: PolicyReference) {
    const { policyFunction, policyRequirements } = this.#options.ownPolicies.known.get(policyId) ?? {}
    return {
      ...{ policyId, params, ...(policyFunction !== undefined && { policyFunction }) },
      policyRequirements: [...(policyRequirements ?? requirementsOf(policyId))],
    }
  }

  async #failures(
    subject: Subject,
    action: string,
    content: JsonObject,
    request: RequestContext,
  ): Promise<readonly FailedProperty[]> {
    switch (action) {
      case 'validateObject':
        return this.#failuresOf(subject, content, undefined, request)
      case 'validateProperty': {
        const { object, properties } = valuesIn(content)
        const whole = copy({ ...(await this.#stored(subject)), ...object })
        for (const [name, value] of Object.entries(properties))
          setAt(whole, parsePointer(name), value ?? null)
        const names = Object.keys(properties)
        const only = new Set(names.map((name) => parsePointer(name)[0] ?? name))
        const failures = await this.#failuresOf(subject, whole, only, request)
        return failures.filter(({ property }) => names.some((name) => isAtOrBelow(property, name)))
      }
      default:
        throw new Problem(
          'BAD_REQUEST',
          `unknown action ${action} on policy; allowed: validateObject, validateProperty`,
        )
    }
  }

  async #failuresOf(
    { type, id, resource, properties }: Subject,
    object: JsonObject,
    only: ReadonlySet<string> | undefined,
    request: RequestContext,
  ): Promise<readonly FailedProperty[]> {
    if (!type) return validatorOf(properties)(object, only)
    const { collection, unique, noInternalUsers, validate, scriptedPolicies, encryption } = type
    const opened = await encryption.decrypt(object)
    const concerned = (names: readonly string[]) => names.filter((name) => !only || only.has(name))
    const asked = { collection, unique: concerned(unique), noInternalUsers: concerned(noInternalUsers) }
    const candidate = { id, content: opened }
    const failed = await conflicts(this.#options.repository.objects, asked, [candidate])
    return [
      ...validate(opened, only),
      ...(failed.get(candidate) ?? []),
      ...((await scriptedPolicies?.(opened, { resourcePath: resource, only, request })) ?? []),
    ]
  }

  async #stored({ type, id }: Subject): Promise<JsonObject | undefined> {
    const { objects } = this.#options.repository
    return type && id !== '*' ? (await objects.read(type.collection, [id])).get(id) : undefined
  }
}

/** What a path is about. */
interface Subject {
  readonly resource: string
  readonly id: string
  readonly properties: readonly ShownProperty[]
  /** Undefined: policies are shown, and nothing else is known. */
  readonly type?: CompiledType
}

type ShownProperty = { readonly name: string; readonly policies: readonly PolicyReference[] } & Pick<
  PropertySchema,
  'conditionalPolicies' | 'fallbackPolicies'
>

function validatorOf(properties: PolicyResource['properties']): Validator {
  return compileValidator(withPolicies({ name: '' }, [{ resource: 'managed//*', properties }]).schema)
}

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
    ...(required ? [{ policyId: 'required' }] : []),
    ...(required || minLength ? [{ policyId: 'not-empty' }] : []),
    ...(minLength ? [{ policyId: 'minimum-length', params: { minLength } }] : []),
    ...(pattern ? [{ policyId: 'regexpMatches', params: { regexp: pattern } }] : []),
    ...(types.length > 0 ? [{ policyId: 'valid-type', params: { types } }] : []),
  ]
}

/** The values to validate, or, with the object that they belong to, `{object, properties}`. */
function valuesIn(content: JsonObject): { readonly object: JsonObject; readonly properties: JsonObject } {
  const { object, properties, ...more } = content
  return isJsonObject(object) && isJsonObject(properties) && Object.keys(more).length === 0
    ? { object, properties }
    : { object: {}, properties: content }
}

function isAtOrBelow(property: string, name: string): boolean {
  const pointer = parsePointer(name).join('/')
  return property === pointer || property.startsWith(`${pointer}/`)
}
