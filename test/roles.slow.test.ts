/** Roles that begin and end at their times, while a server runs (platform §6.4). */
import { afterEach, describe, expect, it } from 'vitest'
import type { TestProject } from './support/project.ts'
import { fill, grant, ref, rolesClient, rolesProject, type Shape, served, virtual } from './support/roles.ts'
import { type Server, serve } from './support/server.ts'

let project: TestProject
let server: Server

afterEach(async () => {
  await server[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

const { put, patch, rows } = rolesClient(() => ({ project, server }))

describe.each(Object.keys(virtual) as Shape[])('roles whose members are found %s', (shape) => {
  it('switch at the ends of their time without any request, a restart in between or not', async () => {
    project = rolesProject(shape)
    server = await served(project)
    await fill({ put })
    const contractor = { name: 'Contractor', assignments: [ref('assignment/temp')] }
    // The spans are as long as this machine needs.
    const asked = Date.now()
    await put('role/contractor', contractor)
    const pace = Date.now() - asked
    const start = Date.now() + Math.max(1000, 20 * pace)
    const end = start + Math.max(2000, 40 * pace)
    const during = [{ duration: `${new Date(start).toISOString()}/${new Date(end).toISOString()}` }]
    await put('role/contractor', { ...contractor, temporalConstraints: during })
    await patch('user/ann', grant('contractor'))
    await put('user/bob', { userName: 'bob', roles: [ref('role/employee', { temporalConstraints: during })] })
    expect(rows('dir')).toEqual(['ann,', 'bob,'])
    await expect.poll(() => rows('dir')).toEqual(['ann,Contractor', 'bob,Employee'])
    expect(Date.now()).toBeGreaterThanOrEqual(start)
    await server[Symbol.asyncDispose]()
    server = await serve(project)
    await expect.poll(() => rows('dir')).toEqual(['ann,', 'bob,'])
    expect(Date.now()).toBeGreaterThanOrEqual(end)
  })
})
