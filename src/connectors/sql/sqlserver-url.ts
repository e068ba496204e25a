interface SqlServerUrl {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly database: string
  readonly parameters: ReadonlyMap<string, string>
}

/**
 * What follows `jdbc:sqlserver:`, as the driver of Microsoft reads it: `//host[:port][;name=value]…`, where a value may stand in
 * braces, and names in any case. Undefined for what is no such URL, and for an instance by its name: its port must be given.
 */
export function sqlServerUrl(rest: string): SqlServerUrl | undefined {
  const match = /^\/\/(\[[^\]]+\]|[^:;\\/]*)(?::(\d*))?(?:;(.*))?$/s.exec(rest)
  if (!match) return undefined
  const [, place = '', port = '', properties = ''] = match
  const given = new Map(
    Array.from(properties.matchAll(property), ([, name = '', braced, plain = '']) => [
      name.trim().toLowerCase(),
      braced?.replaceAll('}}', '}') ?? plain.trim(),
    ]),
  )
  const take = (...names: readonly string[]) => {
    const name = names.find((one) => given.has(one.toLowerCase()))
    return name === undefined ? undefined : given.get(name.toLowerCase())
  }
  const host = place.replace(/^\[|\]$/g, '') || take('serverName', 'server')
  const portText = port || take('portNumber', 'port')
  const parameters = new Map<string, string>()
  for (const [name, value] of given) {
    const known = names.find((one) => one.toLowerCase() === name) ?? name
    if (!isPlace(known)) parameters.set(known === 'userName' ? 'user' : known, value)
  }
  return {
    host: host === '' ? undefined : host,
    port: portText === undefined || portText === '' ? undefined : Number(portText),
    database: take('databaseName', 'database') ?? '',
    parameters,
  }
}

/** Encrypted and checked, unless the URL says otherwise, as the driver does it since its version 10.2. */
export function sqlServerTls(parameters: ReadonlyMap<string, string>): 'off' | 'encrypted' | 'verified' {
  const given = (name: string) => parameters.get(name)?.toLowerCase() ?? ''
  if (['false', 'no', 'optional'].includes(given('encrypt'))) return 'off'
  return given('trustServerCertificate') === 'true' ? 'encrypted' : 'verified'
}

const property = /([^=;]+)=(?:\s*\{((?:[^}]|\}\})*)\}|([^;]*))/g
const places = ['serverName', 'server', 'portNumber', 'port', 'databaseName', 'database'] as const
const names = [...places, 'user', 'userName', 'password', 'encrypt', 'trustServerCertificate'] as const

function isPlace(name: string): boolean {
  return places.some((one) => one === name)
}
