import { locateProblem } from '../config/problem.ts'
import type { ConfigurationProblem, Project } from '../config/project.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import type { Endpoint } from './endpoints.ts'

/** The endpoints of `conf/endpoint-*.json`, their scripts read and checked; what is wrong is found with its place. */
export async function configuredEndpoints(
  { documents, readFile }: Project,
  engine: ScriptEngine,
): Promise<{ readonly endpoints: readonly Endpoint[]; readonly problems: readonly ConfigurationProblem[] }> {
  const endpoints: Endpoint[] = []
  const problems: ConfigurationProblem[] = []
  for (const document of documents) {
    const name = /^endpoint\/(.+)$/.exec(document.id)?.[1]
    if (name === undefined || !document.content || document.content.enabled === false) continue
    const { context, enabled, _id, ...definition } = document.content
    const label = `endpoint ${name}`
    const read = scriptSource(definition, { label, readFile })
    if (!read.ok) {
      problems.push(locateProblem(document, read.pointer, `${label}: ${read.message}`))
      continue
    }
    const error = await engine.check(read.script)
    if (error) problems.push(locateProblem(document, ['source'], error.message))
    else endpoints.push({ name, script: read.script })
  }
  return { endpoints, problems }
}
