import { v7 as timeOrderedId } from 'uuid'
import type { Json, JsonObject } from '../model/json.ts'
import { carriesCredentials, mask, namesSecret } from '../model/secrecy.ts'
import type { AuditEvent } from '../repository/repository.ts'
import type { Attempt, Exchange } from '../router/exchange.ts'

/** A name that must not be shown with its value, whoever made it up. */
export type NamesSecret = (name: string) => boolean

/** `audit/access` (platform §9): one request from outside. `now` is when it had been answered. */
export function accessEvent(exchange: Exchange, isSecret: NamesSecret, now: number): AuditEvent {
  const { userId, roles, server, client, secure, method, path, search, headers } = exchange
  const { operation, action, status, reason, elapsed, transactionId } = exchange
  const timestamp = new Date(now).toISOString()
  return {
    id: timeOrderedId(),
    topic: 'access',
    timestamp,
    content: {
      ...{ eventName: 'access', timestamp, transactionId, userId: userId ?? null, trackingIds: null },
      ...{ server: { ...server }, client: { ...client } },
      request: { protocol: 'CREST', operation, detail: action === undefined ? null : { action } },
      http: {
        request: {
          ...{ secure, method, path },
          queryParameters: queryParameters(search, isSecret),
          headers: shownHeaders(headers),
        },
      },
      response: {
        ...{ status: status < 400 ? 'SUCCESSFUL' : 'FAILED', statusCode: String(status) },
        detail: reason === undefined ? null : { reason },
        ...{ elapsedTime: Math.round(elapsed), elapsedTimeUnits: 'MILLISECONDS' },
      },
      roles: [...roles],
    },
  }
}

/** Names to all their values. A filter that speaks of a secret is masked as a whole: its values stand in it. */
function queryParameters(search: string, isSecret: NamesSecret): JsonObject {
  const shown: Record<string, Json[]> = {}
  for (const [name, value] of new URLSearchParams(search)) {
    const hidden = isSecret(name) || namesSecret(name) || mentions(value, isSecret)
    const values = Object.hasOwn(shown, name) ? (shown[name] as Json[]) : []
    // A key of its own even if it is called `__proto__`.
    Object.defineProperty(shown, name, {
      ...{ value: [...values, hidden ? mask : value], enumerable: true, configurable: true, writable: true },
    })
  }
  return shown
}

/** Whether the text has a secret's name as a word of its own, and a value beside it. */
function mentions(text: string, isSecret: NamesSecret): boolean {
  const words = text.match(/[\w$-]+/g) ?? []
  return (
    words.length > 1 && /[\s"'=:]/.test(text) && words.some((word) => isSecret(word) || namesSecret(word))
  )
}

/** Each with all its values; credentials are left out. */
function shownHeaders(headers: Exchange['headers']): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || carriesCredentials(name)
        ? []
        : [[name, Array.isArray(value) ? [...value] : [value]]],
    ),
  )
}

/** `audit/authentication`: credentials were looked at, and were right or not. */
export function authenticationEvent(attempt: Attempt, now: number): AuditEvent {
  const { username, address, successful, module, reason, transactionId } = attempt
  const timestamp = new Date(now).toISOString()
  const result = successful ? 'SUCCESSFUL' : 'FAILED'
  return {
    id: timeOrderedId(),
    topic: 'authentication',
    timestamp,
    content: {
      ...{ eventName: 'authentication', timestamp, transactionId, trackingIds: null },
      ...{ userId: username, result, principal: [username] },
      context: { ipAddress: address },
      entries: [{ moduleId: module, result, info: reason === undefined ? {} : { reason } }],
    },
  }
}
