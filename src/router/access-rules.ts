import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { escapeStrayPercents, joinPath, normalizePath } from '../model/resource-path.ts'
import type { RoutedRequest } from './filter.ts'

/**
 * Rules of `conf/access.json` (platform §10): what external callers may do. A request is allowed if any entry grants it;
 * all others are refused. Internal calls are not checked.
 */
export interface AccessRule {
  readonly grantsPath: (request: Pick<RoutedRequest, 'path' | 'verb' | 'id'>) => boolean
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
      grantsPath: (request) =>
        granted.holds(request.path) && !excluded.some((pattern) => touches(pattern, request)),
      roles: roles && new Set([...roles].map(roleName)),
      methods: setOf(config.methods),
      actions: setOf(config.actions),
      customAuthz: text(config.customAuthz),
    }
  })
}

/** But for `customAuthz`. */
export function grants({ grantsPath, roles, methods, actions }: AccessRule, request: RoutedRequest): boolean {
  const { verb, action, context } = request
  return (
    grantsPath(request) &&
    (roles === undefined || context.roles.some((role) => roles.has(roleName(role)))) &&
    (methods === undefined || methods.has(verb)) &&
    (action === undefined || actions === undefined || actions.has(action.name))
  )
}

interface PathPattern {
  readonly holds: (path: string) => boolean
  /** For something below the path. */
  readonly holdsBelow: (path: string) => boolean
}

/** `*`, a path, or `managed/*` for everything below it. */
function pathPattern(configured: string): PathPattern {
  if (configured === '*') return { holds: () => true, holdsBelow: () => true }
  const pattern = configured.split('/').map(canonicalSegment).join('/')
  const all = pattern.endsWith('/*')
  const beginning = all ? pattern.slice(0, -1) : pattern
  const holds = (path: string) => (all ? path.startsWith(beginning) : path === pattern)
  return { holds, holdsBelow: (path) => holds(path) || beginning.startsWith(`${path}/`) }
}

/** A query answers what is below its path, and a create makes something there: what is refused to be read or changed alone is refused so, too. */
function touches(
  pattern: PathPattern,
  { path, verb, id }: Pick<RoutedRequest, 'path' | 'verb' | 'id'>,
): boolean {
  if (verb === 'query') return pattern.holdsBelow(path)
  // Which id the provider chooses is not known; it is none that a rule names.
  if (verb === 'create')
    return pattern.holds(path) || pattern.holds(`${path}/${id === undefined ? '' : joinPath(id)}`)
  return pattern.holds(path)
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
