import { createHash } from 'node:crypto'
import type { errors } from 'jose'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { messageOf, Problem } from '../model/problem.ts'
import type { Resources } from '../router/resources.ts'
import { accountOf, identityOf } from './accounts.ts'
import type { BearerSettings, Introspection, SignedTokens } from './bearer-settings.ts'
import type { Identity } from './login-module.ts'

/** Says who a token stands for: UNAUTHORIZED if for nobody, UNAVAILABLE if that cannot be found out. */
export type BearerLogin = (token: string) => Promise<Identity>

/** What a token says of itself, once it is known to be valid. */
type Claims = (token: string) => Promise<JsonObject>

/** Milliseconds in which an authorization server has to answer. */
const patience = 10_000

/** Tokens of an authorization server (RFC 6750). */
export function bearerLogin(settings: BearerSettings, resources: () => Resources): BearerLogin {
  const { validation } = settings
  const claimsOf = validation.kind === 'jwks' ? signed(validation) : introspected(validation)
  return async (token) => {
    const claims = await claimsOf(token)
    requireScopes(settings.scopes, claims)
    return subjectOf(settings, claims, resources())
  }
}

async function subjectOf(
  settings: BearerSettings,
  claims: JsonObject,
  resources: Resources,
): Promise<Identity> {
  const subject = String(claims.sub ?? claims.username ?? claims.client_id ?? '')
  const fixed = settings.fixed.find((one) => one.subject === subject)
  if (fixed) return { userId: fixed.userId, roles: fixed.roles }
  for (const set of settings.sets) {
    const value = claims[set.claim]
    const account = typeof value === 'string' ? await accountOf(set, value, resources) : undefined
    if (account) return identityOf(set, account, subject)
  }
  if (settings.unknownRoles) return { userId: subject || 'anonymous', roles: settings.unknownRoles }
  throw refused(`its subject ${JSON.stringify(subject)} is no user here`)
}

/** Scopes are a text with blanks (RFC 6749, section 3.3), from some servers a list. */
function requireScopes(required: readonly string[], { scope, scp }: JsonObject): void {
  const given = scope ?? scp ?? ''
  const all = new Set(Array.isArray(given) ? given.map(String) : String(given).split(' '))
  const missing = required.filter((one) => !all.has(one))
  if (missing.length > 0) throw refused(`it lacks the scope ${missing.join(' ')}`)
}

function signed({ url, issuer, audience }: SignedTokens): Claims {
  const open = async () => {
    const jose = await import('jose')
    return { ...jose, keys: jose.createRemoteJWKSet(new URL(url), { timeoutDuration: patience }) }
  }
  let opened: ReturnType<typeof open> | undefined
  const options = { issuer, ...(audience !== undefined && { audience }), requiredClaims: ['exp'], algorithms }
  return async (token) => {
    opened ??= open()
    const { jwtVerify, keys, errors } = await opened
    try {
      return asObject((await jwtVerify(token, keys, options)).payload)
    } catch (error) {
      if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError))
        throw unreachable(url, error)
      throw refused(reasonOf(error, errors))
    }
  }
}

/** Those with a key of two halves: a key of the server that is known to all must not be one that signs. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

function reasonOf(error: errors.JOSEError, known: typeof errors): string {
  if (error instanceof known.JWTExpired) return 'it has expired'
  if (error instanceof known.JWTClaimValidationFailed)
    return `its claim ${JSON.stringify(error.claim)} is not the one that is expected`
  if (error instanceof known.JWKSNoMatchingKey) return 'no key of the authorization server has signed it'
  if (error instanceof known.JWSSignatureVerificationFailed) return 'its signature is wrong'
  return 'it is no token of the authorization server'
}

function introspected({ url, clientId, clientSecret, cachedFor }: Introspection): Claims {
  const known = new Map<string, { readonly claims: JsonObject; readonly until: number }>()
  const authorization = `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`
  return async (token) => {
    const digest = createHash('sha256').update(token).digest('base64')
    const before = known.get(digest)
    if (before && Date.now() < before.until) return before.claims
    const claims = await asked(url, authorization, token)
    const expires = typeof claims.exp === 'number' ? claims.exp * 1000 : Number.POSITIVE_INFINITY
    if (claims.active !== true || expires <= Date.now()) throw refused('it is not valid, or has expired')
    known.delete(digest)
    if (cachedFor > 0) known.set(digest, { claims, until: Math.min(expires, Date.now() + cachedFor) })
    const oldest = known.keys().next().value
    if (known.size > mostKnown && oldest !== undefined) known.delete(oldest)
    return claims
  }
}

const mostKnown = 10_000

async function asked(url: string, authorization: string, token: string): Promise<JsonObject> {
  let answer: Json
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', redirect: 'error', signal: AbortSignal.timeout(patience) },
      headers: {
        authorization,
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    })
    if (!response.ok) throw new Error(`it answered with ${response.status}`)
    answer = (await response.json()) as Json
  } catch (error) {
    throw unreachable(url, error)
  }
  return isJsonObject(answer) ? answer : {}
}

function refused(reason: string): Problem {
  return new Problem('UNAUTHORIZED', `The token is refused: ${reason}`, {
    hint: 'Ask the authorization server for a new token, with the scopes that rsFilter of conf/authentication.json names.',
  })
}

function unreachable(url: string, cause: unknown): Problem {
  return new Problem(
    'UNAVAILABLE',
    `The authorization server cannot be asked at ${url}: ${messageOf(cause)}`,
    { cause },
  )
}
