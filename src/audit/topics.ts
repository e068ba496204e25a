/** The audit topics of platform specification §9. */
export const topics: ReadonlySet<string> = new Set([
  'access',
  'activity',
  'authentication',
  'config',
  'recon',
  'sync',
])
