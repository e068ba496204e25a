import {
  AndFilter,
  EqualityFilter,
  type Filter as LdapFilter,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from 'ldapts'
import type { Filter } from '../../model/filter/filter.ts'
import type { FilterLeaf } from '../../model/filter/walk.ts'
import { elementsOf, type Json } from '../../model/json.ts'
import { type SplitFilter, splitBy } from '../kit/query.ts'
import { directoryString, ia5String, isInEntries, type LdapAttribute, nameAttribute } from './attributes.ts'
import { parseDn } from './dn.ts'

/**
 * Filters as LDAP has them (RFC 4515), built from values and never from text.
 *
 * LDAP knows a third answer, undefined, for a value that does not fit the syntax; `not` of it is no match. Only comparisons
 * that cannot be undefined are given to the server, so that `not` and `ne` mean there what they mean here.
 */
export interface FilterNames {
  /** The attribute by which ids are searched. */
  readonly uidAttribute: string
  /** Ids are names of entries. */
  readonly idIsName: boolean
  /** A value of `_id` as the server compares it; undefined: there is no such id. */
  idValue(id: string): string | Buffer | undefined
  /** Where names of entries can be searched. */
  readonly nameAttribute: string | undefined
  /** The server finds texts that differ in more than case. */
  readonly findsMore: boolean
  attribute(name: string): LdapAttribute | undefined
}

/** The part of a filter that the server evaluates with the meaning that it has here, and the rest. */
export function splitForServer(filter: Filter, names: FilterNames): SplitFilter {
  // Only the server knows whether a name fits its schema: `not` of one that does not fit is undefined, too.
  const inverted = isInverted(filter)
  const safe = inverted ? { ...names, nameAttribute: undefined } : names
  if (!names.findsMore) return splitBy(filter, (leaf) => isAnswered(leaf, safe))
  // What is found too much is looked at again. Under `not` it would be too little: there the server compares no texts.
  const isExact = (leaf: FilterLeaf) => isAnswered(leaf, safe) && !comparesText(leaf)
  const { rest } = splitBy(filter, isExact)
  const { native } = splitBy(filter, inverted ? isExact : (leaf) => isAnswered(leaf, safe))
  return { native, rest }
}

function comparesText(leaf: FilterLeaf): boolean {
  return (
    leaf.kind === 'compare' &&
    elementsOf(leaf.value).some((value) => typeof value === 'string') &&
    leaf.pointer[0] !== '_id' &&
    leaf.pointer[0] !== nameAttribute
  )
}

function isInverted(filter: Filter): boolean {
  if (filter.kind === 'compare') return filter.operator === 'ne'
  return filter.kind === 'not' || ('filters' in filter && filter.filters.some(isInverted))
}

function isAnswered(leaf: FilterLeaf, names: FilterNames): boolean {
  const [name = '', ...below] = leaf.pointer
  if (below.length > 0) return false
  if (leaf.kind === 'present') {
    const attribute = names.attribute(name)
    return attribute !== undefined && !attribute.secret && isInEntries(attribute) && name !== nameAttribute
  }
  const values = elementsOf(leaf.value)
  const isEquality = ['eq', 'ne', 'in'].includes(leaf.operator)
  if (name === '_id' && !names.idIsName)
    return isEquality && values.every((value) => typeof value === 'string')
  if (name === nameAttribute || name === '_id')
    return leaf.operator !== 'ne' && isEquality && names.nameAttribute !== undefined && values.every(isName)
  const attribute = names.attribute(name)
  if (attribute?.virtual)
    return (
      isEquality &&
      values.length > 0 &&
      values.every((value) => attribute.virtual?.filter?.(value) !== undefined)
    )
  if (!attribute || attribute.secret || attribute.comparison === 'unknown' || attribute.memberIds)
    return false
  const isSubstring = ['co', 'sw', 'ew'].includes(leaf.operator)
  if (!(isEquality || leaf.operator === 'ca' || (isSubstring && attribute.substrings))) return false
  return values.length > 0 && values.every((value) => fits(value, attribute, isSubstring))
}

/** The empty text is no name, and no entry has it. */
function isName(value: Json): boolean {
  return typeof value === 'string' && parseDn(value) !== undefined
}

/** Texts that the server can compare. Of parts of texts not those with blanks that servers drop, and find elsewhere then. */
function fits(value: Json, { syntax }: LdapAttribute, isPart: boolean): boolean {
  if (typeof value !== 'string' || /\p{Cc}/u.test(value)) return false
  if (isPart && value !== value.normalize('NFKC').trim().replaceAll(/\s+/g, ' ')) return false
  return syntax === directoryString || (syntax === ia5String && /^[\x20-\x7e]*$/.test(value))
}

export function ldapFilter(filter: Filter, names: FilterNames): LdapFilter {
  switch (filter.kind) {
    case 'literal':
      return filter.value ? anything : nothing
    case 'and':
      return and(filter.filters.map((part) => ldapFilter(part, names)))
    case 'or':
      return or(filter.filters.map((part) => ldapFilter(part, names)))
    case 'not':
      return new NotFilter({ filter: ldapFilter(filter.filter, names) })
    case 'present':
      return new PresenceFilter({ attribute: filter.pointer[0] ?? '' })
    case 'compare':
      return comparison(filter, names)
  }
}

const anything = new PresenceFilter({ attribute: 'objectClass' })
const nothing = new NotFilter({ filter: anything })

export function and(filters: readonly LdapFilter[]): LdapFilter {
  const [first = anything, ...others] = filters
  return others.length === 0 ? first : new AndFilter({ filters: [first, ...others] })
}

export function or(filters: readonly LdapFilter[]): LdapFilter {
  const [first = nothing, ...others] = filters
  return others.length === 0 ? first : new OrFilter({ filters: [first, ...others] })
}

/** Entries of all of these object classes, and of none of the others. */
export function classFilter(objectClasses: readonly string[], others: readonly string[] = []): LdapFilter {
  const is = (value: string) => equals('objectClass', value)
  return and([...objectClasses.map(is), ...others.map((value) => new NotFilter({ filter: is(value) }))])
}

/** Entries that have one of these ids. */
export function idFilter(ids: readonly string[], names: FilterNames): LdapFilter {
  const values = ids.map((id) => names.idValue(id)).filter((value) => value !== undefined)
  return or(values.map((value) => equals(names.uidAttribute, value)))
}

export function equals(attribute: string, value: string | Buffer): LdapFilter {
  return new EqualityFilter({ attribute, value })
}

function comparison(leaf: Extract<FilterLeaf, { readonly kind: 'compare' }>, names: FilterNames): LdapFilter {
  const [name = ''] = leaf.pointer
  const virtual = names.attribute(name)?.virtual
  if (virtual)
    return sign(leaf.operator, or(elementsOf(leaf.value).map((value) => virtual.filter?.(value) ?? nothing)))
  const values = elementsOf(leaf.value).map(String)
  if (name === '_id') return sign(leaf.operator, idFilter(values, names))
  const attribute = name === nameAttribute ? (names.nameAttribute ?? name) : name
  const [value = ''] = values
  const isPart = ['co', 'sw', 'ew'].includes(leaf.operator)
  if (isPart && value === '') return new PresenceFilter({ attribute })
  const is = (one: string) => (one === '' ? nothing : equals(attribute, one))
  switch (leaf.operator) {
    case 'co':
      return new SubstringFilter({ attribute, any: [value] })
    case 'sw':
      return new SubstringFilter({ attribute, initial: value })
    case 'ew':
      return new SubstringFilter({ attribute, final: value })
    case 'ca':
      return and(values.map(is))
    default:
      return sign(leaf.operator, or(values.map(is)))
  }
}

function sign(operator: string, filter: LdapFilter): LdapFilter {
  return operator === 'ne' ? new NotFilter({ filter }) : filter
}
