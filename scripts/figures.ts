import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ParserOptions, parse } from '@babel/parser'

/**
 * The figures of src/: lines, casts, the longest files and functions. Tests, contract suites and what they share are left out.
 * `npm run figures` prints them; test/figures.test.ts holds them within their limits.
 */
export interface Figures {
  readonly files: number
  readonly lines: number
  /** `x as T` other than `as const`, and `x!`. */
  readonly casts: readonly Place[]
  readonly castsPerThousandLines: number
  readonly anys: readonly Place[]
  /** Longest first. */
  readonly longestFiles: readonly Place[]
  /** Longest first; a function's length is its lines, those of the functions inside it included. */
  readonly longestFunctions: readonly Place[]
  readonly folders: Readonly<Record<string, { lines: number; casts: number }>>
}

export interface Place {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly lines: number
}

const root = join(import.meta.dirname, '..')
const options: ParserOptions = { sourceType: 'module', plugins: ['typescript', 'explicitResourceManagement'] }

export function figures(): Figures {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|(^|\/)(testing|contract)\//.test(file))
    .map((file) => ({ file: `src/${file}`, text: readFileSync(join(root, 'src', file), 'utf8') }))
  const casts: Place[] = []
  const anys: Place[] = []
  const functions: Place[] = []
  for (const { file, text } of files)
    for (const node of nodesOf(parse(text, options).program)) {
      const place = { file, line: node.loc.start.line, name: nameOf(node), lines: linesOf(node) }
      if (isCast(node)) casts.push(place)
      if (node.type === 'TSAnyKeyword') anys.push(place)
      if (/Function|ObjectMethod|ClassMethod|ClassPrivateMethod/.test(node.type) && 'body' in node)
        functions.push(place)
    }
  const lengths = files.map(({ file, text }) => ({
    file,
    line: 1,
    name: file,
    lines: text.split('\n').length - 1,
  }))
  const lines = lengths.reduce((sum, one) => sum + one.lines, 0)
  const folders: Record<string, { lines: number; casts: number }> = {}
  for (const { file, lines } of lengths) folderIn(folders, file).lines += lines
  for (const { file } of casts) folderIn(folders, file).casts++
  return {
    ...{ files: files.length, lines, casts, anys, folders },
    castsPerThousandLines: (1000 * casts.length) / lines,
    longestFiles: lengths.toSorted(longestFirst),
    longestFunctions: functions.toSorted(longestFirst),
  }
}

const longestFirst = (one: Place, other: Place) => other.lines - one.lines

function folderIn(folders: Record<string, { lines: number; casts: number }>, file: string) {
  const [, folder = '', below] = file.split('/')
  const name = below === undefined ? '' : folder
  folders[name] ??= { lines: 0, casts: 0 }
  return folders[name]
}

interface Node {
  readonly type: string
  readonly loc: { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
  readonly [member: string]: unknown
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && 'type' in value && 'loc' in value && value.loc !== null
  )
}

function* nodesOf(node: Node | object): Iterable<Node> {
  if (isNode(node)) yield node
  for (const [member, value] of Object.entries(node)) {
    if (/Comments$|^(loc|extra|errors)$/.test(member)) continue
    for (const below of Array.isArray(value) ? value : [value])
      if (typeof below === 'object' && below !== null && 'type' in below) yield* nodesOf(below)
  }
}

function isCast(node: Node): boolean {
  if (node.type === 'TSNonNullExpression') return true
  if (node.type !== 'TSAsExpression') return false
  const { typeAnnotation: type } = node
  const name = isNode(type) && type.type === 'TSTypeReference' ? type.typeName : undefined
  return !(isNode(name) && name.name === 'const')
}

function linesOf({ loc }: Node): number {
  return loc.end.line - loc.start.line + 1
}

function nameOf(node: Node): string {
  const named = node.id ?? node.key
  return isNode(named) && typeof named.name === 'string' ? named.name : node.type
}

function print({ files, lines, casts, anys, folders, ...rest }: Figures): void {
  console.log(
    `${files} files, ${lines} lines; ${casts.length} casts, ${rest.castsPerThousandLines.toFixed(1)} a thousand lines; ${anys.length} any`,
  )
  for (const [name, { lines, casts }] of Object.entries(folders))
    console.log(
      `  ${`src/${name}`.padEnd(18)} ${String(lines).padStart(6)} lines ${String(casts).padStart(4)} casts`,
    )
  const show = (title: string, places: readonly Place[]) => {
    console.log(title)
    for (const { file, line, name, lines } of places)
      console.log(`  ${String(lines).padStart(4)}  ${file}:${line}  ${name}`)
  }
  show('The longest files', rest.longestFiles.slice(0, 10))
  show('The longest functions', rest.longestFunctions.slice(0, 10))
  if (process.argv.includes('--casts')) show('Casts', casts)
}

if (import.meta.main) print(figures())
