import { asProblem } from '../../model/problem.ts'
import { isTrueLike } from '../../model/true-like.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import type { RoutedRequest } from '../filter.ts'
import { requestVariable } from './request-variable.ts'

/**
 * `customAuthz` of access rules (platform §10): an expression of JavaScript that sees `request`, `context` and
 * these functions, which are named as in the original. What fails, or is not true-like, grants nothing.
 */
const functions = `
function _list(value) { return typeof value === 'string' ? value.split(',').map(function (one) { return one.trim() }) : value || [] }
function _touched() {
  if (request.method === 'patch') return request.patchOperations.map(function (one) { return one.field.replace(/^\\//, '').split('/')[0] })
  if (request.method === 'action' && request.action === 'patch') return (request.content || []).map(function (one) { return one.field.replace(/^\\//, '').split('/')[0] })
  return Object.keys(request.content || {}).filter(function (name) { return name.charAt(0) !== '_' })
}
function ownDataOnly() {
  var security = context.security, authorization = security.authorization;
  var component = authorization.component || 'managed/user', path = request.resourcePath;
  var legible = function (id) { return encodeURIComponent(id).replace(/%(?:2C|3A|3B|3D|40)/g, decodeURIComponent) };
  var own = [authorization.id, security.authenticationId].filter(Boolean).map(function (id) { return component + '/' + legible(id) });
  return own.indexOf(path) >= 0
}
function disallowQueryExpression() { return !(request.queryExpression || request.additionalParameters._queryExpression) }
function disallowCommandAction() { return !(request.method === 'action' && request.action === 'command') }
function isQueryOneOf(allowed) {
  var ids = allowed[request.resourcePath];
  return request.method === 'query' && !!ids && ids.indexOf(request.queryId || request.additionalParameters._queryId) >= 0
}
function restrictPatchToFields(fields) {
  var allowed = _list(fields);
  return _touched().every(function (name) { return allowed.indexOf(name) >= 0 })
}
function onlyEditableManagedObjectProperties(type, more) {
  if (['create', 'update', 'patch', 'action'].indexOf(request.method) < 0) return true;
  var found = openidm.read('config/managed').objects.filter(function (one) { return one.name === type })[0];
  var properties = found && found.schema && found.schema.properties || {}, extra = _list(more);
  return _touched().every(function (name) { return extra.indexOf(name) >= 0 || !!properties[name] && properties[name].userEditable === true })
}
function managedUserRestrictedToAllowedRoles(allowedRoles) {
  if (!/^managed\\/user/.test(request.resourcePath) || _touched().every(function (name) { return name !== 'roles' })) return true;
  var allowed = _list(allowedRoles), asked = request.method === 'patch'
    ? request.patchOperations.filter(function (one) { return /^\\/?roles/.test(one.field) }).map(function (one) { return one.value })
    : [request.content.roles];
  return [].concat.apply([], asked.map(_list)).every(function (role) { return allowed.indexOf(role && role._ref || role) >= 0 })
}
// Of protected properties the object set itself asks for the password.
function reauthIfProtectedAttributeChange() { return true }
// There are neither workflows nor self-service.
function isSelfServiceRequest() { return false }
function checkIfAnyFeatureEnabled() { return false }
function isMyTask() { return false }
function canUpdateTask() { return false }
function isAllowedToStartProcess() { return false }
function isOneOfMyWorkflows() { return false }
`

export function customAuthorization(
  engine: ScriptEngine,
  log: (level: 'warn', message: string) => void,
): (expression: string, request: RoutedRequest) => Promise<boolean> {
  return async (expression, request) => {
    try {
      const variables = { request: requestVariable(request) }
      const value = await engine.evaluate(scriptOf(expression), variables, { request: request.context })
      return isTrueLike(value)
    } catch (error) {
      log('warn', `conf/access.json: customAuthz "${expression}" grants nothing: ${asProblem(error).message}`)
      return false
    }
  }
}

export function scriptOf(expression: string): ScriptSource {
  return { label: `customAuthz ${expression}`, source: `${functions};\n(${expression})`, globals: {} }
}
