/** Slow: what concerns the process of a command, its streams, its signals and its terminal, needs processes of their own. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bin, run, TestProject } from './support/project.ts'

const users = 'hrAccount_managedUser'
let project: TestProject

beforeAll(() => {
  project = TestProject.example()
})
afterAll(() => project[Symbol.dispose]())

describe('for people', () => {
  it('a run goes on when no one reads what it prints, and is recorded', async () => {
    using own = TestProject.example()
    const child = own.start(['recon', users])
    child.stdout.destroy()
    child.stderr.destroy()
    expect(await once(child, 'exit')).toEqual([0, null])
    const summary = own.json('query', 'audit/recon', 'entryType eq "summary"')
    expect(summary).toMatchObject({
      result: [{ status: 'SUCCESS', messageDetail: { outcome: 'COMPLETED' } }],
    })
  })

  it.each([
    ['Syncline is listening on ', []],
    ['{"url":"', ['--json']],
  ])('serve says where it listens: %s, and stops when told to', async (says, more) => {
    const child = project.start(['serve', '--port', '0', ...more], {
      SYNCLINE_ADMIN_PASSWORD: 'x'.repeat(12),
    })
    const ended = once(child, 'exit')
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    expect(line.startsWith(says)).toBe(true)
    const [url] = /http:[^"]+/.exec(line) as RegExpExecArray
    expect((await fetch(`${url}/info/ping`)).status).toBe(200)
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  it('each stream has colours if it is a terminal, and none with NO_COLOR', () => {
    // script(1) gives the command a terminal; what goes to a file beside it must stay plain.
    const onTerminal = (command: string, env: Record<string, string> = {}) =>
      run('script', ['-qec', `"$NODE" "$BIN" ${command}`, '/dev/null'], {
        NODE: process.execPath,
        BIN: bin,
        HERE: project.folder,
        TERM: 'xterm',
        ...env,
      }).out
    const coloured = expect.stringContaining('\u001b[')
    expect(onTerminal('check --project "$HERE"')).toEqual(coloured)
    expect(onTerminal('check --project "$HERE"', { NO_COLOR: '1' })).not.toEqual(coloured)
    expect(onTerminal('links nobody --project "$HERE"')).toEqual(coloured)
    onTerminal('links nobody --project "$HERE" 2>"$HERE/stderr"')
    expect(project.read('stderr')).toContain('No such mapping: nobody')
    expect(project.read('stderr')).not.toEqual(coloured)
  })
})
