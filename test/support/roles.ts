/** Users, roles and assignments as the peers write them, and clients who speak about them. */
import { expect } from 'vitest'
import type { JsonObject } from '../../src/model/json.ts'
import type { TemporaryFolder } from '../../src/testing/folder.ts'
import { script } from '../../src/testing/script.ts'
import { csvConnector, TestProject } from './project.ts'
import { type Server, serve } from './server.ts'

export const file = (name: string, more: JsonObject = {}) => ({
  type: 'text/javascript',
  file: `roles/${name}.js`,
  ...more,
})
export const text = { type: 'string' }
const relationship = (path: string, reversePropertyName: string, more: JsonObject = {}) => ({
  ...{ type: 'relationship', validate: true, reverseRelationship: true, reversePropertyName },
  properties: { _ref: text, _refProperties: { type: 'object', properties: { _id: text } } },
  resourceCollection: [{ path, label: path, query: { queryFilter: 'true', fields: ['name'], sortKeys: [] } }],
  ...more,
})
export const array = (items: JsonObject, more: JsonObject = {}) => ({
  ...{ type: 'array', returnByDefault: false, items, ...more },
})

/** The usual schema, as older versions write it (with shipped scripts) and newer ones (with queries). */
export const virtual = {
  'by shipped scripts': {
    effectiveRoles: {
      ...{ type: 'array', isVirtual: true, returnByDefault: true },
      onRetrieve: script("require('roles/effectiveRoles').calculateEffectiveRoles(object, 'roles');"),
    },
    effectiveAssignments: {
      ...{ type: 'array', isVirtual: true, returnByDefault: true },
      onRetrieve: file('effectiveAssignments', { effectiveRolesPropName: 'effectiveRoles' }),
    },
  },
  'by queries': {
    effectiveRoles: {
      ...{ type: 'array', isVirtual: true, returnByDefault: true },
      queryConfig: { referencedRelationshipFields: ['roles'] },
    },
    effectiveAssignments: {
      ...{ type: 'array', isVirtual: true, returnByDefault: true },
      queryConfig: { referencedRelationshipFields: ['roles', 'assignments'], referencedObjectFields: ['*'] },
    },
  },
} as const
export type Shape = keyof typeof virtual

export function managed(shape: Shape, user: JsonObject = {}): object {
  return {
    objects: [
      {
        name: 'user',
        onUpdate: script(
          "require('roles/conditionalRoles').updateConditionalGrantsForUser(object, 'roles');",
        ),
        postCreate: file('postOperation-roles'),
        schema: {
          required: ['userName'],
          properties: {
            ...{ userName: text, kind: text, status: text },
            roles: array(relationship('managed/role', 'members')),
            ...virtual[shape],
            lastSync: { type: 'object', scope: 'private' },
            ...user,
          },
        },
      },
      {
        name: 'role',
        ...{
          onDelete: file('onDelete-roles'),
          onSync: file('onSync-roles'),
          postUpdate: file('postOperation-roles'),
        },
        schema: {
          properties: {
            ...{
              name: text,
              condition: text,
              temporalConstraints: { type: 'array', items: { type: 'object' } },
            },
            members: array(relationship('managed/user', 'roles')),
            assignments: array(relationship('managed/assignment', 'roles')),
          },
        },
      },
      {
        name: 'assignment',
        onSync: file('onSync-assignments'),
        schema: {
          properties: {
            ...{
              name: text,
              mapping: text,
              attributes: { type: 'array' },
              linkQualifiers: { type: 'array' },
            },
            roles: array(relationship('managed/role', 'assignments')),
          },
        },
      },
      { name: 'account', schema: { properties: { login: text, groups: { type: 'array' } } } },
    ],
  }
}

export const ref = (path: string, properties?: object) => ({
  _ref: `managed/${path}`,
  ...(properties && { _refProperties: properties }),
})
export const grant = (role: string, properties?: object) => ({
  ...{ operation: 'add', field: '/roles/-', value: ref(`role/${role}`, properties) },
})
export const revoke = (role: string) => ({ operation: 'remove', field: '/roles', value: ref(`role/${role}`) })

/** A server of a project in which check finds no error. */
export async function served(project: TestProject): Promise<Server> {
  const { err, code } = project.syncline(['check'])
  expect([code, err]).toEqual([0, expect.anything()])
  return serve(project)
}

export type RolesClient = ReturnType<typeof rolesClient>

/** Requests that are expected to succeed, to whichever server there is at the time. */
export function rolesClient(town: () => { readonly project: TestProject; readonly server: Server }) {
  const put = async (path: string, body: object) => {
    const answer = await town().server.call('PUT', `managed/${path}`, { body })
    expect([200, 201]).toContain(answer.status)
    return answer.body
  }
  const patch = async (path: string, ...body: object[]) => {
    const answer = await town().server.call('PATCH', `managed/${path}`, { body })
    expect(answer.status).toBe(200)
    return answer.body
  }
  const get = async (path: string) => (await town().server.call('GET', path)).body
  const query = async (path: string, filter = 'true') =>
    (await get(`${path}?_queryFilter=${encodeURIComponent(filter)}`)).result as JsonObject[]
  const rows = (name: string) =>
    town().project.read(`data/${name}.csv`).replaceAll('"', '').trim().split('\n').slice(1).toSorted()
  return { put, patch, get, query, rows }
}

/** Accounts of users in a CSV file and in the repository, by the default mapping. */
export function rolesProject(shape: Shape, temporary?: TemporaryFolder): TestProject {
  const project = new TestProject(temporary)
  project.write('conf/managed.json', managed(shape))
  project.write('data/dir.csv', 'login,employeeType\n')
  project.write('conf/provisioner.openicf-dir.json', csvConnector('dir', ['login', 'employeeType']))
  const properties = [{ source: 'userName', target: 'login' }]
  const defaults = { defaultMapping: file('defaultMapping'), source: 'managed/user', properties }
  project.write('conf/sync.json', {
    mappings: [
      { name: 'user_dir', ...defaults, target: 'system/dir/account' },
      { name: 'user_account', ...defaults, target: 'managed/account' },
    ],
  })
  return project
}

/** Two roles with what they assign, and a user without any. */
export async function fill({ put }: Pick<RolesClient, 'put'>): Promise<void> {
  const type = (value: string) => ({
    ...{ name: `type ${value}`, mapping: 'user_dir' },
    attributes: [
      {
        name: 'employeeType',
        value,
        assignmentOperation: 'replaceTarget',
        unassignmentOperation: 'removeFromTarget',
      },
    ],
  })
  const groups = (...value: string[]) => ({
    ...{ name: `groups ${value}`, mapping: 'user_account' },
    attributes: [
      {
        name: 'groups',
        value,
        assignmentOperation: 'mergeWithTarget',
        unassignmentOperation: 'removeFromTarget',
      },
    ],
  })
  for (const [id, assignment] of Object.entries({
    staff: type('Employee'),
    temp: type('Contractor'),
    lists: groups('staff', 'chat'),
    door: groups('door'),
  }))
    await put(`assignment/${id}`, assignment)
  await put('role/employee', {
    name: 'Employee',
    assignments: [ref('assignment/staff'), ref('assignment/lists')],
  })
  await put('role/contractor', { name: 'Contractor', assignments: [ref('assignment/temp')] })
  await put('user/ann', { userName: 'ann' })
}
