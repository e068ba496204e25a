// node setPassword.js NUMBER PASSWORD: as a portal would do it, with one request to the server. Waits until the server answers.
const [number, password] = process.argv.slice(2)
const server = `http://127.0.0.1:${process.env.OPENIDM_PORT_HTTP ?? 8091}/openidm`
const headers = {
  'X-OpenIDM-Username': 'openidm-admin',
  'X-OpenIDM-Password': process.env.SYNCLINE_ADMIN_PASSWORD ?? 'example',
  'Content-Type': 'application/json',
}
const call = (path, more) => fetch(`${server}/${path}`, { headers, ...more })

while (!(await call('info/ping').catch(() => undefined))?.ok)
  await new Promise((done) => setTimeout(done, 200))
const found = await (await call(`managed/user?_queryFilter=number+eq+"${number}"`)).json()
const body = JSON.stringify([{ operation: 'replace', field: '/password', value: password }])
const answer = await call(`managed/user/${found.result[0]._id}`, { method: 'PATCH', body })
console.log(answer.ok ? `${found.result[0].name} has a new password` : await answer.text())
