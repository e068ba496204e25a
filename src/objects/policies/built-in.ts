import { parseFilter } from '../../model/filter/parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'

/**
 * The built-in policies (platform §6.3): each takes its parameters once and becomes a check of a value
 * that is there. What absence means (`required`, `not-empty`) and what other objects have (`unique`) is decided in
 * validator.ts and unique.ts; the policies of the project itself are in project-policies.ts.
 */
export interface PolicyRequirement extends JsonObject {
  policyRequirement: string
  params?: JsonObject
}

export type Check = (value: Json, about: Validated) => PolicyRequirement | undefined
export type Policy = (params: JsonObject) => Check

/** The whole object, for policies that compare properties, and what some policies ask besides it. */
export interface Validated {
  readonly object: JsonObject
  readonly mappingExists: MappingExists
}

export type MappingExists = (name: string) => boolean

/** One line a policy: its id in configurations, and what it makes of its parameters. */
export const policies: Readonly<Record<string, Policy>> = {
  'valid-type': ({ types }) => validType(texts(types)),
  'minimum-length': ({ minLength }) => minimumLength(Number(minLength)),
  'maximum-length': ({ maxLength }) => maximumLength(Number(maxLength)),
  regexpMatches: ({ regexp, flags }) => matchesRegexp(String(regexp), typeof flags === 'string' ? flags : ''),
  'valid-email-address-format': () => format(emailAddress, 'VALID_EMAIL_ADDRESS_FORMAT'),
  'valid-phone-format': () => format(phoneNumber, 'VALID_PHONE_FORMAT'),
  'valid-name-format': () => format(personName, 'VALID_NAME_FORMAT'),
  'valid-date': () => validDate,
  'at-least-X-capitals': ({ numCaps }) =>
    atLeast(Number(numCaps), /\p{Lu}/gu, {
      policyRequirement: 'AT_LEAST_X_CAPITAL_LETTERS',
      params: { numCaps },
    }),
  'at-least-X-numbers': ({ numNums }) =>
    atLeast(Number(numNums), /\d/g, { policyRequirement: 'AT_LEAST_X_NUMBERS', params: { numNums } }),
  'cannot-contain-characters': ({ forbiddenChars }) => cannotContainCharacters(characters(forbiddenChars)),
  'cannot-contain-others': ({ disallowedFields }) => cannotContainOthers(names(disallowedFields)),
  'cannot-contain-duplicates': () => cannotContainDuplicates,
  'mapping-exists': () => onText((text, { mappingExists }) => mappingExists(text), 'MAPPING_EXISTS'),
  'valid-username': () => onText(isUserName, 'VALID_USERNAME'),
  'valid-query-filter': () => onText(isQueryFilter, 'VALID_QUERY_FILTER'),
  'valid-temporal-constraints': () => validTemporalConstraints,
  'valid-number': () => (value) => failing(isNumber(value), { policyRequirement: 'VALID_NUMBER' }),
  'minimum-number': ({ minNumber }) => {
    const failure = { policyRequirement: 'MIN_NUMBER', params: { minNumber } }
    return (value) => failing(!isNumber(value) || Number(value) >= Number(minNumber), failure)
  },
  'maximum-number': ({ maxNumber }) => {
    const failure = { policyRequirement: 'MAX_NUMBER', params: { maxNumber } }
    return (value) => failing(!isNumber(value) || Number(value) <= Number(maxNumber), failure)
  },
  'valid-array-items': ({ types }) => {
    const validItem = validType(texts(types))
    return (value, about) =>
      Array.isArray(value) && value.some((item) => validItem(item, about))
        ? { policyRequirement: 'VALID_ARRAY_ITEMS', params: { validTypes: [...texts(types)] } }
        : undefined
  },
  'max-attempts-triggers-lock-cooldown': ({ max, numMinutes, dateTimeField }) =>
    maxAttempts(Number(max), Number(numMinutes), String(dateTimeField)),
}

/**
 * What clients are told that a policy may require: the id in capitals, but for a few (platform §6.3).
 * Policies of the project say so themselves.
 */
export function requirementsOf(policyId: string): readonly string[] {
  return [otherRequirements[policyId] ?? policyId.replace(/-/g, '_').toUpperCase()]
}

const otherRequirements: Readonly<Record<string, string>> = {
  'not-empty': 'REQUIRED',
  'no-internal-user-conflict': 'UNIQUE',
  regexpMatches: 'MATCH_REGEXP',
  'at-least-X-capitals': 'AT_LEAST_X_CAPITAL_LETTERS',
  'minimum-length': 'MIN_LENGTH',
  'maximum-length': 'MAX_LENGTH',
  'minimum-number': 'MIN_NUMBER',
  'maximum-number': 'MAX_NUMBER',
  're-auth-required': 'REAUTH_REQUIRED',
  'max-attempts-triggers-lock-cooldown': 'NO_MORE_THAN_X_ATTEMPTS_WITHIN_Y_MINUTES',
}

/** A value's JSON type as schemas call it; a whole number is an `integer` and a `number`. */
export function validType(types: readonly string[]): Check {
  const requirement = (value: Json): PolicyRequirement => ({
    policyRequirement: 'VALID_TYPE',
    params: { invalidType: typeName(value), validTypes: [...types] },
  })
  return (value) => (types.some((type) => isOfType(value, type)) ? undefined : requirement(value))
}

function isOfType(value: Json, type: string): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value)
    case 'object':
    case 'relationship':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}

function typeName(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

export function minimumLength(minLength: number): Check {
  const failure = { policyRequirement: 'MIN_LENGTH', params: { minLength } }
  return (value) => (lengthOf(value) < minLength ? failure : undefined)
}

function maximumLength(maxLength: number): Check {
  const failure = { policyRequirement: 'MAX_LENGTH', params: { maxLength } }
  return (value) => (hasLength(value) && lengthOf(value) > maxLength ? failure : undefined)
}

/** What has no length is not too short: `valid-type` complains about it. */
function lengthOf(value: Json): number {
  return hasLength(value) ? value.length : Number.POSITIVE_INFINITY
}

function hasLength(value: Json): value is string | Json[] {
  return typeof value === 'string' || Array.isArray(value)
}

export function matchesRegexp(regexp: string, flags = ''): Check {
  // A global or sticky expression remembers where it stopped, and would answer differently every second time.
  const pattern = new RegExp(regexp, flags.replace(/[gy]/g, ''))
  const failure = { policyRequirement: 'MATCH_REGEXP', params: { regexp, ...(flags && { flags }) } }
  return (value) => (typeof value !== 'string' || pattern.test(value) ? undefined : failure)
}

const emailAddress = /^[^\s@"(),:;<>[\]\\]+@[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u
const phoneNumber = /^\+?[0-9\-. ()/]*$/
const personName = /^[\p{L}\p{M}'’ .-]+$/u

function format(pattern: RegExp, policyRequirement: string): Check {
  const failure = { policyRequirement }
  return (value) => (value === '' || (typeof value === 'string' && pattern.test(value)) ? undefined : failure)
}

const validDate: Check = (value) =>
  value === '' || (typeof value === 'string' && !Number.isNaN(Date.parse(value)))
    ? undefined
    : { policyRequirement: 'VALID_DATE' }

function atLeast(count: number, pattern: RegExp, failure: PolicyRequirement): Check {
  return (value) =>
    typeof value === 'string' && (value.match(pattern)?.length ?? 0) < count ? failure : undefined
}

function cannotContainCharacters(forbiddenChars: readonly string[]): Check {
  const failure = {
    policyRequirement: 'CANNOT_CONTAIN_CHARACTERS',
    params: { forbiddenChars: [...forbiddenChars] },
  }
  return (value) =>
    typeof value === 'string' && forbiddenChars.some((character) => value.includes(character))
      ? failure
      : undefined
}

/** E.g. a password that contains the user's name, whatever the case. */
function cannotContainOthers(disallowedFields: readonly string[]): Check {
  return (value, { object }) => {
    if (typeof value !== 'string') return undefined
    const text = value.toLowerCase()
    const contained = disallowedFields.find((field) => {
      const other = object[field]
      return typeof other === 'string' && other !== '' && text.includes(other.toLowerCase())
    })
    return contained === undefined
      ? undefined
      : { policyRequirement: 'CANNOT_CONTAIN_OTHERS', params: { disallowedFields: contained } }
  }
}

const cannotContainDuplicates: Check = (value) => {
  if (typeof value !== 'string') return undefined
  const seen = new Set<string>()
  for (const character of value) {
    if (seen.has(character)) {
      return { policyRequirement: 'CANNOT_CONTAIN_DUPLICATES', params: { duplicateValue: character } }
    }
    seen.add(character)
  }
  return undefined
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value)
    ? value.map(String)
    : value === undefined || value === null
      ? []
      : [String(value)]
}

/** A comma list, or an array. */
function names(value: Json | undefined): readonly string[] {
  return texts(value).flatMap((text) => text.split(',').map((name) => name.trim()))
}

function characters(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [...String(value ?? '')]
}

function failing(holds: boolean, failure: PolicyRequirement): PolicyRequirement | undefined {
  return holds ? undefined : failure
}

/** Texts that are there; `valid-type` complains about anything else. */
function onText(holds: (text: string, about: Validated) => boolean, policyRequirement: string): Check {
  return (value, about) =>
    failing(typeof value !== 'string' || value === '' || holds(value, about), { policyRequirement })
}

/** It becomes an id, and so a segment of a path. */
function isUserName(text: string): boolean {
  return !/[\p{Cc}/]/u.test(text) && text.trim() === text && text !== '.' && text !== '..'
}

function isQueryFilter(text: string): boolean {
  try {
    parseFilter(text)
    return true
  } catch {
    return false
  }
}

function isNumber(value: Json): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value))
}

/** `[{"duration": "2026-01-01T00:00:00Z/2026-12-31T00:00:00Z"}]`, at most one, and the end comes after the start. */
const validTemporalConstraints: Check = (value) => {
  const constraints = Array.isArray(value) ? value : [value]
  return failing(constraints.length <= 1 && constraints.every(isDuration), {
    policyRequirement: 'VALID_TEMPORAL_CONSTRAINTS',
  })
}

function isDuration(constraint: Json): boolean {
  if (!isJsonObject(constraint) || typeof constraint.duration !== 'string') return false
  const [start = '', end = '', ...more] = constraint.duration.split('/')
  return more.length === 0 && Date.parse(start) < Date.parse(end)
}

/** A counter of failed attempts may exceed its limit again once the last one is long enough ago. */
function maxAttempts(max: number, numMinutes: number, dateTimeField: string): Check {
  const failure = {
    policyRequirement: 'NO_MORE_THAN_X_ATTEMPTS_WITHIN_Y_MINUTES',
    params: { max, numMinutes },
  }
  return (value, { object }) => {
    const last = Date.parse(String(object[dateTimeField] ?? ''))
    const cooling = last + numMinutes * 60_000 > Date.now()
    return failing(!(typeof value === 'number' && value > max && cooling), failure)
  }
}
