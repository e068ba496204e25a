import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeNewProject } from './init.ts'
import { temporaryProject } from './testing/temporary-project.ts'

describe('a new project', () => {
  it('is complete and has no problems', async () => {
    await using project = await temporaryProject({})
    const files = await writeNewProject(project.folder)
    const { problems, mappings, connectors, managedObjects } = await project.read()
    expect(problems).toEqual([])
    expect([mappings.length, connectors.length, managedObjects.length]).toEqual([1, 1, 1])
    expect(files).toContain('README.md')
    expect(await readFile(join(project.folder, '.gitignore'), 'utf8')).toBe('.syncline/\n')
    expect((await readFile(join(project.folder, 'data/hr.csv'), 'utf8')).trim().split('\n')).toHaveLength(4)
  })

  it('refers to the schemas that it brings along', async () => {
    await using project = await temporaryProject({})
    const files = await writeNewProject(project.folder)
    for (const file of files.filter((name) => name.startsWith('conf/'))) {
      const { $schema } = JSON.parse(await readFile(join(project.folder, file), 'utf8'))
      expect(files).toContain($schema.replace('../', ''))
    }
  })

  it('is not written over files that exist, which are named', async () => {
    await using project = await temporaryProject({})
    await writeFile(join(project.folder, 'README.md'), 'mine')
    await expect(writeNewProject(project.folder)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('has these files already: README.md'),
    })
    expect(await readFile(join(project.folder, 'README.md'), 'utf8')).toBe('mine')
    await expect(readFile(join(project.folder, 'conf/sync.json'))).rejects.toThrow()
  })
})
