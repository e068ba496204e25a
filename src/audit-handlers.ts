import { type AuditConfiguration, readAuditConfiguration } from './audit/handlers.ts'
import { locateProblem } from './config/problem.ts'
import type { ConfigurationProblem, Project } from './config/project.ts'

/** The handlers of `conf/audit.json`; what of it does not happen is found with its place. */
export function configuredAudit({ documents, folder }: Project): {
  readonly handlers: AuditConfiguration['handlers']
  readonly problems: readonly ConfigurationProblem[]
} {
  const document = documents.find(({ id }) => id === 'audit')
  if (!document?.content) return { handlers: [], problems: [] }
  const { handlers, warnings } = readAuditConfiguration(document.content, folder)
  const problems = warnings.map(({ place, fact }) =>
    locateProblem(document, place, fact, { severity: 'warning' }),
  )
  return { handlers, problems }
}
