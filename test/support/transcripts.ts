import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { bin, root, run, type TestProject, withoutProgress } from './project.ts'

/** Commands of a README, and what it says that they print. */
interface Transcript {
  readonly commands: string
  output: string
}

/** Code blocks in their order; several outputs may follow one block of commands. The first one makes a copy and goes there. */
export function transcripts(example: string): Transcript[] {
  const readme = readFileSync(join(root, 'examples', example, 'README.md'), 'utf8')
  const found: Transcript[] = []
  for (const [, block = ''] of readme.matchAll(/^```\n(.*?)^```$/gms)) {
    if (/^(npx|node|head|cp|sed|echo|ldap[a-z]+|sqlite3|sh|[A-Z_]+=) ?/.test(block))
      found.push({ commands: block, output: '' })
    else (found.at(-1) as Transcript).output += block
  }
  return found
}

/** Without what differs at every run: ids and revisions that a store made up, times, and blank lines. */
function comparable(text: string): string {
  return withoutProgress(text)
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '(id)')
    .replaceAll(/"_rev":"[^"]*"/g, '"_rev":"(rev)"')
    .replaceAll(/ in \d+\.\d+ s$/gm, ' in (time)')
    .replaceAll(/ +\d+ ms\b/g, ' (time)')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)')
    .replaceAll(/\n{2,}/g, '\n')
}

/**
 * Types the commands of an example's README in a copy of it, and expects what it shows. `elsewhere`: what stands in the README, and
 * what is printed in its place since the environment says so.
 */
export function follow(
  example: string,
  project: TestProject,
  environment: Record<string, string> = {},
  elsewhere: Record<string, string> = {},
): void {
  // `npx syncline`, as after an installation of the package.
  writeFileSync(project.path('npx'), '#!/bin/sh\nshift\nexec "$NODE" "$BIN" "$@"\n', { mode: 0o755 })
  const env = {
    ...environment,
    NODE: process.execPath,
    BIN: bin,
    PATH: `${project.folder}:${join(process.execPath, '..')}:${process.env.PATH}`,
  }
  const [copy, ...rest] = transcripts(example)
  const shownFolder = copy?.commands.match(/ cd (\S+)/)?.[1] ?? ''
  for (const { commands, output } of rest) {
    const { out } = run('bash', ['-c', `exec 2>&1\n${commands}`], env, { cwd: project.folder })
    // After several commands it may show what the last ones print.
    const expected = Object.entries(elsewhere).reduce((text, [from, to]) => text.replaceAll(from, to), output)
    const shown = comparable(expected)
    const printed = comparable(out.replaceAll(project.folder, shownFolder))
    if (shown !== '') expect(printed.slice(-shown.length), commands).toBe(shown)
  }
}
