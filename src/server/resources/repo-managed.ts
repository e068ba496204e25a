import type { ResourceProvider, Resources } from '../../router/resources.ts'

/**
 * `repo/managed/{type}` (platform §2): managed objects as scripts of OpenIDM read them. They are what `managed` shows; writing below
 * policies, scripts and synchronization is not offered.
 */
export function repoManagedProvider(resources: () => Resources): ResourceProvider {
  const pathOf = (path: string) => `managed/${path}`
  return {
    read: (path, request) => resources().read(pathOf(path), request),
    query: (path, query, request) => resources().query(pathOf(path), query, request),
  }
}
