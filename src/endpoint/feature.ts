import { type CompileTools, compileEach, feature } from '../feature/feature.ts'
import type { DocumentFinding, Read } from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'
import { checkedScript, hasFile } from '../scripts/definition.ts'
import { type Endpoint, endpointProvider } from './endpoints.ts'
import { scriptProvider } from './script-resource.ts'

/** The endpoints of `conf/endpoint-*.json`, and `script`. */
export const endpointFeature = feature({
  name: 'endpoint',
  documents: /^endpoint\//,
  async compile(documents, tools: CompileTools) {
    const compiled = await compileEach(documents, (name, content) => readEndpoint(name, content, tools))
    return { ...compiled, findings: [...compiled.findings, ...compiled.value.flatMap(missingScript)] }
  },
  open: (endpoints, { engine, readFile }: Pick<CompileTools, 'engine' | 'readFile'>) => ({
    mounts: {
      endpoint: endpointProvider(endpoints, engine),
      script: scriptProvider(engine, readFile),
    },
  }),
})

async function readEndpoint(
  name: string,
  content: JsonObject,
  { engine, readFile }: CompileTools,
): Promise<Read<Endpoint> | undefined> {
  const { context, enabled, _id, ...definition } = content
  if (enabled === false) return undefined
  const { file, source } = definition
  const isGroovy = /groovy/i.test(`${definition.type}${file}`)
  if (source === undefined && typeof file === 'string' && !isGroovy && !hasFile(file, readFile))
    return { ok: true, value: { name, script: { missing: file } } }
  const options = { label: `endpoint ${name}`, engine, readFile, codeAt: ['source'] }
  const script = await checkedScript(definition, options)
  return script.ok ? { ok: true, value: { name, script: script.value } } : script
}

/** Nothing else depends on it: the endpoint says so when it is asked. */
function missingScript({ name, script }: Endpoint): readonly DocumentFinding[] {
  if (!('missing' in script)) return []
  const message = `the project has no file "${script.missing}", so endpoint/${name} answers 501`
  return [{ document: `endpoint/${name}`, severity: 'warning', place: ['file'], message }]
}
