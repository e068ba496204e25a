import { Problem } from '../../model/problem.ts'
import { queryCollection } from '../../router/collection.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'

/** `cluster` (platform §2): the nodes, of which there is one. */
export function clusterProvider(nodeId: () => string): ResourceProvider {
  const startup = new Date().toISOString()
  const node = (): Resource => ({
    _id: nodeId(),
    ...{ instanceId: nodeId(), startup, shutdown: '', state: 'running' },
  })
  return {
    async read(path) {
      if (path === '') return { _id: '', results: [node()] }
      if (path === nodeId()) return node()
      throw new Problem('NOT_FOUND', `There is no node ${path}`)
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `cluster/${path} is a node, not a set`)
      return queryCollection([node()], query)
    },
  }
}
