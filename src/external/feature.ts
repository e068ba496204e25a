import { feature } from '../feature/feature.ts'
import { asObject, elementsOf } from '../model/json.ts'
import { type RestSettings, restProvider } from './rest.ts'

/** What the server asks of others on behalf of scripts: `external/rest` (platform §2). */
export const externalFeature = feature({
  name: 'external',
  documents: /^external\.rest$/,
  schema: {
    type: 'object',
    properties: {
      allowedHosts: {
        type: 'array',
        description: 'The hosts that may be called: `api.example.com`, `localhost:8443`, `*.example.com`.',
        items: { type: 'string', minLength: 1 },
      },
      timeout: { type: 'integer', minimum: 1, description: 'Milliseconds for a call; default 10000.' },
    },
    'x-restricts': ['allowedHosts'],
  },
  compile(documents) {
    const { allowedHosts = [], timeout } = asObject(documents[0]?.content)
    const value: RestSettings = {
      allowedHosts: elementsOf(allowedHosts ?? []).map(String),
      timeout: typeof timeout === 'number' ? timeout : 10_000,
    }
    return { value, findings: [], entries: { 'external.rest': value } }
  },
  open: (settings) => ({ mounts: { 'external/rest': restProvider(settings) } }),
})
