import { type CompileTools, compileEach, feature } from '../feature/feature.ts'
import type { Read } from '../model/finding.ts'
import { checkedScript } from '../scripts/definition.ts'
import { type Endpoint, endpointProvider } from './endpoints.ts'
import { scriptProvider } from './script-resource.ts'

/** The endpoints of `conf/endpoint-*.json`, and `script`. */
export const endpointFeature = feature({
  name: 'endpoint',
  documents: /^endpoint\//,
  compile: (documents, { engine, readFile }: CompileTools) =>
    compileEach(documents, async (name, content): Promise<Read<Endpoint> | undefined> => {
      const { context, enabled, _id, ...definition } = content
      if (enabled === false) return undefined
      const options = { label: `endpoint ${name}`, engine, readFile, codeAt: ['source'] }
      const script = await checkedScript(definition, options)
      return script.ok ? { ok: true, value: { name, script: script.value } } : script
    }),
  open: (endpoints, { engine, readFile }: Pick<CompileTools, 'engine' | 'readFile'>) => ({
    mounts: {
      endpoint: endpointProvider(endpoints, engine),
      script: scriptProvider(engine, readFile),
    },
  }),
})
