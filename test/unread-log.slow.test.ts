import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { bin, TestProject } from './support/project.ts'
import { password } from './support/server.ts'

it('a server whose log nobody reads goes on, and its log is whole when it is read again', async () => {
  using project = new TestProject()
  project.write('conf/managed.json', { objects: [{ name: 'user' }] })
  const pipe = project.path('log')
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0)
  const arguments_ = [process.execPath, bin, 'serve', '--port', '0', '--json', '--project', project.folder]
  const server = spawn('sh', ['-c', `exec "$@" 2> '${pipe}'`, 'sh', ...arguments_], {
    env: { ...process.env, SYNCLINE_ADMIN_PASSWORD: password },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(server, 'exit')
  await using log = await open(pipe, 'r')
  try {
    const [line] = await once(createInterface(server.stdout), 'line')
    const { url } = JSON.parse(line)
    const headers = {
      ...{ 'X-OpenIDM-Username': 'openidm-admin', 'X-OpenIDM-Password': password },
      'Content-Type': 'application/json',
    }
    const source = `for (var i = 0; i < 10; i++) logger.info(i + ' ' + 'x'.repeat(1e5))`
    const body = JSON.stringify({ type: 'text/javascript', source })
    // A pipe takes 64 KiB; then who writes to it waits.
    const answer = await fetch(`${url}/script?_action=eval`, { method: 'POST', headers, body })
    expect(answer.status).toBe(200)
    expect((await fetch(`${url}/info/ping`, { headers })).status).toBe(200)
    const lines: string[] = []
    const read = createInterface(log.createReadStream()).on('line', (text) => void lines.push(text))
    server.kill('SIGTERM')
    await Promise.all([ended, once(read, 'close')])
    expect(lines.filter((text) => text.includes('xxx')).map((text) => /(\d) x/.exec(text)?.[1])).toEqual([
      ...'0123456789',
    ])
  } finally {
    server.kill('SIGKILL')
  }
})
