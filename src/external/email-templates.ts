import { createRequire } from 'node:module'
import type { Finding, Read } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { messageOf, Problem } from '../model/problem.ts'
import type { RequestContext } from '../router/resources.ts'
import type { ScriptEngine } from '../scripts/engine.ts'

/** `conf/emailTemplate-*.json`. */
export interface MailTemplate {
  readonly name: string
  readonly enabled: boolean
  readonly from: string | undefined
  readonly mimeType: string
  readonly defaultLocale: string | undefined
  readonly subject: Texts
  readonly message: Texts
}

/** By locale. A text without one has the locale ''. */
type Texts = Readonly<Record<string, string>>

const texts = (description: string) => ({
  anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: 'string' } }],
  description: `${description}, by locale; with Handlebars expressions such as \`{{object.givenName}}\`.`,
})

export const templateSchema: JsonObject = {
  type: 'object',
  properties: {
    enabled: { type: 'boolean', default: true, description: 'false: it is not sent.' },
    from: { type: 'string', description: 'The sender; absent or empty: that of conf/external.email.json.' },
    subject: texts('The subject'),
    message: texts('The text'),
    html: texts('The text where there is no `message`'),
    styles: { type: 'string', description: 'The style sheet of `html`.' },
    defaultLocale: { type: 'string', description: 'The locale of a mail that asks for none.' },
    mimeType: {
      type: 'string',
      default: 'text/html',
      description: '`text/html`, `text/plain` or `text/xml`.',
    },
  },
}

export function readTemplate(name: string, content: JsonObject): Read<MailTemplate> {
  const { enabled, from, mimeType, defaultLocale, styles } = content
  const message = textsIn(content.message)
  const isEmpty = Object.keys(message).length === 0
  for (const property of ['subject', 'message', 'html'])
    for (const [locale, text] of Object.entries(textsIn(content[property]))) {
      const wrong = syntaxError(text)
      if (wrong !== undefined) {
        const place = locale === '' ? [property] : [property, locale]
        return { ok: false, finding: { place, message: `this is no Handlebars template: ${wrong}` } }
      }
    }
  const value: MailTemplate = {
    name,
    enabled: enabled !== false,
    from: typeof from === 'string' && from !== '' ? from : undefined,
    mimeType: typeof mimeType === 'string' && mimeType !== '' ? mimeType : 'text/html',
    defaultLocale: typeof defaultLocale === 'string' ? defaultLocale : undefined,
    subject: textsIn(content.subject),
    message: isEmpty ? styled(textsIn(content.html), styles) : message,
  }
  return { ok: true, value }
}

export function withoutText({ name, message }: MailTemplate): readonly Finding[] {
  if (Object.keys(message).length > 0) return []
  return [{ severity: 'warning', place: [], message: `the mail ${name} has no text; add "message"` }]
}

function textsIn(value: Json | undefined): Texts {
  if (typeof value === 'string') return value === '' ? {} : { '': value }
  if (!isJsonObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([locale, text]) => [locale, String(text ?? '')]))
}

function styled(html: Texts, styles: Json | undefined): Texts {
  if (typeof styles !== 'string' || styles === '') return html
  const head = `<head><style>${styles}</style></head>`
  return Object.fromEntries(
    Object.entries(html).map(([locale, text]) => [locale, `<html>${head}<body>${text}</body></html>`]),
  )
}

const require = createRequire(import.meta.url)

function syntaxError(text: string): string | undefined {
  // Loaded where there is a template.
  const handlebars: typeof import('handlebars') = require('handlebars')
  try {
    handlebars.parse(text)
    return undefined
  } catch (error) {
    // Between the two it draws the place and lists all that could stand there.
    return messageOf(error).replace(/:?\n[\s\S]*, got /, ': unexpected ')
  }
}

/** What a template says of an object: rendered in the sandbox, within the limits of scripts. */
export async function rendered(
  template: MailTemplate,
  { locales, object }: { readonly locales: readonly string[]; readonly object: Json },
  engine: ScriptEngine,
  request: RequestContext,
): Promise<{ readonly subject: string; readonly body: string }> {
  const variables: JsonObject = {
    subject: textOf(template, 'subject', locales),
    body: textOf(template, 'message', locales),
    isMarkup: template.mimeType !== 'text/plain',
    data: { object },
  }
  const value = await engine.evaluate(script(template.name), variables, { request })
  const { subject, body } = isJsonObject(value) ? value : {}
  return { subject: String(subject ?? ''), body: String(body ?? '') }
}

/** Only markup is escaped: a subject shows what stands in it. */
const script = (name: string) => ({
  label: `emailTemplate ${name},`,
  source: `(function () {
  var handlebars = require('lib/handlebars')
  return {
    subject: handlebars.compile(subject, { noEscape: true })(data),
    body: handlebars.compile(body, { noEscape: !isMarkup })(data),
  }
}())`,
  globals: {},
})

/** The first of the locales that has a text; `fr-CA` is `fr` where there is none of its own. */
function textOf(template: MailTemplate, part: 'subject' | 'message', locales: readonly string[]): string {
  const all = template[part]
  const asked = locales.flatMap((locale) => [locale, locale.split(/[-_]/)[0]])
  const wanted = [...asked, template.defaultLocale, '', Object.keys(all)[0]]
  const found = wanted.find((one) => one !== undefined && Object.hasOwn(all, one))
  if (found !== undefined) return all[found] ?? ''
  if (part === 'subject') return ''
  throw new Problem('CONFIGURATION', `the mail ${template.name} has no text`, {
    hint: `Give conf/emailTemplate-${template.name}.json a "message".`,
  })
}
