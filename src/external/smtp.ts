import { createTransport } from 'nodemailer'
import { Problem } from '../model/problem.ts'
import type { MailSettings } from './email-settings.ts'

/** One mail, ready to be sent: addresses have been read, the text is what people see. */
export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly cc: readonly string[]
  readonly bcc: readonly string[]
  readonly subject: string
  readonly body: string
  readonly type: 'text/plain' | 'text/html' | 'text/xml'
}

/** Returns the recipients that the mail server refused while it took the mail for others. */
export async function sendMail(
  mail: Mail,
  settings: MailSettings,
  password: string | undefined,
): Promise<readonly string[]> {
  const { body, type, to, cc, bcc, ...others } = mail
  const content =
    type === 'text/plain'
      ? { text: body }
      : type === 'text/html'
        ? { html: body }
        : { alternatives: [{ contentType: 'text/xml; charset=utf-8', content: body }] }
  const transport = createTransport(options(settings, password))
  try {
    const { rejected } = await transport.sendMail({
      ...{ ...others, ...content, to: [...to], cc: [...cc], bcc: [...bcc] },
      // A mail has nothing but its text.
      ...{ disableFileAccess: true, disableUrlAccess: true },
    })
    return rejected.map(String)
  } catch (error) {
    throw failure(error, mail, settings)
  } finally {
    transport.close()
  }
}

function options(settings: MailSettings, password: string | undefined) {
  const { host, port, security, login, name, connectionTimeout, timeout, tls } = settings
  const { checksHost, ...versions } = tls
  return {
    ...{ host, port, secure: security === 'tls' },
    ...{ requireTLS: security === 'starttls', ignoreTLS: security === 'none' },
    ...(name !== undefined && { name }),
    ...(login && { auth: { user: login.username, pass: password ?? '' } }),
    ...{ connectionTimeout, dnsTimeout: connectionTimeout, greetingTimeout: timeout, socketTimeout: timeout },
    tls: { ...versions, ...(checksHost === false && { checkServerIdentity: () => undefined }) },
  }
}

interface SmtpError {
  readonly message: string
  /** e.g. `ETIMEDOUT`. */
  readonly code?: unknown
  /** Of Node, below that: `ECONNREFUSED`, `DEPTH_ZERO_SELF_SIGNED_CERT`. */
  readonly originalCode?: unknown
  /** What was said last: `AUTH PLAIN`, `RCPT TO`. */
  readonly command?: unknown
  readonly response?: unknown
  readonly responseCode?: unknown
  readonly rejected?: unknown
}

type Step = 'connect' | 'greet' | 'encrypt' | 'log in' | 'sender' | 'recipients' | 'message'

function stepOf({ code, originalCode, command }: SmtpError): Step {
  const said = typeof command === 'string' ? command : ''
  const isOfTls = /^EPROTO$|CERT|TLS|SSL|ISSUER/.test(String(originalCode))
  if (code === 'ETLS' || said === 'STARTTLS' || isOfTls) return 'encrypt'
  if (code === 'EAUTH' || said.startsWith('AUTH')) return 'log in'
  if (said === 'MAIL FROM') return 'sender'
  if (said === 'RCPT TO') return 'recipients'
  if (said === 'DATA') return 'message'
  return /^(EHLO|HELO)$/.test(said) ? 'greet' : 'connect'
}

/** OpenIDM answers each of these with 400: here the request is wrong only if the mail is. */
function failure(error: unknown, mail: Mail, settings: MailSettings): Problem {
  if (!(error instanceof Error)) return new Problem('UNAVAILABLE', String(error))
  const facts: SmtpError = error
  const step = stepOf(facts)
  const { host, port } = settings
  const server = `the mail server ${host}:${port}`
  const response = typeof facts.response === 'string' ? facts.response : undefined
  const said = response ?? facts.message
  const messages: Readonly<Record<Step, string>> = {
    connect: `${server} cannot be reached: ${said}`,
    greet: `${server} refused the greeting: ${said}`,
    encrypt: `the connection to ${server} could not be encrypted: ${said}`,
    'log in': `${server} refused the login of ${settings.login?.username ?? 'nobody'}: ${said}`,
    sender: `${server} refused the sender ${mail.from}: ${said}`,
    recipients: `${server} refused the recipients ${listed(facts.rejected, mail)}: ${said}`,
    message: `${server} refused the message: ${said}`,
  }
  const isPassing = typeof facts.responseCode === 'number' && facts.responseCode < 500
  const isOfMail = step === 'sender' || step === 'recipients' || step === 'message'
  const code = isPassing || step === 'connect' ? 'UNAVAILABLE' : isOfMail ? 'BAD_REQUEST' : 'CONNECTOR_FAILED'
  return new Problem(code, `no mail was sent: ${messages[step]}`, {
    detail: { step, ...(response !== undefined && { response }) },
    hint: hints[step],
  })
}

function listed(rejected: unknown, { to, cc, bcc }: Mail): string {
  return (Array.isArray(rejected) ? rejected.map(String) : [...to, ...cc, ...bcc]).join(', ')
}

const settingsHint = (names: string) => `Check ${names} in conf/external.email.json.`
const hints: Readonly<Record<Step, string>> = {
  connect: settingsHint('host and port'),
  greet: settingsHint('host, port and mail.smtp.localhost'),
  encrypt: settingsHint('starttls, ssl and the smtpProperties on protocols and trust'),
  'log in': settingsHint('auth'),
  sender: 'Use a sender that the mail server accepts from this account.',
  recipients: 'Correct the addresses, or let the mail server relay to them.',
  message: 'The answer of the mail server says what it does not take.',
}
