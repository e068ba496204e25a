import { patternOf } from '../../kit/pattern.ts'
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
  'valid-email-address-format': () => format('VALID_EMAIL_ADDRESS_FORMAT', (text) => emailAddress.test(text)),
  'valid-phone-format': () => format('VALID_PHONE_FORMAT', (text) => phoneNumber.test(text)),
  'valid-name-format': () => format('VALID_NAME_FORMAT', (text) => personName.test(text)),
  'valid-date': () => format('VALID_DATE', (text) => !Number.isNaN(Date.parse(text))),
  'at-least-X-capitals': ({ numCaps }) =>
    check('AT_LEAST_X_CAPITAL_LETTERS', atLeast(Number(numCaps), /\p{Lu}/gu), { numCaps }),
  'at-least-X-numbers': ({ numNums }) =>
    check('AT_LEAST_X_NUMBERS', atLeast(Number(numNums), /\d/g), { numNums }),
  'cannot-contain-characters': ({ forbiddenChars }) => cannotContainCharacters(characters(forbiddenChars)),
  'cannot-contain-others': ({ disallowedFields }) => cannotContainOthers(names(disallowedFields)),
  'cannot-contain-duplicates': () => cannotContainDuplicates,
  'mapping-exists': () => onText('MAPPING_EXISTS', (text, { mappingExists }) => mappingExists(text)),
  'valid-username': () => onText('VALID_USERNAME', isUserName),
  'valid-query-filter': () => onText('VALID_QUERY_FILTER', isQueryFilter),
  'valid-temporal-constraints': () => check('VALID_TEMPORAL_CONSTRAINTS', areTemporalConstraints),
  'valid-number': () => check('VALID_NUMBER', isNumber),
  'minimum-number': ({ minNumber }) =>
    check('MIN_NUMBER', (value) => !isNumber(value) || Number(value) >= Number(minNumber), { minNumber }),
  'maximum-number': ({ maxNumber }) =>
    check('MAX_NUMBER', (value) => !isNumber(value) || Number(value) <= Number(maxNumber), { maxNumber }),
  'valid-array-items': ({ types }) => validArrayItems(texts(types)),
  'max-attempts-triggers-lock-cooldown': ({ max, numMinutes, dateTimeField }) =>
    maxAttempts(Number(max), Number(numMinutes), String(dateTimeField)),
}

/**
 * What a policy may require, as clients see it: the id in capitals, but for a few (platform §6.3).
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

type Holds<V = Json> = (value: V, about: Validated) => boolean

/** The failure is the same for every value for which it does not hold. */
function check(policyRequirement: string, holds: Holds, params?: JsonObject): Check {
  const failure = { policyRequirement, ...(params && { params }) }
  return (value, about) => (holds(value, about) ? undefined : failure)
}

export function minimumLength(minLength: number): Check {
  return check('MIN_LENGTH', (value) => !(hasLength(value) && value.length < minLength), { minLength })
}

function maximumLength(maxLength: number): Check {
  return check('MAX_LENGTH', (value) => !(hasLength(value) && value.length > maxLength), { maxLength })
}

/** What has no length is not too short: `valid-type` complains about it. */
function hasLength(value: Json): value is string | Json[] {
  return typeof value === 'string' || Array.isArray(value)
}

export function matchesRegexp(regexp: string, flags = ''): Check {
  const pattern = patternOf(regexp, flags)
  const params = { regexp, ...(flags && { flags }) }
  return check('MATCH_REGEXP', (value) => typeof value !== 'string' || pattern.test(value), params)
}

const emailAddress = /^[^\s@"(),:;<>[\]\\]+@[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u
const phoneNumber = /^\+?[0-9\-. ()/]*$/
const personName = /^[\p{L}\p{M}'’ .-]+$/u

/** Texts of the format, and nothing else. */
function format(policyRequirement: string, holds: Holds<string>): Check {
  const isFine: Holds = (value, about) => value === '' || (typeof value === 'string' && holds(value, about))
  return check(policyRequirement, isFine)
}

/** Texts that are there; `valid-type` complains about anything else. */
function onText(policyRequirement: string, holds: Holds<string>, params?: JsonObject): Check {
  const isFine: Holds = (value, about) => typeof value !== 'string' || value === '' || holds(value, about)
  return check(policyRequirement, isFine, params)
}

function atLeast(count: number, pattern: RegExp): Holds {
  return (value) => !(typeof value === 'string' && (value.match(pattern)?.length ?? 0) < count)
}

function cannotContainCharacters(forbiddenChars: string[]): Check {
  const isFree = (text: string) => !forbiddenChars.some((character) => text.includes(character))
  return onText('CANNOT_CONTAIN_CHARACTERS', isFree, { forbiddenChars })
}

function validArrayItems(validTypes: string[]): Check {
  const validItem = validType(validTypes)
  const holds: Holds = (value, about) =>
    !Array.isArray(value) || value.every((item) => validItem(item, about) === undefined)
  return check('VALID_ARRAY_ITEMS', holds, { validTypes })
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

function texts(value: Json | undefined): string[] {
  return value === undefined || value === null ? [] : [value].flat().map(String)
}

/** A comma list, or an array. */
function names(value: Json | undefined): readonly string[] {
  return texts(value).flatMap((text) => text.split(',').map((name) => name.trim()))
}

function characters(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [...String(value ?? '')]
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
function areTemporalConstraints(value: Json): boolean {
  const constraints = [value].flat()
  return constraints.length <= 1 && constraints.every(isDuration)
}

function isDuration(constraint: Json): boolean {
  if (!isJsonObject(constraint) || typeof constraint.duration !== 'string') return false
  const [start = '', end = '', ...more] = constraint.duration.split('/')
  return more.length === 0 && Date.parse(start) < Date.parse(end)
}

/** A counter of failed attempts may exceed its limit again once the last one is long enough ago. */
function maxAttempts(max: number, numMinutes: number, dateTimeField: string): Check {
  const holds: Holds = (value, { object }) => {
    const last = Date.parse(String(object[dateTimeField] ?? ''))
    const cooling = last + numMinutes * 60_000 > Date.now()
    return !(typeof value === 'number' && value > max && cooling)
  }
  return check('NO_MORE_THAN_X_ATTEMPTS_WITHIN_Y_MINUTES', holds, { max, numMinutes })
}
