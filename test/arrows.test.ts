import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, it } from 'vitest'

/**
 * The arrows between the folders of src/, as arrows.json allows them. A row holds for its folder and all below it that has no
 * row of its own. Circles of files, those of types included, are refused by the linter (biome.json, noImportCycles).
 */
const root = resolve(import.meta.dirname, '..')
const { $comment, ...table }: Record<string, readonly string[]> = JSON.parse(
  readFileSync(join(root, 'arrows.json'), 'utf8'),
)
const rows = new Map(Object.entries(table))

/** Tests, contract suites and what they share may import everything; but the contract of connectors is part of the package. */
const isTest = (file: string) =>
  /\.test\.ts$|(^|\/)(testing|contract)\//.test(file) && !file.startsWith('connectors/kit/contract/')
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !isTest(file),
)

/** 'sync/page/apply' → the longest of 'sync/page/apply', 'sync/page', 'sync' that has a row. */
function rowOf(folder: string): string | undefined {
  if (rows.has(folder)) return folder
  return folder === '' ? undefined : rowOf(folder.includes('/') ? dirname(folder) : '')
}

const folderOf = (file: string) => (file.includes('/') ? dirname(file) : '')

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, 'src', file), 'utf8')
  return [...text.matchAll(/(?:^|[\s}])(?:from|import)\s*\(?\s*'([^'\n]+)'/gm)].map(
    ([, specifier]) => specifier as string,
  )
}

/** What the import is called in the table: a file of src/ without its ending, or ':package'. */
function nameOf(specifier: string, importer: string): string {
  if (specifier.startsWith('.'))
    return relative(join(root, 'src'), resolve(root, 'src', dirname(importer), specifier)).replace(
      /\.ts$/,
      '',
    )
  if (specifier.startsWith('node:')) return ':node'
  const parts = specifier.split('/')
  return `:${parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')}`
}

function isAllowed(name: string, row: string): boolean {
  const isBelow = (folder: string) => name === folder || name.startsWith(`${folder}/`)
  return rowOf(folderOf(name)) === row || (rows.get(row) ?? []).some(isBelow)
}

it('imports only what its folder may', () => {
  const refused = files.flatMap((file) => {
    const row = rowOf(folderOf(file))
    return importsOf(file)
      .map((specifier) => nameOf(specifier, file))
      .filter((name) => row !== undefined && !isAllowed(name, row))
      .map((name) => `src/${file} imports ${name}, which the row "${row}" of arrows.json does not allow`)
  })
  expect(refused).toEqual([])
})

it('has a row for every folder of src', () => {
  const folders = new Set(files.map((file) => file.split('/').slice(0, -1)[0] ?? ''))
  expect([...folders].filter((folder) => !rows.has(folder))).toEqual([])
})

it('loads no parser of scripts at the start of every command: lint, and what it needs, is loaded when it is asked', () => {
  const loaded = new Set(['main.ts'])
  for (const file of loaded) {
    const text = readFileSync(join(root, 'src', file), 'utf8')
    const imports = text.matchAll(/^(?:import|export) (?!type )[^'()]*? ?'(\.[^'\n]+)'/gms)
    for (const [, specifier = ''] of imports)
      loaded.add(relative(join(root, 'src'), resolve(root, 'src', dirname(file), specifier)))
  }
  expect(loaded.size).toBeGreaterThan(300)
  expect([...loaded].filter((file) => file.startsWith('lint/'))).toEqual([])
})

it('is described in docs/development.md, folder by folder', () => {
  const page = readFileSync(join(root, 'docs', 'development.md'), 'utf8')
  const folders = new Set(files.map(folderOf).filter((folder) => folder !== ''))
  const isNamed = (...starts: readonly string[]) => starts.some((start) => page.includes(`\`${start}`))
  const untold = [...folders].filter((folder) => {
    const [first, second] = folder.split('/')
    return second === undefined ? !isNamed(`${first}/`) : !isNamed(`${first}/\``, `${first}/${second}/`)
  })
  expect(untold).toEqual([])
})
