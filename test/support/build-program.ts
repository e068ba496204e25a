/**
 * Builds the program that the tests start, before the first of them (Vitest's global setup). The sources as they are
 * take four times as long to start: a thousand files to find and read, and types to strip. Laid out as the
 * published package is, with the sources and their libraries in one file.
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { transformSync } from 'rolldown/utils'
import { program, root } from './program.ts'

export default async function buildProgram(): Promise<void> {
  const sources = globSync('src/**/*.ts', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .toSorted()
  const copies = [
    'bin/syncline.js',
    'package.json',
    ...globSync(['examples/new-project/**/*.*', 'schemas/*.json'], { cwd: root }).toSorted(),
  ]
  const shipped = globSync('src/scripts/shipped/**/*.js', { cwd: root }).toSorted()
  const hash = createHash('sha256')
  for (const file of [
    ...sources,
    ...copies,
    ...shipped,
    'package-lock.json',
    import.meta.filename.slice(root.length + 1),
  ])
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  const stamp = hash.digest('hex')
  if (stampOfProgram() === stamp) return

  for (const file of copies) put(file, readFileSync(join(root, file), 'utf8'))
  for (const file of shipped) put(built(file), readFileSync(join(root, file), 'utf8'))
  // Beside the one file, for what the sandbox loads by its path.
  for (const file of sources) put(built(file), javaScript(file))
  put('dist/main.js', await bundle())
  put('stamp', stamp)
}

/** Whole at every moment: another run may be starting it. */
function put(file: string, content: string): void {
  const path = join(program, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, content)
  renameSync(`${path}.${process.pid}`, path)
}

function stampOfProgram(): string | undefined {
  try {
    return readFileSync(join(program, 'stamp'), 'utf8')
  } catch {
    return undefined
  }
}

function built(file: string): string {
  return file.replace(/^src\//, 'dist/').replace(/\.ts$/, '.js')
}

function javaScript(file: string): string {
  const { code, errors } = transformSync(file, readFileSync(join(root, file), 'utf8'), {
    typescript: { rewriteImportExtensions: 'rewrite', onlyRemoveTypeImports: true },
  })
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ message }) => message).join('; ')}`)
  return code
}

async function bundle(): Promise<string> {
  await using build = await rolldown({
    input: join(root, 'src/main.ts'),
    platform: 'node',
    // They carry native code.
    external: ['isolated-vm', '@node-rs/argon2'],
    resolve: { mainFields: ['module', 'main'] },
    plugins: [
      {
        name: 'each module knows where it would be, were it a file of its own',
        transform: {
          filter: { code: /import\.meta\.url/ },
          handler(code, id) {
            const place = pathToFileURL(join(program, built(id.slice(root.length + 1))))
            return id.startsWith(join(root, 'src'))
              ? code.replaceAll('import.meta.url', JSON.stringify(place.href))
              : undefined
          },
        },
      },
    ],
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  const [{ code }] = output
  return code
}
