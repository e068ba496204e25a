import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { withShippedScripts } from './shipped-scripts.ts'
import type { PropertySchema } from './type.ts'

const none = () => false
const javascript = (more: JsonObject): JsonObject => ({ type: 'text/javascript', ...more })
const calling = (source: string) => javascript({ source })

function translated(properties: { [name: string]: JsonObject }, hasFile: (path: string) => boolean = none) {
  const type = { name: 'user', schema: { properties: properties as { [name: string]: PropertySchema } } }
  return withShippedScripts(type, hasFile).schema?.properties ?? {}
}

describe('effective roles and assignments by a shipped script', () => {
  it.each<[string, JsonObject, JsonObject]>([
    [
      'files',
      javascript({ file: 'roles/effectiveRoles.js', rolesPropName: 'grants' }),
      javascript({ file: 'roles/effectiveAssignments.js', effectiveRolesPropName: 'effectiveRoles' }),
    ],
    [
      'calls',
      calling("require('roles/effectiveRoles').calculateEffectiveRoles(object, 'grants');"),
      javascript({
        file: 'roles/effectiveAssignments.js',
        globals: { effectiveRolesPropName: 'effectiveRoles' },
      }),
    ],
  ])('named as %s are queries along relationships', (_what, effectiveRoles, effectiveAssignments) => {
    const { effectiveRoles: roles, effectiveAssignments: assignments } = translated({
      effectiveRoles: { type: 'array', onRetrieve: effectiveRoles },
      effectiveAssignments: { type: 'array', onRetrieve: effectiveAssignments },
    })
    expect(roles).toEqual({
      type: 'array',
      isVirtual: true,
      queryConfig: { referencedRelationshipFields: ['grants'] },
    })
    expect(assignments?.queryConfig).toEqual({
      referencedRelationshipFields: ['grants', 'assignments'],
      referencedObjectFields: ['*'],
    })
  })
  it('that the project has itself is left to it', () => {
    const onRetrieve = javascript({ file: 'roles/effectiveRoles.js' })
    const own = (path: string) => path === 'script/roles/effectiveRoles.js'
    expect(translated({ effectiveRoles: { onRetrieve } }, own).effectiveRoles).toEqual({ onRetrieve })
  })
})

describe('attributes of an assignment', () => {
  it('may have values and operations of any type, whatever the shipped schema says', () => {
    const text = { type: 'string', title: 'T' }
    const properties = { name: text, value: text, assignmentOperation: text, unassignmentOperation: text }
    const { attributes } = translated({ attributes: { type: 'array', items: { properties } } })
    const any = { title: 'T' }
    expect(attributes?.items?.properties).toEqual({
      name: text,
      value: any,
      assignmentOperation: any,
      unassignmentOperation: any,
    })
  })
})

describe('hooks of the shipped schemas', () => {
  it('are left out where they do what is done anyway; what else a script does stays', () => {
    const file = (name: string) => javascript({ file: `roles/${name}.js` })
    const mixed =
      "require('mine').fill(object);require('roles/conditionalRoles').updateConditionalGrantsForUser(object, 'roles');"
    const type = withShippedScripts(
      {
        name: 'post',
        ...{
          onDelete: file('onDelete-roles'),
          onSync: file('onSync-roles'),
          postCreate: file('postOperation-roles'),
        },
        postUpdate: calling("require('roles/postOperation-roles').manageTemporalConstraints(resourceName);"),
        ...{ onCreate: calling(mixed), onUpdate: calling('object.x = 1') },
      },
      none,
    )
    expect(type).toEqual({
      name: 'post',
      refusesDeletionWhileGranted: true,
      onCreate: calling("require('mine').fill(object);"),
      onUpdate: calling('object.x = 1'),
    })
  })
  it('of a type without any leave it as it is', () => {
    const type = { name: 'user', onCreate: calling('1'), schema: { properties: { a: { type: 'string' } } } }
    expect(withShippedScripts(type, none)).toBe(type)
  })
})

describe('hooks that are shipped with a user', () => {
  const hooks = (onCreate: JsonObject, hasFile = none) =>
    withShippedScripts({ name: 'user', onCreate } as Parameters<typeof withShippedScripts>[0], hasFile)
      .onCreate
  it.each([
    ['a file', javascript({ file: 'ui/onCreate-user-set-default-fields.js' })],
    ['a call', calling("require('onCreateUser').setDefaultFields(object);")],
  ])('set the status, named as %s', (_what, onCreate) => {
    expect(hooks(onCreate)).toEqual(
      javascript({ source: expect.stringContaining("object.accountStatus = 'active'") as unknown as string }),
    )
  })
  it('are about access and identity providers where the schema has them', () => {
    const source =
      "require('ui/onCreateUser').setDefaultFields(object);require('ui/onCreateUser').createIdpRelationships(object);"
    const hook = (properties: JsonObject) =>
      withShippedScripts({ name: 'user', onCreate: calling(source), schema: { properties } } as never, none)
        .onCreate
    const plain = hook({ userName: { type: 'string' } })
    expect(plain).toEqual(calling("if (!object.accountStatus) object.accountStatus = 'active';"))
    const items = { resourceCollection: [{ path: 'internal/role' }] }
    const both = hook({ idpData: { type: 'object' }, authzRoles: { type: 'array', items } }) as JsonObject
    expect(both.source).toContain("[{ _ref: 'internal/role/openidm-authorized' }]")
    expect(both.source).toContain(
      "if (object.idpData) require('ui/onCreateUser').createIdpRelationships(object);",
    )
  })
  it('that have nothing to do here are left out, those of the project run', () => {
    expect(
      hooks(calling("require('onUpdateUser').preserveLastSync(object, oldObject, request)")),
    ).toBeUndefined()
    const greeting =
      "require('onCreateUser').emailUser(object);require('onUpdateUser').createNotification(object, oldObject);"
    expect(hooks(calling(greeting))).toBeUndefined()
    const cleanUp =
      "require('postDelete-idp-cleanup').removeConnectedIdpData(oldObject, resourceName, request);"
    expect(hooks(calling(cleanUp))).toBeUndefined()
    expect(hooks(javascript({ file: 'ui/onDelete-user-cleanup.js' }))).toBeUndefined()
    const own = javascript({ file: 'ui/onDelete-user-cleanup.js' })
    expect(hooks(own, () => true)).toBe(own)
    const other = calling("require('mine').setDefaultFields(object)")
    expect(hooks(other)).toBe(other)
  })
})
