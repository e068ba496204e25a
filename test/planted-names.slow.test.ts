import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from '../src/model/json.ts'
import { script } from '../src/testing/script.ts'
import { nested, secretNames } from './support/planted.ts'
import {
  columns,
  hidden,
  named,
  plainNames,
  planted,
  plantedProject,
  sealed,
} from './support/planted-project.ts'
import { csvConnector, openStore, type TestProject } from './support/project.ts'
import { password, type Server, serve } from './support/server.ts'

/** Secrets are planted by all their origins, and looked for wherever they could come out. */
const kinds = { sealed, hidden, named }

let project: TestProject
let server: Server
const places = new Map<string, string>()
const note = (place: string, content: string) => places.set(`${places.size}: ${place}`, content)

/** A request whose answer may show nothing. */
async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await server.call(method, path, { headers, ...(body === undefined ? {} : { body }) })
  note(`${method} ${path} ${answer.status}`, JSON.stringify(answer.body ?? null))
  return answer
}

function run(...args: string[]) {
  const { code, out, err } = project.syncline(args)
  note(`syncline ${args.join(' ')}`, `${out}\n${err}`)
  return { code, out, err }
}

const diary = () => ({ ...hidden.named(plainNames), ...nested(hidden.named(plainNames)) })

beforeAll(async () => {
  project = plantedProject()
  server = await serve(project)
}, 60_000)
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  project?.[Symbol.dispose]()
})

describe('secrets under thirty names and with made-up values', () => {
  it('go through writes, mappings, runs, plans, explanations and histories', async () => {
    expect((await call('PUT', 'managed/vault/1', planted())).status).toBe(201)
    expect((await call('PUT', 'managed/diary/1', diary())).status).toBe(201)
    await server.call('PUT', 'managed/plain/1', { body: { ...named.named(), ...nested(named.named()) } })
    for (const path of ['vault', 'diary'])
      for (const one of [
        `managed/${path}/1`,
        `managed/${path}?_queryFilter=true`,
        `managed/${path}/1?_fields=*`,
      ])
        await call('GET', one)
    const changes = (values: Record<string, Json>) =>
      Object.entries(values).map(([field, value]) => ({ operation: 'replace', field: `/${field}`, value }))
    await call('PATCH', 'managed/vault/1', changes(planted()))
    await call('PATCH', 'managed/diary/1', changes(diary()))
    await server.call('PATCH', 'managed/plain/1', { body: changes(named.named()) })
    expect(sealed.foundIn(project.read('data/door.csv'))).toBeDefined()
    expect(hidden.foundIn(project.read('data/book.csv'))).toBeDefined()
    expect(named.foundIn(project.read('data/list.csv'))).toBeDefined()
    for (const name of ['door', 'book', 'list']) {
      await call('POST', `recon?_action=plan&mapping=${name}&waitForCompletion=true`)
      await call(
        'POST',
        `recon?_action=recon&mapping=${name}&waitForCompletion=true&persistAssociations=true`,
      )
      await call('POST', `sync?_action=explain&mapping=${name}&sourceId=1`)
    }
    await expect
      .poll(async () => (await call('GET', 'sync/queue?_queryFilter=state+eq+"DEAD"')).body.result.length)
      .toBeGreaterThan(0)
    for (const { _id } of (await call('GET', 'sync/queue?_queryFilter=true')).body.result)
      await call('GET', `sync/queue/${_id}`)
    for (const type of ['vault', 'diary', 'plain'])
      await call('GET', `history/managed/${type}/1?_queryFilter=true`)
    for (const type of ['door', 'book', 'list'])
      await call('GET', `history/system/${type}/account/1?_queryFilter=true`)
  })

  it('go through requests that fail', async () => {
    expect((await call('PUT', 'managed/vault/2', { ...planted(), strict: sealed.text() })).status).toBe(403)
    expect(
      (
        await call('POST', 'policy/managed/vault/1?_action=validateObject', {
          ...planted(),
          strict: sealed.text(),
        })
      ).status,
    ).toBe(200)
    await call('POST', 'policy/managed/vault/1?_action=validateProperty', { strict: sealed.text() })
    expect((await call('PUT', 'managed/cellar/1', sealed.named())).status).toBe(400)
    expect((await call('PUT', 'managed/vault/1', planted(), { 'If-Match': 'other' })).status).toBe(412)
    expect((await call('PUT', 'managed/vault/1', planted(), { 'If-None-Match': '*' })).status).toBe(412)
    for (const operation of ['increment', 'remove', 'add', 'replace', 'move', 'copy', 'transform', 'unheard'])
      for (const field of ['/password', '/settings/inner/pwd', '/list/0/apiKey', '/strict', '_id', '/list/x'])
        await call('PATCH', 'managed/vault/1', [{ operation, field, value: sealed.next() }])
    await call('PATCH', 'managed/vault/1', [{ operation: 'replace', fields: sealed.text() }])
    for (const name of secretNames) {
      await call(
        'GET',
        `managed/vault?_queryFilter=${encodeURIComponent(`/${name} eq ${JSON.stringify(sealed.text())}`)}`,
      )
      await call('GET', `info/version?${name}=${encodeURIComponent(sealed.next())}`)
      await call('GET', 'info/version', undefined, { [`X-${name}`]: encodeURIComponent(sealed.next()) })
      await call('POST', 'system/door/account?_action=authenticate', { username: '1', [name]: sealed.next() })
      await call(
        'POST',
        `system/door/account?_action=unheard&${name}=${encodeURIComponent(sealed.next())}`,
        sealed.named([name]),
      )
      await call('POST', 'system/book/account?_action=create', { id: '1', [name]: sealed.next() })
    }
    await call('POST', 'system/door/account?_action=create', {
      id: '1',
      ...sealed.named(columns.slice(0, 1)),
    })
    await call('PUT', 'system/door/account/9', { id: '8', c0: sealed.text() }, { 'If-Match': '*' })
    for (const body of [
      `{"password": ${JSON.stringify(sealed.text())}`,
      `{"pin": ${sealed.text()}}`,
      `{${sealed.text()}`,
    ])
      note(`broken body`, await (await raw('managed/vault/3', body)).text())
    for (const name of ['tell', 'error', 'keys'])
      expect((await call('GET', `endpoint/${name}`)).status).toBeGreaterThan(399)
    await call('POST', 'script?_action=eval', { ...script('throw password + pin'), globals: sealed.named() })
    await call('POST', 'script?_action=eval', { ...script('null.x'), ...sealed.named() })
  })

  it('go through the configuration', async () => {
    for (const path of ['provisioner.openicf/door', 'endpoint/tell', 'endpoint/keys', 'sync', 'managed'])
      await call('GET', `config/${path}`)
    const settings = '/configurationProperties'
    const changes = secretNames.flatMap((name) => [
      { operation: 'replace', field: `${settings}/${name}`, value: sealed.next() },
      { operation: 'add', field: `${settings}/${name}2`, value: nested(sealed.named([name])) as Json },
    ])
    await call('PATCH', 'config/provisioner.openicf/door', changes)
    await call('PATCH', 'config/endpoint/tell', [
      { operation: 'replace', field: '/globals/password', value: sealed.text() },
    ])
    await call('PUT', 'config/provisioner.openicf/wrong', {
      name: 'wrong',
      connectorRef: 7,
      ...sealed.named(),
    })
    await call('PUT', 'config/provisioner.openicf/door2', {
      ...csvConnector('door', ['id'], { ...sealed.named(), csvFile: 7 }),
    })
    await call('PUT', 'config/endpoint/wrong', {
      type: 'text/javascript',
      source: 7,
      globals: sealed.named(),
    })
    await call('PUT', 'config/anything', planted())
    for (const path of ['config', 'config/history', 'audit/config'])
      await call('GET', `${path}?_queryFilter=true`)
    for (const path of ['system', 'system/door']) await call('POST', `${path}?_action=test`)
    for (const topic of ['sync', 'recon', 'activity', 'access', 'authentication', 'config'])
      await call('GET', `audit/${topic}?_queryFilter=true`)
  })

  it('go through the command line', () => {
    for (const json of [[], ['--json']]) {
      for (const name of ['door', 'book', 'list', 'odd', 'torn', 'unfit', 'typed']) {
        run('plan', name, ...json)
        run('explain', name, '1', ...json)
        run('recon', name, ...json)
      }
      for (const type of ['vault', 'diary', 'plain']) run('history', `managed/${type}/1`, ...json)
      for (const topic of ['sync', 'recon', 'activity', 'access', 'config'])
        run('query', `audit/${topic}`, ...json)
      for (const path of ['managed/vault', 'managed/diary', 'config/provisioner.openicf/door'])
        run('query', path, ...json)
      run('links', 'door', ...json)
      run('check', ...json)
      run('queue', ...json)
      run('config', 'history', ...json)
      run('system', 'test', ...json)
    }
    for (const name of ['door', 'book', 'list', 'odd'])
      run('plan', name, '--out', project.path(`${name}.ndjson`))
    run('apply', project.path('odd.ndjson'))
    project.write('data/person.json', { _id: '7', ...sealed.named() })
    run('explain', 'door', '--source-json', project.path('data/person.json'))
  })

  it('are in no answer and in no output', () => {
    expect([...places].flatMap(([place, content]) => leaks(place, content))).toEqual([])
  })

  it('are in no log, and not in the process that runs scripts', () => {
    const hosts = readdirSync('/proc').filter((one) => /^\d+$/.test(one) && parentOf(one) === server.pid)
    expect(hosts).not.toEqual([])
    const files = hosts.flatMap((host) => [`/proc/${host}/environ`, `/proc/${host}/cmdline`])
    const seen = [...files.map((file) => [file, readFileSync(file, 'latin1')] as const)]
    seen.push(['log', server.log()], ['out', server.out()])
    for (const [, content] of seen) expect(content).not.toContain(password)
    expect(seen.flatMap(([place, content]) => leaks(place, content))).toEqual([])
  })

  it('are in no file but those of the systems, while the server runs and when it was killed', async () => {
    expect(leaksOfFiles()).toEqual([])
    await server.stop('SIGKILL')
    expect(leaksOfFiles()).toEqual([])
    server = await serve(project)
    await server.stop()
    expect(leaksOfFiles()).toEqual([])
    const left = readdirSync(project.folder, { recursive: true }).filter((file) =>
      /\.part$/.test(String(file)),
    )
    expect(left).toEqual([])
  })

  it('are, where private or named alone, in the store of objects and in the queue', () => {
    using store = openStore(project)
    const tables = store.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    for (const one of [hidden, named]) {
      const holding = tables
        .map(({ name }) => String(name))
        .filter((name) => one.foundIn(JSON.stringify(store.prepare(`SELECT * FROM ${name}`).all())))
      expect(holding.filter((name) => !/^(objects_\d+|sync_queue)$/.test(name))).toEqual([])
      expect(holding).not.toEqual([])
    }
  })
})

function raw(path: string, body: string) {
  const headers = { 'X-OpenIDM-Username': 'openidm-admin', 'X-OpenIDM-Password': password }
  return fetch(`${server.url}/${path}`, {
    method: 'PUT',
    body,
    headers: { ...headers, 'Content-Type': 'application/json' },
  })
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

/** What is found in the place, of those that may not be there. */
function leaks(place: string, content: string | Buffer, but: readonly string[] = []): readonly string[] {
  return Object.entries(kinds).flatMap(([kind, planted]) => {
    const found = but.includes(kind) ? undefined : planted.foundIn(content)
    return found === undefined ? [] : [`${kind} in ${place}: ${found}`]
  })
}

function leaksOfFiles(): readonly string[] {
  const own = /\/data$|\/conf\/boot$/
  const files = readdirSync(project.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !own.test(entry.parentPath))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    // Globals of scripts stay in the files in which they are written.
    .filter((file) => !/conf\/(endpoint-|anything)/.test(file))
  expect(files.some((file) => file.endsWith('syncline.db'))).toBe(true)
  return files.flatMap((file) =>
    leaks(file, readFileSync(file), /syncline\.db/.test(file) ? ['hidden', 'named'] : []),
  )
}
