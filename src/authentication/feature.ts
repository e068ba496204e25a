import { feature } from '../feature/feature.ts'
import { type DocumentFinding, inDocument } from '../model/finding.ts'
import { authenticationSettings, standardSettings } from './configuration.ts'
import { authenticationProvider } from './resource.ts'
import type { Sessions } from './sessions.ts'

/** Who can log in, and how: `conf/authentication.json`, and `authentication`. */
export const authenticationFeature = feature({
  name: 'authentication',
  documents: /^authentication$/,
  compile([document]) {
    // A file that cannot be read lets nobody in but the administrator, who can repair it.
    if (!document?.content) return { value: standardSettings, findings: [] as readonly DocumentFinding[] }
    const { value, findings } = authenticationSettings(document.content)
    return { value, findings: inDocument(document, findings), entries: { authentication: value } }
  },
  begin: ({ sessions }: { readonly sessions: Sessions }) => ({
    mounts: { authentication: authenticationProvider(sessions) },
  }),
})
