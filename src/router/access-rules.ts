import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { escapeStrayPercents, normalizePath } from '../model/resource-path.ts'
import { authorize } from './authorization.ts'
import type { RoutedRequest, RouterFilter } from './filter.ts'

/**
 * Rules of `conf/access.json` (platform §10): what external callers may do. A request is allowed if any entry grants it;
 * all others are refused. Internal calls are not checked.
 */
export interface AccessRule {
  readonly grantsPath: (path: string) => boolean
  /** Undefined: all roles. The same for methods and actions. */
  readonly roles: ReadonlySet<string> | undefined
  readonly methods: ReadonlySet<string> | undefined
  readonly actions: ReadonlySet<string> | undefined
  /** An expression that must be true-like. */
  readonly customAuthz: string | undefined
}

export function accessRules({ configs }: JsonObject): readonly AccessRule[] {
  return (Array.isArray(configs) ? configs : []).filter(isJsonObject).map((config) => {
    const excluded = words(config.excludePatterns).map(pathPattern)
    const granted = pathPattern(text(config.pattern) ?? '*')
    const roles = setOf(config.roles)
    return {
      grantsPath: (path) => granted(path) && !excluded.some((matches) => matches(path)),
      roles: roles && new Set([...roles].map(roleName)),
      methods: setOf(config.methods),
      actions: setOf(config.actions),
      customAuthz: text(config.customAuthz),
    }
  })
}

/** The filter of these rules; `judge` evaluates an expression about the request. */
export function authorizeByRules(
  rules: readonly AccessRule[],
  judge: (expression: string, request: RoutedRequest) => Promise<boolean>,
): RouterFilter {
  return authorize(async (request) => {
    for (const rule of rules) {
      if (!concerns(rule, request)) continue
      if (rule.customAuthz === undefined || (await judge(rule.customAuthz, request))) return true
    }
    return false
  })
}

function concerns(
  { grantsPath, roles, methods, actions }: AccessRule,
  { path, verb, action, context }: RoutedRequest,
): boolean {
  return (
    grantsPath(path) &&
    (roles === undefined || context.roles.some((role) => roles.has(roleName(role)))) &&
    (methods === undefined || methods.has(verb)) &&
    (action === undefined || actions === undefined || actions.has(action.name))
  )
}

/** `*`, a path, or `managed/*` for everything below it. */
function pathPattern(configured: string): (path: string) => boolean {
  if (configured === '*') return () => true
  const pattern = configured.split('/').map(canonicalSegment).join('/')
  if (!pattern.endsWith('/*')) return (path) => path === pattern
  const beginning = pattern.slice(0, -1)
  return (path) => path.startsWith(beginning)
}

/** Patterns are compared with canonical paths, so they are made canonical, too: `a b` and `a%20b` are the same. */
function canonicalSegment(segment: string): string {
  return segment === '' ? '' : normalizePath(escapeStrayPercents(segment))
}

/** Newer configurations write roles as references. */
function roleName(role: string): string {
  return role.replace(/^(?:repo\/)?internal\/role\//, '')
}

function setOf(value: Json | undefined): ReadonlySet<string> | undefined {
  const all = words(value)
  return all.length === 0 || all.includes('*') ? undefined : new Set(all)
}

function words(value: Json | undefined): readonly string[] {
  const configured = Array.isArray(value) ? value.map(String) : (text(value)?.split(',') ?? [])
  return configured.map((word) => word.trim()).filter((word) => word !== '')
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
