import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './support/project.ts'

/** Links between pages: each leads to a file that is there, and to a heading of it where it names one. Files named in pages are there. */

const pages = ['README.md', 'CHANGELOG.md', ...globSync('{docs,examples}/**/*.md', { cwd: root })].filter(
  (page) => !page.includes('node_modules'),
)

describe('a page', () => {
  it.each(pages)('%s: its links lead to existing places', (page) => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([])
  })

  it.each(pages)('%s: the files that it names are there', (page) => {
    const named = [
      ...readFileSync(join(root, page), 'utf8').matchAll(/`((?:src|test|bench|scripts)\/[\w/.-]+)`/g),
    ]
    expect(named.map(([, path]) => path as string).filter((path) => !existsSync(join(root, path)))).toEqual(
      [],
    )
  })
})

function linksOf(page: string): readonly string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link as string)
    .filter((link) => !/^[a-z]+:/.test(link))
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || (statSync(join(root, target)).isFile() && anchorsOf(target).has(anchor))
}

function anchorsOf(page: string): ReadonlySet<string> {
  const prose = readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```/gms, '')
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => slug(title))
  const own = [...prose.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id as string)
  return new Set([...headings, ...own])
}

/** The anchor that GitHub gives a heading. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}

function proseOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
    .replaceAll(/^```.*?^```/gms, '')
    .replaceAll(/`[^`\n]*`/g, '')
}
