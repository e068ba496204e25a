import type { Json, JsonObject } from '../model/json.ts'
import { carriesCredentials, mask, namesSecret } from '../model/secrecy.ts'
import type { AuditEvent } from '../repository/audit.ts'
import type { Attempt, Exchange } from '../router/exchange.ts'
import { auditEvent } from './events.ts'
import { shortened } from './sampling.ts'

/** True for names whose values must not be shown, wherever the name comes from. */
export type NamesSecret = (name: string) => boolean

/**
 * `audit/access`: one external request. `now` is the time of its answer; `leftOut`, how many requests of unknown callers were not
 * recorded before it.
 */
export function accessEvent(exchange: Exchange, isSecret: NamesSecret, now: number, leftOut = 0): AuditEvent {
  const { userId = null, roles, server, client, secure, method, path, search, headers } = exchange
  const { operation, action, status, reason, elapsed, transactionId } = exchange
  const request = {
    ...{ secure, method, path },
    queryParameters: queryParameters(search, isSecret),
    headers: shownHeaders(headers),
  }
  return auditEvent.access({
    ...{ userId, transactionId, timestamp: new Date(now).toISOString(), roles, operation, reason, elapsed },
    detail: detailOf({ ...(action === undefined ? {} : { action }), ...(leftOut > 0 && { leftOut }) }),
    ...{ succeeded: status < 400, statusCode: status },
    connection: { server: { ...server }, client: { ...client }, http: { request } },
  })
}

function detailOf(detail: JsonObject): JsonObject | null {
  return Object.keys(detail).length > 0 ? detail : null
}

/** Names with all their values. A filter that names a secret is masked as a whole, because it contains its values. */
function queryParameters(search: string, isSecret: NamesSecret): JsonObject {
  const shown: Record<string, Json[]> = {}
  for (const [name, value] of new URLSearchParams(search)) {
    const hidden = isSecret(name) || namesSecret(name) || mentions(value, isSecret)
    const values = Object.hasOwn(shown, name) ? (shown[name] as Json[]) : []
    // An own key, even if the name is `__proto__`.
    Object.defineProperty(shown, name, {
      ...{ value: [...values, hidden ? mask : value], enumerable: true, configurable: true, writable: true },
    })
  }
  return shown
}

/** True if the text contains a secret's name as a separate word, with a value. */
function mentions(text: string, isSecret: NamesSecret): boolean {
  const words = text.match(/[\w$-]+/g) ?? []
  return (
    words.length > 1 && /[\s"'=:]/.test(text) && words.some((word) => isSecret(word) || namesSecret(word))
  )
}

/** Each header with all its values; credentials are left out. */
function shownHeaders(headers: Exchange['headers']): JsonObject {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || carriesCredentials(name)
        ? []
        : [[name, Array.isArray(value) ? [...value] : [value]]],
    ),
  )
}

/** `audit/authentication`: credentials were checked, with or without success. */
export function authenticationEvent(attempt: Attempt, now: number, leftOut = 0): AuditEvent {
  const timestamp = new Date(now).toISOString()
  const username = shortened(attempt.username)
  return auditEvent.authentication({ ...attempt, username, userId: username, timestamp, leftOut })
}
