import { type DocumentFinding, type Finding, printPlace } from '../model/finding.ts'
import type { ConfigurationDocument, ConfigurationProblem } from './project.ts'

type Located = Pick<ConfigurationDocument, 'file' | 'locate'>

/** Adds to a finding its place in the document's file. */
export function locate(
  document: Located,
  { place, message, severity = 'error', what, found, allowed, suggestion }: Finding,
): ConfigurationProblem {
  const pointer = printPlace(place)
  return {
    ...{ severity, file: document.file, ...document.locate(place, what), pointer },
    ...{ message, found, allowed, suggestion },
  }
}

/** Findings in the documents of a project. */
export function locateIn(
  documents: readonly ConfigurationDocument[],
  findings: readonly DocumentFinding[],
): readonly ConfigurationProblem[] {
  return findings.flatMap((finding) => {
    const document = documents.find(({ id }) => id === finding.document)
    return document ? [locate(document, finding)] : []
  })
}

/** `conf/sync.json:14:23 /mappings/0/policies/2/situation: "CONFRIMED" is not a situation; did you mean CONFIRMED?` */
export function formatProblem({
  severity,
  file,
  line,
  column,
  pointer,
  message,
}: ConfigurationProblem): string {
  const place = `${file}:${line}:${column}${pointer === '' ? '' : ` ${pointer}`}`
  return `${place}: ${severity === 'warning' ? 'warning: ' : ''}${message}`
}
