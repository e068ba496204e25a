/** `api.example.com` on any port, `localhost:8443` on this one, `*.example.com` for every host below it. */
export function isAllowedHost({ hostname, host, port, protocol }: URL, allowed: readonly string[]): boolean {
  const withPort = port === '' ? `${hostname}:${protocol === 'https:' ? 443 : 80}` : host
  return allowed.some((entry) => {
    const pattern = entry.trim().toLowerCase()
    const own = /:\d+$/.test(pattern) ? withPort : hostname
    return pattern.startsWith('*.') ? own.endsWith(pattern.slice(1)) : own === pattern
  })
}
