import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './support/project.ts'

/**
 * References to the specification lead to an existing heading. In code: `engine §3.2`, `platform §1.1, §6.3`. In docs: a markdown link to
 * the heading, `[engine §3.2](specification/engine.md#s3.2)`; inside of a specification without the name of the document.
 */

type Name = 'engine' | 'platform'

const text = (file: string) => readFileSync(join(root, file), 'utf8')
const pageOf = (name: Name) => `docs/specification/${name}.md`
const sections: Readonly<Record<Name, ReadonlySet<string>>> = {
  engine: new Set(anchors('engine')),
  platform: new Set(anchors('platform')),
}

const pages = [...globSync('docs/**/*.md', { cwd: root }), 'README.md', 'CHANGELOG.md']
const sources = globSync('{src,test,bench,scripts,examples,bin}/**/*.{ts,js}', { cwd: root })

describe.each(['engine', 'platform'] as const)('the %s specification', (name) => {
  it('has an anchor before every numbered heading, each once', () => {
    const headings = [...text(pageOf(name)).matchAll(/^#{2,3} (\d+(?:\.\d+)?)\.? /gm)].map(
      ([, number]) => number,
    )
    expect(headings.length).toBeGreaterThan(40)
    expect(anchors(name)).toEqual(headings)
    expect(new Set(headings).size).toBe(headings.length)
  })

  it('says what its marks mean', () => {
    for (const mark of ['C', 'N', 'D']) expect(text(pageOf(name))).toContain(`\`[${mark}]\``)
  })
})

describe('a reference to the specification', () => {
  it('in a page is a link to its heading', () => {
    expect(pages.flatMap((page) => wrongInPage(page, text(page)))).toEqual([])
  })

  it('in code names its document and a heading that is there', () => {
    expect(sources.flatMap((file) => wrongInCode(text(file)).map((wrong) => `${file}: ${wrong}`))).toEqual([])
  })

  it.each([
    ['as engine \u00a73.2 says', []],
    ['(engine \u00a73.2, \u00a74.3; platform \u00a71.1)', []],
    ['platform\n * \u00a71.1\u2013\u00a71.3', []],
    ['engine \u00a799', ['engine \u00a799']],
    ['see \u00a73.2', ['\u00a73.2']],
    ['engine \u00a73.2, [' + 'D]', []],
    ['so it is ([' + 'D])', ['[' + 'D]']],
  ])('%j: wrong are %j', (code, wrong) => {
    expect(wrongInCode(code)).toEqual(wrong)
  })
})

/** The numbers of the anchors that stand before a heading with that number. */
function anchors(name: Name): readonly string[] {
  return [...text(pageOf(name)).matchAll(/^<a id="s([\d.]+)"><\/a>\n\n#{2,3} \1\.? /gm)].map(
    ([, number]) => number as string,
  )
}

function wrongInCode(code: string): readonly string[] {
  const flat = code.replaceAll(/\s*\n\s*(?:\*(?!\/)|\/\/)?\s*/g, ' ')
  const chain = /\b(engine|platform) ((?:\u00a7\d+(?:\.\d+)?(?:, | and | or |\u2013)?)+)/g
  const unknown = [...flat.matchAll(chain)].flatMap(([, name, numbers = '']) =>
    numbersIn(numbers)
      .filter((number) => !sections[name as Name].has(number))
      .map((number) => `${name} \u00a7${number}`),
  )
  const unnamed = numbersIn(flat.replaceAll(chain, '')).map((number) => `\u00a7${number}`)
  // A mark without a reference does not say which rule it is about.
  const marks = [...flat.matchAll(/(?<!\u00a7[\d.]+, )(?<=[\s(])\[[CND]\]/g)].map(([mark]) => mark)
  return [...unknown, ...unnamed, ...marks]
}

function wrongInPage(page: string, markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '')
  const link = /\[(?:(engine|platform) )?\u00a7(\d+(?:\.\d+)?)\]\(([^)#]*)#s([\d.]+)\)/g
  const wrong = [...prose.matchAll(link)].filter(([, name, number, path = '', anchor]) => {
    const target = path === '' ? page : normalize(join(dirname(page), path))
    const named = name === undefined ? page : pageOf(name as Name)
    const known = target === pageOf('engine') ? sections.engine : sections.platform
    return target !== named || number !== anchor || !known.has(number as string)
  })
  return [
    ...wrong.map(([all]) => `${page}: ${all}`),
    ...numbersIn(prose.replaceAll(link, '')).map((number) => `${page}: \u00a7${number}`),
  ]
}

function numbersIn(some: string): readonly string[] {
  return [...some.matchAll(/\u00a7(\d+(?:\.\d+)?)/g)].map(([, number]) => number as string)
}
