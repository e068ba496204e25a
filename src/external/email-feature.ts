import { type CompileTools, compileEach, feature } from '../feature/feature.ts'
import type { Log } from '../kit/log.ts'
import type { DocumentFinding } from '../model/finding.ts'
import { emailProvider, type Mailing, type MailServices } from './email.ts'
import { mailSchema, mailSettings } from './email-settings.ts'
import { type MailTemplate, readTemplate, templateSchema, withoutText } from './email-templates.ts'

/** The mails of `conf/emailTemplate-*.json`. */
export const emailTemplateFeature = feature({
  name: 'emailTemplate',
  documents: /^emailTemplate\//,
  schema: templateSchema,
  async compile(documents) {
    const compiled = await compileEach(documents, readTemplate)
    const doubts = compiled.value.flatMap((template) =>
      withoutText(template).map((finding) => ({ ...finding, document: `emailTemplate/${template.name}` })),
    )
    return { ...compiled, findings: [...compiled.findings, ...doubts] }
  },
})

interface Compiled {
  readonly mailing: Mailing
  readonly templates: ReadonlyMap<string, MailTemplate>
}

/** `external/email`, by the mail server of `conf/external.email.json`. */
export const emailFeature = feature({
  name: 'external.email',
  documents: /^external\.email$/,
  schema: mailSchema,
  compile(documents, tools: CompileTools) {
    const templates = new Map(emailTemplateFeature.of(tools).map((one) => [one.name, one]))
    const [document] = documents
    if (!document?.content) {
      const value: Compiled = { mailing: document ? 'wrong' : 'absent', templates }
      return { value, findings: [] }
    }
    const { value: settings, findings } = mailSettings(document.content)
    const isWrong = findings.some(({ severity }) => severity !== 'warning')
    const value: Compiled = { mailing: isWrong ? 'wrong' : settings, templates }
    return {
      value,
      findings: findings.map((finding): DocumentFinding => ({ ...finding, document: document.id })),
      entries: { 'external.email': document.content },
    }
  },
  open: ({ mailing, templates }, services: MailServices & { readonly log: Log }) => ({
    mounts: { 'external/email': emailProvider(mailing, templates, services) },
  }),
})
