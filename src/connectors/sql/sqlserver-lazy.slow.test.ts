import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** Slow: what a process has loaded is seen in a process of its own. */
it.each([
  ['a table of another database', '', false],
  ['a connection to SQL Server', 'await connector.test().catch(() => undefined)', true],
])('the client of SQL Server is loaded by a connection to it alone: %s', (_what, use, isLoaded) => {
  const url = use === '' ? 'jdbc:postgresql://127.0.0.1:1/hr' : 'jdbc:sqlserver://127.0.0.1:1;databaseName=hr'
  const program = `
    import { createRequire } from 'node:module'
    import { databaseTableKind } from ${JSON.stringify(new URL('kind.ts', import.meta.url))}
    import { standaloneHost } from ${JSON.stringify(new URL('../kit/host.ts', import.meta.url))}
    const connector = databaseTableKind.create({ url: ${JSON.stringify(url)}, table: 't', keyColumn: 'id' }, standaloneHost())
    ${use}
    console.log(Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/tedious/')))
    await connector[Symbol.asyncDispose]()`
  const out = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    encoding: 'utf8',
  })
  expect(out.trim()).toBe(String(isLoaded))
})
