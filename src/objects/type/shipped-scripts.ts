import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { typeHooks } from './scripts.ts'
import { type ManagedType, type PropertySchema, propertiesOf } from './type.ts'

/**
 * OpenIDM and its relatives ship scripts for roles that their schemas use, such as `roles/effectiveRoles.js`. Syncline has
 * these functions built in (platform §6.4). Here a type that uses the scripts is converted to an equivalent one without
 * them. If the project has a file of that name, that file runs instead. Pure.
 */
export function withShippedScripts(type: ManagedType, hasFile: (path: string) => boolean): ManagedType {
  const isOwn = (file: string) => hasFile(file) || hasFile(`script/${file}`)
  const properties = propertiesOf(type.schema)
  const work = userWork(properties)
  const hooks = typeHooks.flatMap((hook) => {
    const script = type[hook]
    const left = withoutShipped(script, isOwn, work)
    return left === script ? [] : [[hook, left] as const]
  })
  const translated = properties.map(
    ([name, property]) => [name, withAnyAssigned(withQuery(property, properties, isOwn))] as const,
  )
  const changed = translated.some(([, property], at) => property !== properties[at]?.[1])
  if (hooks.length === 0 && !changed) return type
  const refuses = shippedFile(type.onDelete, isOwn) === 'onDelete-roles'
  return {
    ...type,
    ...Object.fromEntries(hooks),
    ...(refuses && { refusesDeletionWhileGranted: true }),
    ...(changed && { schema: { ...type.schema, properties: Object.fromEntries(translated) } }),
  }
}

/** Their name without folder and ending; undefined for other scripts. */
export function shippedFile(script: Json | undefined, isOwn: (file: string) => boolean): string | undefined {
  if (!isJsonObject(script) || script.source !== undefined || typeof script.file !== 'string')
    return undefined
  const [, name] = /(?:^|\/)roles\/([\w-]+)\.(?:js|groovy)$/.exec(script.file) ?? []
  return name !== undefined && !isOwn(script.file) ? name : undefined
}

/** A statement that does nothing but call such a script. */
const call = /require\(\s*(['"])(roles\/[\w-]+)\1\s*\)\s*\.\s*(\w+)\s*\(([^()]*)\)\s*;?/g

/** What other scripts that are shipped with a user come to, by file and by `module.function`; an empty one: nothing is left for it to do. */
interface UserWork {
  readonly files: Readonly<Record<string, string>>
  readonly calls: Readonly<Record<string, string>>
}

/**
 * Looks at other objects only for a user who logs in with identity providers: all others can be made together. What stays of a call of
 * the shipped function.
 */
export const idpRelationships = {
  property: 'idpData',
  source: "if (object.idpData) require('ui/onCreateUser').createIdpRelationships(object);",
}

/** A schema without roles for access, or without identity providers, needs nothing done about them. */
function userWork(properties: Properties): UserWork {
  const setDefaults = `if (!object.accountStatus) object.accountStatus = 'active';${accessRoles(properties)}`
  const hasProviders = properties.some(([name]) => name === 'idps' || name === 'idpData')
  return {
    files: {
      'ui/onCreate-user-set-default-fields.js': setDefaults,
      ...(!hasProviders && { 'ui/onDelete-user-cleanup.js': '', 'onDelete-user-cleanup.js': '' }),
    },
    calls: {
      'onCreateUser.setDefaultFields': setDefaults,
      // An update leaves alone what it may not see.
      'onUpdateUser.preserveLastSync': '',
      // Mail and notifications: there are none.
      'onCreateUser.emailUser': '',
      'onUpdateUser.createNotification': '',
      'onCreateUser.createIdpRelationships': hasProviders ? idpRelationships.source : '',
      ...(!hasProviders && {
        'onUpdateUser.updateIdpRelationships': '',
        'postDelete-idp-cleanup.removeConnectedIdpData': '',
      }),
    },
  }
}

/** A new user may do what everybody may who has an account (platform §10). */
function accessRoles(properties: Properties): string {
  const listed = properties.find(([name]) => name === 'authzRoles')?.[1].items?.resourceCollection
  const paths = Array.isArray(listed) ? listed.map((one) => (isJsonObject(one) ? one.path : undefined)) : []
  const roles = paths.find((path) => typeof path === 'string' && /^(?:repo\/)?internal\/role$/.test(path))
  return typeof roles === 'string'
    ? `if (!object.authzRoles) object.authzRoles = [{ _ref: '${roles}/openidm-authorized' }];`
    : ''
}

const userCall = /require\(\s*(['"])((?:ui\/)?[\w-]+)\1\s*\)\s*\.\s*(\w+)\s*\([^()]*\)\s*;?/g

/** Undefined where nothing is left of it. */
function withoutShipped(
  script: Json | undefined,
  isOwn: (file: string) => boolean,
  { files, calls }: UserWork,
): Json | undefined {
  if (shippedFile(script, isOwn) !== undefined) return undefined
  if (!isJsonObject(script)) return script
  const { file, ...inline } = script
  if (typeof file === 'string' && inline.source === undefined && Object.hasOwn(files, file) && !isOwn(file))
    return remaining(inline, files[file] ?? '')
  if (typeof script.source !== 'string') return script
  const source = script.source
    .replaceAll(call, (statement, _quote, module: string) => (isOwn(`${module}.js`) ? statement : ''))
    .replaceAll(userCall, (statement, _quote, module: string, name: string) =>
      isOwn(`${module}.js`) ? statement : (calls[`${module.replace(/^ui\//, '')}.${name}`] ?? statement),
    )
  if (source === script.source) return script
  return remaining(script, source)
}

function remaining(script: JsonObject, source: string): JsonObject | undefined {
  return source.trim() === '' ? undefined : { ...script, source }
}

/**
 * The attributes of an assignment, of which the shipped schemas say that values and operations are texts: an assignment of several
 * groups, or one with a script, is none the less one (platform §6.4).
 */
function withAnyAssigned(property: PropertySchema): PropertySchema {
  const { items } = property
  const members = items?.properties
  if (!items || !members?.value || !members.assignmentOperation) return property
  const untyped = Object.entries(members).map(([name, { type, ...member }]) => {
    const isFree = ['value', 'assignmentOperation', 'unassignmentOperation'].includes(name)
    return [name, isFree || type === undefined ? member : { ...member, type }] as const
  })
  return { ...property, items: { ...items, properties: Object.fromEntries(untyped) } }
}

type Properties = readonly (readonly [string, PropertySchema])[]

/** `onRetrieve` by a shipped script, as the query that newer schemas state. */
function withQuery(
  property: PropertySchema,
  all: Properties,
  isOwn: (file: string) => boolean,
): PropertySchema {
  const path = pathOf(property.onRetrieve, all, isOwn)
  if (!path) return property
  const { onRetrieve, ...others } = property
  const queryConfig: JsonObject = { referencedRelationshipFields: [...path] }
  if (path.length > 1) queryConfig.referencedObjectFields = ['*']
  return { ...others, isVirtual: true, queryConfig } as PropertySchema
}

function pathOf(
  script: Json | undefined,
  all: Properties,
  isOwn: (file: string) => boolean,
): readonly string[] | undefined {
  if (!isJsonObject(script)) return undefined
  const variables = { ...script, ...(isJsonObject(script.globals) ? script.globals : {}) }
  switch (shippedFile(script, isOwn) ?? calledModule(script, isOwn)) {
    case 'effectiveRoles':
      return [nameIn(variables.rolesPropName) ?? secondArgument(script) ?? 'roles']
    case 'effectiveAssignments': {
      const roles = nameIn(variables.effectiveRolesPropName) ?? secondArgument(script) ?? 'effectiveRoles'
      const effective = all.find(([name]) => name === roles)?.[1]
      const declared = effective && (pathOf(effective.onRetrieve, all, isOwn) ?? queriedPath(effective))
      return [declared?.[0] ?? 'roles', 'assignments']
    }
    default:
      return undefined
  }
}

function queriedPath({ queryConfig }: PropertySchema): readonly string[] | undefined {
  const fields = isJsonObject(queryConfig) ? queryConfig.referencedRelationshipFields : undefined
  return Array.isArray(fields) && typeof fields[0] === 'string' ? [fields[0]] : undefined
}

function calledModule({ source }: JsonObject, isOwn: (file: string) => boolean): string | undefined {
  const [whole, , module = ''] = matched(source)
  const only = typeof source === 'string' && whole?.trim() === source.trim()
  return only && !isOwn(`${module}.js`) ? module.replace(/^roles\//, '') : undefined
}

/** `calculateEffectiveRoles(object, 'roles')` */
function secondArgument({ source }: JsonObject): string | undefined {
  const [, , , , given = ''] = matched(source)
  return /,\s*['"]([\w-]+)['"]/.exec(given)?.[1]
}

function matched(source: Json | undefined): readonly (string | undefined)[] {
  return typeof source === 'string' ? (new RegExp(call.source).exec(source) ?? []) : []
}

function nameIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
