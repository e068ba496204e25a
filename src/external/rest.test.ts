import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import { isAllowedHost } from './allowed-hosts.ts'
import { restProvider } from './rest.ts'

describe('a host', () => {
  it.each([
    ['https://api.example.com/x', 'api.example.com', true],
    ['https://API.example.com:8443/x', 'api.example.com', true],
    ['https://api.example.com:8443/x', 'api.example.com:8443', true],
    ['https://api.example.com/x', 'api.example.com:443', true],
    ['https://api.example.com/x', 'api.example.com:8443', false],
    ['https://a.b.example.com/x', '*.example.com', true],
    ['https://example.com/x', '*.example.com', false],
    ['https://evilexample.com/x', '*.example.com', false],
    ['https://api.example.com.evil.org/x', 'api.example.com', false],
    ['http://[::1]:8080/x', '[::1]', true],
    ['https://other.org/x', '*', false],
  ])('of %s is allowed by %s: %s', (url, entry, expected) => {
    expect(isAllowedHost(new URL(url), [entry])).toBe(expected)
  })
})

let server: Server
let base = ''
const answer: RequestListener = async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { method, url = '', headers } = request
  if (url === '/missing') response.writeHead(404, { 'content-type': 'text/plain' }).end('nobody')
  else if (url === '/away') response.writeHead(302, { location: 'http://elsewhere.example/' }).end()
  else if (url === '/picture')
    response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from([1, 2]))
  else if (url !== '/slow')
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        ...{ method, body: Buffer.concat(chunks).toString(), type: headers['content-type'] ?? null },
        ...{ authorization: headers.authorization ?? null, mine: headers['x-mine'] ?? null },
      }),
    )
}
beforeAll(async () => {
  server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const request = { external: false, userId: 'system', roles: [], transactionId: 't' }
const call = (content: JsonObject, allowedHosts = ['127.0.0.1'], timeout = 5_000) =>
  restProvider({ allowedHosts, timeout }).action?.('', { name: 'call', content, parameters: {} }, request)

describe('a call of another server', () => {
  it('sends method, headers and body, and answers with the JSON that comes back', async () => {
    const body = '{"a":1}'
    expect(await call({ url: `${base}/x`, method: 'post', body, headers: { 'X-Mine': 'yes' } })).toEqual({
      ...{ method: 'POST', body, type: 'application/json; charset=utf-8', authorization: null, mine: 'yes' },
    })
  })
  it.each<[JsonObject, string]>([
    [{ user: 'ann', password: 'pw' }, `Basic ${Buffer.from('ann:pw').toString('base64')}`],
    [{ type: 'bearer', token: 't' }, 'Bearer t'],
  ])('logs in by %o', async (authenticate, authorization) => {
    expect(await call({ url: base, method: 'GET', authenticate })).toMatchObject({ authorization })
  })
  it('wraps what is no JSON, and what is to be wrapped', async () => {
    expect(await call({ url: `${base}/picture`, method: 'GET' })).toMatchObject({
      ...{ body: 'AQI=', base64: true, headers: { 'content-type': ['image/png'] } },
    })
    expect(await call({ url: base, method: 'GET', forceWrap: true })).toMatchObject({
      body: expect.stringContaining('"method":"GET"'),
    })
  })
  it('fails with the status of the other server, and follows no redirection', async () => {
    await expect(call({ url: `${base}/missing`, method: 'GET' })).rejects.toMatchObject({
      ...{ status: 404, detail: { body: 'nobody' } },
    })
    await expect(call({ url: `${base}/away`, method: 'GET' })).rejects.toMatchObject({ status: 500 })
  })
  it('fails where nothing answers in time', async () => {
    await expect(call({ url: `${base}/slow`, method: 'GET' }, ['127.0.0.1'], 50)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
  })
  it.each<[string, JsonObject, string]>([
    ['a host that is not named', { url: 'http://localhost/', method: 'GET' }, 'FORBIDDEN'],
    ['another protocol', { url: 'file:///etc/passwd', method: 'GET' }, 'BAD_REQUEST'],
    ['credentials in the address', { url: 'http://a:b@127.0.0.1/', method: 'GET' }, 'BAD_REQUEST'],
    ['no method', { url: 'http://127.0.0.1/' }, 'BAD_REQUEST'],
    ['no address', { method: 'GET' }, 'BAD_REQUEST'],
  ])('refuses %s', async (_what, content, code) => {
    await expect(call(content)).rejects.toMatchObject({ code })
  })
  it('calls nobody where no host is named', async () => {
    await expect(call({ url: base, method: 'GET' }, [])).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})
