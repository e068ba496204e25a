import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'

/** The types of the fields that are not texts (platform §9). */
const kinds: Readonly<Record<string, (value: Json) => string | undefined>> = {
  ...named(['server', 'client', 'request', 'http', 'response'], (value) => isJsonObject(value), 'an object'),
  ...named(['roles', 'principal', 'entries', 'trackingIds', 'changedFields'], Array.isArray, 'an array'),
  ...named(['passwordChanged'], (value) => typeof value === 'boolean', 'true or false'),
  ...named(
    [
      ...['eventName', 'transactionId', 'userId', 'objectId', 'operation', 'status', 'reconId', 'entryType'],
      ...['mapping', 'linkQualifier', 'situation', 'action', 'sourceObjectId', 'targetObjectId', 'runAs'],
    ],
    (value) => typeof value === 'string',
    'a text',
  ),
  ...named(
    ['timestamp'],
    (value) =>
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)),
    'an ISO 8601 time',
  ),
}

/** The required fields of each topic. */
const required: Readonly<Record<string, readonly string[]>> = {
  access: [],
  activity: ['objectId', 'operation'],
  authentication: ['result'],
  config: ['objectId', 'operation'],
  recon: [],
  sync: [],
}

/** Checks an entry that comes from outside. BAD_REQUEST names every wrong field; unknown fields are allowed. */
export function requireEntry(topic: string, entry: JsonObject): void {
  const wrong: string[] = []
  for (const name of required[topic] ?? [])
    if (entry[name] === undefined || entry[name] === null) wrong.push(`${name} is missing`)
  for (const [name, value] of Object.entries(entry)) {
    if (value === undefined || value === null || !Object.hasOwn(kinds, name)) continue
    const fault = kinds[name]?.(value)
    if (fault !== undefined) wrong.push(`${name} must be ${fault}`)
  }
  if (topic === 'authentication' && entry.result !== undefined && !isResult(entry.result))
    wrong.push('result must be SUCCESSFUL or FAILED')
  if (wrong.length > 0)
    throw new Problem('BAD_REQUEST', `This is no entry of audit/${topic}: ${wrong.join('; ')}`)
}

function isResult(value: Json): boolean {
  return value === 'SUCCESSFUL' || value === 'FAILED'
}

function named(names: readonly string[], fits: (value: Json) => boolean, what: string) {
  const check = (value: Json) => (fits(value) ? undefined : what)
  return Object.fromEntries(names.map((name) => [name, check]))
}
