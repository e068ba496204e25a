import type { Finding } from '../model/finding.ts'
import { asObject, elementsOf, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { AccountSet } from './accounts.ts'
import { roleNames } from './login-module.ts'

/** `rsFilter` of `conf/authentication.json`: tokens of an authorization server (platform §10). */
export interface BearerSettings {
  readonly validation: Introspection | SignedTokens
  /** A token must have all of them. */
  readonly scopes: readonly string[]
  /** Those who are no objects: by subject. The first counts. */
  readonly fixed: readonly FixedSubject[]
  /** Where the objects of subjects are; the first that has one counts. */
  readonly sets: readonly SubjectSet[]
  /** The roles of a valid token whose subject is nobody here. Undefined: it is refused. */
  readonly unknownRoles: readonly string[] | undefined
}

/** The authorization server is asked about each token (RFC 7662). */
export interface Introspection {
  readonly kind: 'introspection'
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  /** Milliseconds for which an answer counts; 0: it is asked each time. */
  readonly cachedFor: number
}

/** Tokens are JWTs whose signature is checked here, with the keys of the server (RFC 7517, RFC 9068). */
export interface SignedTokens {
  readonly kind: 'jwks'
  readonly url: string
  readonly issuer: string
  readonly audience: string | undefined
}

interface FixedSubject {
  readonly subject: string
  readonly userId: string
  readonly roles: readonly string[]
}

/** Whose `nameProperty` is compared with a claim of the token. */
export interface SubjectSet extends AccountSet {
  readonly claim: string
}

type Read = { readonly settings?: BearerSettings; readonly findings: readonly Finding[] }

/** Nobody is let in by half of a configuration: what is missing is found, and no token is accepted then. */
export function bearerSettings(content: Json | undefined): Read {
  if (content === undefined || content === null) return { findings: [] }
  const filter = asObject(content)
  const validation = validationOf(filter)
  if ('message' in validation) return { findings: [validation] }
  const settings: BearerSettings = {
    validation,
    scopes: elementsOf(filter.scopes ?? []).map(String),
    fixed: objects(filter.staticUserMapping).flatMap(fixedSubject),
    sets: objects(filter.subjectMapping).map(subjectSet),
    unknownRoles: isJsonObject(filter.anonymousUserMapping)
      ? rolesIn(filter.anonymousUserMapping)
      : undefined,
  }
  const leadsSomewhere = settings.fixed.length + settings.sets.length > 0 || settings.unknownRoles
  if (leadsSomewhere) return { settings, findings: [] }
  const message =
    'no token leads to a user: add "subjectMapping", "staticUserMapping" or "anonymousUserMapping"; until then none is accepted'
  return { findings: [{ place: ['rsFilter'], severity: 'warning', message }] }
}

function validationOf(filter: JsonObject): Introspection | SignedTokens | Finding {
  const { clientId, clientSecret, tokenIntrospectUrl, jwksUri, issuer, audience, cache } = filter
  if (typeof jwksUri === 'string') {
    if (!isUrl(jwksUri)) return wrongUrl('jwksUri')
    // Without it, tokens that the same keys sign for others would be taken.
    if (typeof issuer !== 'string' || issuer === '')
      return { place: ['rsFilter'], message: '"jwksUri" needs "issuer", which tokens must name' }
    return {
      kind: 'jwks',
      url: jwksUri,
      issuer,
      audience: typeof audience === 'string' ? audience : undefined,
    }
  }
  if (typeof tokenIntrospectUrl !== 'string')
    return {
      place: ['rsFilter'],
      message: '"rsFilter" needs "tokenIntrospectUrl", or "jwksUri" and "issuer"',
    }
  if (!isUrl(tokenIntrospectUrl)) return wrongUrl('tokenIntrospectUrl')
  if (typeof clientId !== 'string' || typeof clientSecret !== 'string')
    return { place: ['rsFilter'], message: '"tokenIntrospectUrl" needs "clientId" and "clientSecret"' }
  const cachedFor = milliseconds(asObject(cache).maxTimeout)
  return { kind: 'introspection', url: tokenIntrospectUrl, clientId, clientSecret, cachedFor }
}

function fixedSubject(mapping: JsonObject): readonly FixedSubject[] {
  const { subject = mapping.idpUser, localUser } = mapping
  if (typeof subject !== 'string') return []
  const userId = typeof localUser === 'string' ? (localUser.split('/').at(-1) ?? subject) : subject
  return [{ subject, userId, roles: rolesIn(mapping) }]
}

/** `propertyMapping` names the property of an object for a claim: `{"sub": "_id"}`. */
function subjectSet({ queryOnResource, propertyMapping, userRoles, defaultRoles }: JsonObject): SubjectSet {
  const [claim, property] = Object.entries(asObject(propertyMapping)).find(
    ([, value]) => typeof value === 'string',
  ) ?? ['sub', '_id']
  return {
    path: typeof queryOnResource === 'string' ? queryOnResource : 'managed/user',
    claim,
    nameProperty: String(property),
    // Newer configurations write it as a field to be returned: `authzRoles/*`.
    rolesProperty: typeof userRoles === 'string' ? userRoles.replace(/\/\*$/, '') : undefined,
    defaultRoles: roleNames(defaultRoles),
  }
}

function rolesIn({ roles, userRoles }: JsonObject): readonly string[] {
  return roleNames(roles ?? userRoles)
}

function objects(value: Json | undefined): readonly JsonObject[] {
  return elementsOf(value ?? []).filter(isJsonObject)
}

/** `300 seconds`, `5 minutes`, or milliseconds. */
function milliseconds(value: Json | undefined): number {
  if (typeof value === 'number') return Math.max(0, value)
  const [, amount, unit = ''] = /^(\d+) *([a-z]*)$/i.exec(typeof value === 'string' ? value : '') ?? []
  const factor = /^m(in|$)/i.test(unit)
    ? 60_000
    : /^s|^$/i.test(unit)
      ? 1_000
      : /^h/i.test(unit)
        ? 3_600_000
        : 1
  return amount === undefined ? 0 : Number(amount) * factor
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function wrongUrl(property: string): Finding {
  return {
    place: ['rsFilter', property],
    message: `"${property}" must be the address of a server: https://…`,
  }
}
