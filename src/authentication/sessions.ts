import { randomBytes, randomUUID } from 'node:crypto'
import type { Log } from '../kit/log.ts'
import { Mutex } from '../kit/mutex.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { messageOf } from '../model/problem.ts'
import type { Settings } from '../repository/settings.ts'
import type { Identity, Success } from './login-module.ts'

/** How long sessions last (platform §10, `JWT_SESSION`). Milliseconds. */
export interface SessionSettings {
  /** From the login, whatever happens. */
  readonly longest: number
  /** Without a request. */
  readonly idle: number
}

export const standardSessions: SessionSettings = { longest: 120 * 60_000, idle: 30 * 60_000 }

/** What a valid token says. */
export interface Session {
  /** Of the login: all tokens of a session have the same. */
  readonly id: string
  /** The module that knew the user. */
  readonly module: string
  readonly identity: Identity
  readonly basis: string | undefined
  /** Milliseconds since 1970. */
  readonly begun: number
  readonly issued: number
}

interface Tools {
  readonly settings: Settings
  readonly secrets: {
    encrypt(value: Json, cipher: string | null, alias: string): Promise<JsonObject>
    decrypt(value: Json): Promise<Json>
  }
  readonly log: Log
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/**
 * Sessions of people who have logged in. A token (JWT, RFC 7519, HS256) says who they are; the key is kept encrypted in the store,
 * so that sessions survive a restart. A session has an id that the server draws at login: nobody can be given one beforehand. Those
 * that were ended by a logout are remembered until their tokens are too old anyway.
 */
export class Sessions {
  readonly #tools: Tools
  readonly #turn = new Mutex()
  readonly #now: () => number
  #key: Promise<Uint8Array> | undefined

  constructor(tools: Tools) {
    this.#tools = tools
    this.#now = tools.now ?? Date.now
  }

  /** The first token of a new session. */
  async begin(module: string, { identity, basis }: Success, settings: SessionSettings): Promise<string> {
    const begun = this.#now()
    return this.#signed({ id: randomUUID(), module, identity, basis, begun, issued: begun }, settings)
  }

  /** A token that lasts longer, for a session that is in use. */
  async prolong(session: Session, settings: SessionSettings): Promise<string> {
    return this.#signed({ ...session, issued: this.#now() }, settings)
  }

  /** Undefined: not a token of this server, too old, or ended. */
  async read(token: string): Promise<Session | undefined> {
    const session = await this.#verified(token)
    return session && !(session.id in (await this.#ended())) ? session : undefined
  }

  /** From now on none of its tokens is valid. */
  async end({ id }: Pick<Session, 'id'>): Promise<void> {
    await this.#turn.run(async () => {
      const others = Object.entries(await this.#ended()).filter(([, until]) => Number(until) > this.#now())
      const ended = { ...Object.fromEntries(others), [id]: this.#now() + longestEver }
      await this.#tools.settings.write('sessions.ended', ended)
    })
  }

  async #signed(session: Session, { longest, idle }: SessionSettings): Promise<string> {
    const { id, module, identity, basis, begun, issued } = session
    const { userId, roles, account } = identity
    const until = Math.min(begun + longest, issued + idle)
    const { SignJWT } = await import('jose')
    return new SignJWT({ module, roles, account, basis, begun })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(issuer)
      .setSubject(userId)
      .setJti(id)
      .setIssuedAt(Math.floor(issued / 1000))
      .setExpirationTime(Math.floor(until / 1000))
      .sign(await this.#secret())
  }

  async #verified(token: string): Promise<Session | undefined> {
    const secret = await this.#secret()
    const { jwtVerify } = await import('jose')
    try {
      const { payload } = await jwtVerify(token, secret, {
        ...{ algorithms: ['HS256'], issuer, currentDate: new Date(this.#now()) },
        requiredClaims: ['sub', 'jti', 'iat', 'exp'],
      })
      return sessionOf(payload as JsonObject)
    } catch {
      return undefined
    }
  }

  async #ended(): Promise<JsonObject> {
    return asObject(await this.#tools.settings.read('sessions.ended'))
  }

  /** The key of this installation; a new one, which ends all sessions, where there is none that opens. */
  #secret(): Promise<Uint8Array> {
    this.#key ??= this.#turn.run(async () => (await this.#storedKey()) ?? this.#newKey())
    this.#key.catch(() => {
      this.#key = undefined
    })
    return this.#key
  }

  async #storedKey(): Promise<Uint8Array | undefined> {
    const { settings, secrets, log } = this.#tools
    const stored = await settings.read('sessions.key')
    if (stored === undefined) return undefined
    try {
      const opened = await secrets.decrypt(stored)
      return typeof opened === 'string' ? Buffer.from(opened, 'base64url') : undefined
    } catch (error) {
      log('warn', `all sessions have ended, because their key does not open: ${messageOf(error)}`)
      return undefined
    }
  }

  async #newKey(): Promise<Uint8Array> {
    const { settings, secrets } = this.#tools
    const key = randomBytes(32)
    await settings.write('sessions.key', await secrets.encrypt(key.toString('base64url'), null, 'sessions'))
    return key
  }
}

const issuer = 'syncline'

/** An ended session is remembered longer than any settings let a token live. */
const longestEver = 30 * 24 * 60 * 60_000

function sessionOf({ jti, sub, iat, module, roles, account, basis, begun }: JsonObject): Session | undefined {
  if (typeof jti !== 'string' || typeof sub !== 'string' || typeof module !== 'string') return undefined
  if (!Array.isArray(roles) || typeof begun !== 'number' || typeof iat !== 'number') return undefined
  const { component, id } = isJsonObject(account) ? account : {}
  const its = typeof component === 'string' && typeof id === 'string' ? { account: { component, id } } : {}
  return {
    ...{ id: jti, module, begun, issued: iat * 1000 },
    identity: { userId: sub, roles: roles.map(String), ...its },
    basis: typeof basis === 'string' ? basis : undefined,
  }
}
