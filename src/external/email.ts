import parseAddresses from 'nodemailer/lib/addressparser'
import type { Log } from '../kit/log.ts'
import { asObject, elementsOf, type Json, type JsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { RequestContext, ResourceAction, ResourceProvider } from '../router/resources.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import type { MailSettings } from './email-settings.ts'
import { type MailTemplate, rendered } from './email-templates.ts'
import type { Mail } from './smtp.ts'

export interface MailServices {
  readonly engine: ScriptEngine
  readonly secrets: { decrypt(value: Json): Promise<Json> }
  readonly log: Log
}

/** Why there are no settings: `absent`, there is no file; `wrong`, it has errors. */
export type Mailing = MailSettings | 'absent' | 'wrong'

/**
 * `external/email` (platform §2): `send` a mail, or `sendTemplate`, over the mail server of `conf/external.email.json` and no other.
 * The answer comes when the mail server has taken the mail, unless `waitForCompletion=false` asks not to wait.
 */
export function emailProvider(
  mailing: Mailing,
  templates: ReadonlyMap<string, MailTemplate>,
  services: MailServices,
): ResourceProvider {
  return {
    async action(path, action, request) {
      if (path !== '' || (action.name !== 'send' && action.name !== 'sendTemplate'))
        throw new Problem('BAD_REQUEST', 'external/email offers the actions send and sendTemplate')
      const settings = configured(mailing)
      const given = membersOf(action)
      const mail =
        action.name === 'send'
          ? mailIn(given, settings)
          : await mailOfTemplate(given, settings, templates, services.engine, request)
      const sending = send(mail, settings, services)
      if (action.parameters.waitForCompletion !== 'false') return sending
      sending.catch((error: unknown) => services.log('warn', asProblem(error).message))
      return { status: 'OK', message: 'Email submitted' }
    },
  }
}

function configured(mailing: Mailing): MailSettings {
  if (mailing === 'wrong')
    throw new Problem('CONFIGURATION', 'no mail is sent: conf/external.email.json has errors')
  if (mailing === 'absent')
    throw new Problem('NOT_IMPLEMENTED', 'no mail is sent: there is no conf/external.email.json', {
      hint: 'Name the mail server in conf/external.email.json: host, port, auth, from.',
    })
  return mailing
}

/** In the body or among the parameters; with or without the underscore that older versions put before each name. */
function membersOf({ content, parameters }: ResourceAction): JsonObject {
  const given: JsonObject = { ...parameters, ...asObject(content) }
  const older = Object.entries(given).flatMap(([name, value]) =>
    name.startsWith('_') && name !== '_locale' ? [[name.slice(1), value] as const] : [],
  )
  return { ...Object.fromEntries(older), ...given }
}

async function mailOfTemplate(
  given: JsonObject,
  settings: MailSettings,
  templates: ReadonlyMap<string, MailTemplate>,
  engine: ScriptEngine,
  request: RequestContext,
): Promise<Mail> {
  const { templateName, object, _locale: locale } = given
  if (typeof templateName !== 'string' || templateName === '')
    throw new Problem('BAD_REQUEST', 'sendTemplate needs templateName')
  const template = templates.get(templateName)
  if (!template)
    throw new Problem('NOT_FOUND', `there is no mail template ${templateName}`, {
      hint: `Write conf/emailTemplate-${templateName}.json.`,
    })
  if (!template.enabled)
    throw new Problem('BAD_REQUEST', `the mail template ${templateName} is switched off: "enabled" is false`)
  // Those of a browser count for what it asks for itself, not for what a script does meanwhile.
  const preferred = request.external ? (request.languages ?? []) : []
  const locales = typeof locale === 'string' ? [...preferred, locale] : preferred
  const asked = { locales, object: object ?? {} }
  const text = await rendered(template, asked, engine, request)
  const from = given.from ?? template.from
  return mailIn({ ...given, ...(from !== undefined && { from }), ...text, type: template.mimeType }, settings)
}

function mailIn(given: JsonObject, settings: MailSettings): Mail {
  const from = addresses(given.from ?? settings.from ?? null, 'From')
  const to = addresses(given.to ?? null, 'To')
  const { subject, body, type } = given
  if (from[0] === undefined)
    throw new Problem('BAD_REQUEST', 'From: email address is absent', {
      hint: 'Name it in the request, in the template or in conf/external.email.json.',
    })
  if (from.length > 1) throw new Problem('BAD_REQUEST', 'Bad From: email address: a mail has one sender')
  if (to.length === 0) throw new Problem('BAD_REQUEST', 'To: email address is absent')
  return {
    ...{ from: from[0], to },
    cc: addresses(given.cc ?? null, 'Cc'),
    bcc: addresses(given.bcc ?? null, 'Bcc'),
    subject: typeof subject === 'string' && subject !== '' ? subject : '<no subject>',
    body: typeof body === 'string' && body !== '' ? body : '<empty message>',
    type: typeIn(type ?? 'text/plain'),
  }
}

function typeIn(given: Json): Mail['type'] {
  const types: readonly Mail['type'][] = ['text/plain', 'text/html', 'text/xml']
  const type = types.find((one) => one === String(given).toLowerCase())
  if (type) return type
  throw new Problem('BAD_REQUEST', `Email type: ${String(given)} is not handled; use ${types.join(', ')}`)
}

/** A comma list, or an array of such. */
function addresses(given: Json, header: string): readonly string[] {
  const all: string[] = []
  for (const text of elementsOf(given ?? [])) {
    if (typeof text !== 'string') throw new Problem('BAD_REQUEST', `Bad ${header}: email address: not a text`)
    for (const { address = '', name } of parseAddresses(text, { flatten: true })) {
      if (!/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(address))
        throw new Problem('BAD_REQUEST', `Bad ${header}: email address: ${JSON.stringify(text)}`)
      all.push(name ? `"${name.replaceAll(/["\\]/g, '\\$&')}" <${address}>` : address)
    }
  }
  return all
}

async function send(mail: Mail, settings: MailSettings, { secrets, log }: MailServices): Promise<Json> {
  const { login } = settings
  const password = login && String(await secrets.decrypt(login.password))
  // Loaded with the first mail: most commands send none.
  const { sendMail } = await import('./smtp.ts')
  const rejected = await sendMail(mail, settings, password)
  if (rejected.length === 0) return { status: 'OK', message: 'Email sent' }
  // Sent again, the others would get it twice.
  log('warn', `a mail was sent, but the mail server refused ${rejected.join(', ')}`)
  return { status: 'OK', message: 'Email sent', rejected: [...rejected] }
}
