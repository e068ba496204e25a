import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'

/** The types of the fields that are checked (platform §9). */
const kinds: readonly {
  readonly names: readonly string[]
  readonly what: string
  fits(value: Json): boolean
}[] = [
  { names: ['server', 'client', 'request', 'http', 'response'], what: 'an object', fits: isJsonObject },
  {
    names: ['roles', 'principal', 'entries', 'trackingIds', 'changedFields'],
    what: 'an array',
    fits: Array.isArray,
  },
  { names: ['passwordChanged'], what: 'true or false', fits: (value) => typeof value === 'boolean' },
  {
    names: [
      ...['eventName', 'transactionId', 'userId', 'objectId', 'operation', 'status', 'reconId', 'entryType'],
      ...['mapping', 'linkQualifier', 'situation', 'action', 'sourceObjectId', 'targetObjectId', 'runAs'],
    ],
    what: 'a text',
    fits: (value) => typeof value === 'string',
  },
  {
    names: ['timestamp'],
    what: 'an ISO 8601 time',
    fits: (value) =>
      typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)),
  },
]

/** The required fields of each topic. */
const required: Readonly<Record<string, readonly string[]>> = {
  activity: ['objectId', 'operation'],
  authentication: ['result'],
  config: ['objectId', 'operation'],
}

/** Checks an entry that comes from outside. BAD_REQUEST names every wrong field; unknown fields are allowed. */
export function requireEntry(topic: string, entry: JsonObject): void {
  const wrong: string[] = []
  for (const name of required[topic] ?? [])
    if (entry[name] === undefined || entry[name] === null) wrong.push(`${name} is missing`)
  for (const [name, value = null] of Object.entries(entry)) {
    const kind = kinds.find(({ names }) => names.includes(name))
    if (kind && value !== null && !kind.fits(value)) wrong.push(`${name} must be ${kind.what}`)
  }
  const { result = 'SUCCESSFUL' } = entry
  if (topic === 'authentication' && result !== 'SUCCESSFUL' && result !== 'FAILED')
    wrong.push('result must be SUCCESSFUL or FAILED')
  if (wrong.length > 0)
    throw new Problem('BAD_REQUEST', `This is no entry of audit/${topic}: ${wrong.join('; ')}`)
}
