import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { joinPath } from '../../model/resource-path.ts'

/**
 * The functions that a `customAuthz` expression may call (docs/access.md), with the names of OpenIDM. They run in the
 * sandbox, too, where `openidm` and `context` are globals.
 */
declare const openidm: { read(path: string): JsonObject | null }
declare const context: { readonly security: SecurityContext }

interface SecurityContext {
  readonly authenticationId?: string
  readonly authorization: { readonly id?: string; readonly component?: string | null }
}

type Call = (script: string, variables: Readonly<Record<string, unknown>>) => unknown

/** {script, request} → the value of the expression. */
function authorized() {
  return ({ script, request }: { readonly script: string; readonly request: JsonObject }, call: Call) =>
    call(script, { request, ...functionsFor(request) }) as Json | undefined
}

export const program = { address: import.meta.url, procedures: { authorized } }

function functionsFor(request: JsonObject) {
  const { method, resourcePath, action } = request
  const path = String(resourcePath)
  const parameters = object(request.additionalParameters)
  const isOneOf = (names: readonly Json[]) => (name: string) => names.includes(name)
  return {
    ownDataOnly: () => ownPaths(context.security).includes(path),
    disallowQueryExpression: () => !(request.queryExpression || parameters._queryExpression),
    disallowCommandAction: () => !(method === 'action' && action === 'command'),
    isQueryOneOf(allowed: JsonObject) {
      const ids = Object.hasOwn(allowed, path) ? listed(allowed[path]) : []
      return method === 'query' && ids.includes(request.queryId || (parameters._queryId ?? null))
    },
    restrictPatchToFields: (fields?: Json) => touched(request).every(isOneOf(listed(fields))),
    onlyEditableManagedObjectProperties(type: string, more?: Json) {
      if (!['create', 'update', 'patch', 'action'].includes(String(method))) return true
      const properties = propertiesOf(type)
      const isEditable = (name: string) =>
        Object.hasOwn(properties, name) && object(properties[name]).userEditable === true
      return touched(request).every((name) => listed(more).includes(name) || isEditable(name))
    },
    managedUserRestrictedToAllowedRoles(allowedRoles?: Json) {
      if (!path.startsWith('managed/user') || !touched(request).includes('roles')) return true
      const allowed = listed(allowedRoles)
      return rolesIn(request).every((role) =>
        allowed.includes(isJsonObject(role) && role._ref ? role._ref : role),
      )
    },
    // The object set itself requires the password for protected properties.
    reauthIfProtectedAttributeChange: () => true,
    // There are neither workflows nor self-service.
    isSelfServiceRequest: () => false,
    checkIfAnyFeatureEnabled: () => false,
    isMyTask: () => false,
    canUpdateTask: () => false,
    isAllowedToStartProcess: () => false,
    isOneOfMyWorkflows: () => false,
  }
}

function ownPaths({ authorization, authenticationId }: SecurityContext): readonly string[] {
  const component = authorization.component || 'managed/user'
  return [authorization.id, authenticationId].flatMap((id) => (id ? [`${component}/${joinPath(id)}`] : []))
}

/** The properties that a request changes. */
function touched({ method, action, patchOperations, content }: JsonObject): readonly string[] {
  if (method === 'patch') return fieldsOf(patchOperations)
  if (method === 'action' && action === 'patch') return fieldsOf(content)
  return Object.keys(object(content)).filter((name) => !name.startsWith('_'))
}

function fieldsOf(operations: Json | undefined): readonly string[] {
  return listed(operations).map((one) => String(object(one).field).replace(/^\//, '').split('/')[0] ?? '')
}

function rolesIn({ method, patchOperations, content }: JsonObject): readonly Json[] {
  if (method !== 'patch') return listed(object(content).roles)
  return listed(patchOperations)
    .map(object)
    .filter(({ field }) => /^\/?roles/.test(String(field)))
    .flatMap(({ value }) =>
      Array.isArray(value) || typeof value === 'string' ? listed(value) : [value ?? null],
    )
}

function propertiesOf(type: string): JsonObject {
  const { objects } = object(openidm.read('config/managed'))
  const found = listed(objects)
    .map(object)
    .find(({ name }) => name === type)
  return object(object(found?.schema).properties)
}

/** A list, or a text with commas. */
function listed(value: Json | undefined): readonly Json[] {
  if (typeof value === 'string') return value.split(',').map((one) => one.trim())
  return Array.isArray(value) ? value : []
}

function object(value: Json | undefined | null): JsonObject {
  return isJsonObject(value) ? value : {}
}
