/**
 * Which configuration object a file of conf/ is: `X.json` is `X`, `X-Y.json` is `X/Y`, split at the first dash;
 * blanks become `_` (platform §3.1).
 */
export function idOfFile(fileName: string): string {
  const stem = fileName.replace(/\.json$/, '').replaceAll(' ', '_')
  const dash = stem.indexOf('-')
  return dash < 0 ? stem : `${stem.slice(0, dash)}/${stem.slice(dash + 1)}`
}

/** The reverse: the file in conf/ that holds the configuration object. */
export function fileOfId(id: string): string {
  return `${id.replaceAll(' ', '_').replace('/', '-')}.json`
}

/** The part behind the slash: `hr` of `provisioner.openicf/hr`. */
export function instanceOfId(id: string): string | undefined {
  const slash = id.indexOf('/')
  return slash < 0 ? undefined : id.slice(slash + 1)
}
