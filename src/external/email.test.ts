import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import type { RequestContext } from '../router/resources.ts'
import { system, type TestEngine, testEngine } from '../scripts/testing/engine.ts'
import { emailProvider, type Mailing } from './email.ts'
import { mailSettings } from './email-settings.ts'
import { readTemplate } from './email-templates.ts'
import { type MailServer, type MailServerOptions, mailServer } from './testing/mail-server.ts'

let test: TestEngine
beforeAll(async () => {
  test = await testEngine({ isolates: 1 })
})
afterAll(() => test[Symbol.asyncDispose]())

const warnings: string[] = []
const account = { username: 'idm', password: 'correct horse' }
const auth = { enable: true, ...account }
const trusting = { smtpProperties: ['mail.smtp.ssl.trust=*'] }

function act(mailing: Mailing, name: string, content: JsonObject, more: Acting = {}) {
  const { templates = {}, parameters = {}, context = system.request } = more
  const read = Object.entries(templates).map(([id, template]) => {
    const result = readTemplate(id, template)
    if (!result.ok) throw new Error(result.finding.message)
    return [id, result.value] as const
  })
  const services = {
    engine: test.engine,
    secrets: { decrypt: async (value: unknown) => value as string },
    log: (_level: string, message: string) => warnings.push(message),
  }
  const provider = emailProvider(mailing, new Map(read), services)
  return provider.action?.('', { name, content, parameters }, context)
}
interface Acting {
  readonly templates?: Readonly<Record<string, JsonObject>>
  readonly parameters?: Readonly<Record<string, string>>
  readonly context?: RequestContext
}

function settings({ port }: Pick<MailServer, 'port'>, more: JsonObject = {}) {
  const { value, findings } = mailSettings({ host: '127.0.0.1', port, from: 'idm@example.com', ...more })
  expect(findings).toEqual([])
  return value
}

const hello: JsonObject = { to: 'ann@example.com', subject: 'Hello', body: 'Good morning' }

// Each mail waits for the server's first words for a tenth of a second, so that tests of mails wait together.
describe.concurrent('a mail', () => {
  it('goes to everybody who is named, with its subject, type and text', async () => {
    await using server = await mailServer()
    const answer = await act(settings(server), 'send', {
      ...{ from: 'Boss <boss@example.com>', to: 'ann@example.com, "Öz, Bo" <bo@example.com>' },
      ...{ cc: 'cy@example.com', bcc: ['di@example.com'] },
      ...{ subject: 'Grüße\r\nBcc: evil@example.com', type: 'text/html', body: '<p>Hallo</p>' },
    })
    expect(answer).toEqual({ status: 'OK', message: 'Email sent' })
    const { from, to, text } = server.mails[0] ?? {}
    expect(from).toBe('boss@example.com')
    expect(to).toEqual(['ann@example.com', 'bo@example.com', 'cy@example.com', 'di@example.com'])
    expect(text).toMatch(/^Content-Type: text\/html; charset=utf-8/m)
    expect(text).toContain('<p>Hallo</p>')
    expect(text).not.toMatch(/^Bcc:/m)
  })

  it.each([
    ['text/xml', 'text/xml'],
    ['TEXT/PLAIN', 'text/plain'],
    [undefined, 'text/plain'],
  ])('of type %s is sent as %s', async (type, sent) => {
    await using server = await mailServer()
    await act(settings(server), 'send', { ...hello, ...(type !== undefined && { type }) })
    expect(server.mails[0]?.text).toMatch(new RegExp(`^Content-Type: ${sent}; charset=utf-8`, 'm'))
    expect(server.mails[0]).toMatchObject({ from: 'idm@example.com', secure: false })
  })

  it('may be asked for by the older names, as parameters, and without text and subject', async () => {
    await using server = await mailServer()
    await act(
      settings(server),
      'send',
      {},
      { parameters: { _to: 'ann@example.com', _from: 'x@example.com' } },
    )
    expect(server.mails[0]).toMatchObject({ from: 'x@example.com', to: ['ann@example.com'] })
    expect(server.mails[0]?.text).toContain('Subject: <no subject>')
    expect(server.mails[0]?.text).toContain('<empty message>')
  })

  it('need not be waited for; that it failed is then in the log', async () => {
    await using server = await mailServer({ refusal: () => 'nobody there' })
    const parameters = { waitForCompletion: 'false' }
    expect(await act(settings(server), 'send', hello, { parameters })).toEqual({
      ...{ status: 'OK', message: 'Email submitted' },
    })
    await expect.poll(() => warnings).toContainEqual(expect.stringContaining('nobody there'))
  })

  it('says which recipients were refused while others got it', async () => {
    const refusal = (who: string) => (who.startsWith('bo') ? 'nobody there' : undefined)
    await using server = await mailServer({ refusal })
    const to = 'ann@example.com,bo@example.com'
    expect(await act(settings(server), 'send', { ...hello, to })).toMatchObject({
      ...{ status: 'OK', rejected: ['bo@example.com'] },
    })
    expect(server.mails).toHaveLength(1)
  })

  it.each<[string, string, JsonObject]>([
    ['no recipient', 'To:', { body: 'x' }],
    ['a recipient that is none', 'Bad To:', { to: 'ann at example.com' }],
    ['a recipient that is no text', 'Bad To:', { to: [7] }],
    ['a copy for nobody', 'Bad Cc:', { ...hello, cc: '<>' }],
    ['several senders', 'Bad From:', { ...hello, from: 'a@example.com,b@example.com' }],
    ['another type', 'Email type: image/png', { ...hello, type: 'image/png' }],
  ])('with %s is refused', async (_what, message, content) => {
    const asked = act(settings({ port: 9 }), 'send', content)
    await expect(asked).rejects.toMatchObject({
      ...{ code: 'BAD_REQUEST', message: expect.stringContaining(message) },
    })
  })

  it('without any sender is refused', async () => {
    const asked = act(settings({ port: 9 }, { from: '' }), 'send', hello)
    await expect(asked).rejects.toMatchObject({ code: 'BAD_REQUEST', message: /From: .* absent/ })
  })

  it.each<[Mailing, string]>([
    ['absent', 'NOT_IMPLEMENTED'],
    ['wrong', 'CONFIGURATION'],
  ])('is not sent where the settings are %s', async (mailing, code) => {
    await expect(act(mailing, 'send', hello)).rejects.toMatchObject({ code })
  })
})

describe.concurrent('the connection', () => {
  it.each<[string, MailServerOptions, JsonObject, boolean]>([
    ['in clear', {}, {}, false],
    ['with STARTTLS', { security: 'starttls' }, { starttls: { enable: true }, ...trusting }, true],
    ['with TLS from the beginning', { security: 'tls' }, { ssl: { enable: true }, ...trusting }, true],
  ])('%s carries login and mail', async (_how, options, more, secure) => {
    await using server = await mailServer({ ...options, account })
    await act(settings(server, { auth, ...more }), 'send', hello)
    expect(server.mails).toMatchObject([{ user: 'idm', secure }])
  })

  it.each<[string, string, MailServerOptions, JsonObject, string, string]>([
    [
      'a wrong password',
      'log in',
      { account },
      { auth: { ...auth, password: 'x' } },
      'CONNECTOR_FAILED',
      'idm',
    ],
    [
      'a recipient nobody knows',
      'recipients',
      { refusal: () => 'No such person' },
      {},
      'BAD_REQUEST',
      'ann@',
    ],
    ['a message it does not take', 'message', { refusedMessage: 'Spam' }, {}, 'BAD_REQUEST', 'Spam'],
    ['no STARTTLS', 'encrypt', {}, { starttls: { enable: true } }, 'CONNECTOR_FAILED', 'encrypted'],
    [
      ...(['a certificate of nobody known', 'encrypt', { security: 'starttls' }] as const),
      ...([{ starttls: { enable: true } }, 'CONNECTOR_FAILED', 'encrypted'] as const),
    ],
  ])('fails by %s, and says at which step: %s', async (_why, step, options, more, code, words) => {
    await using server = await mailServer(options)
    const asked = act(settings(server, more), 'send', hello)
    await expect(asked).rejects.toMatchObject({
      ...{ code, detail: { step }, message: expect.stringContaining(words) },
    })
    expect(server.mails).toEqual([])
  })

  it('fails for now where the mail server is busy', async () => {
    await using server = await mailServer({ refusedMessage: 'Come again', isBusy: true })
    await expect(act(settings(server), 'send', hello)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('fails where nobody answers', async () => {
    const { port, ...server } = await mailServer()
    await server[Symbol.asyncDispose]()
    await expect(act(settings({ port }), 'send', hello)).rejects.toMatchObject({
      ...{ code: 'UNAVAILABLE', status: 503, detail: { step: 'connect' } },
    })
  })
})

describe.concurrent('a template', () => {
  const welcome: JsonObject = {
    ...{ enabled: true, from: '', defaultLocale: 'en', mimeType: 'text/html' },
    subject: { en: 'Welcome, {{object.givenName}}', fr: 'Bienvenue, {{object.givenName}}' },
    message: { en: '<p>{{object.userName}}</p>', fr: '<p>Bonjour {{object.userName}}</p>' },
  }
  const object = { givenName: 'A & B', userName: '<ann>' }
  const to = 'ann@example.com'

  it.each([
    ['fr', 'Bienvenue, A & B', '<p>Bonjour &lt;ann&gt;</p>'],
    ['fr-CA', 'Bienvenue, A & B', '<p>Bonjour &lt;ann&gt;</p>'],
    ['de', 'Welcome, A & B', '<p>&lt;ann&gt;</p>'],
    [undefined, 'Welcome, A & B', '<p>&lt;ann&gt;</p>'],
  ])('speaks of an object in the language %s', async (locale, subject, body) => {
    await using server = await mailServer()
    const asked = { templateName: 'welcome', to, object, ...(locale !== undefined && { _locale: locale }) }
    const answer = await act(settings(server), 'sendTemplate', asked, { templates: { welcome } })
    expect(answer).toEqual({ status: 'OK', message: 'Email sent' })
    expect(server.mails[0]?.text).toContain(`Subject: ${subject}`)
    expect(server.mails[0]?.text).toContain(body)
  })

  it.each([
    [true, 'fr'],
    [false, 'en'],
  ])('speaks as the browser wishes that asks for it itself (%s)', async (external, locale) => {
    await using server = await mailServer()
    const context = { ...system.request, external, languages: ['de', 'fr-CA'] }
    const asked = { templateName: 'welcome', to, object, _locale: 'en' }
    await act(settings(server), 'sendTemplate', asked, { templates: { welcome }, context })
    expect(server.mails[0]?.text).toContain(locale === 'fr' ? 'Bonjour' : '<p>&lt;ann')
  })

  it('that is plain text escapes nothing', async () => {
    await using server = await mailServer()
    const templates = {
      note: { mimeType: 'text/plain', from: 'hr@example.com', message: '{{object.userName}}' },
    }
    await act(settings(server), 'sendTemplate', { templateName: 'note', to, object }, { templates })
    expect(server.mails[0]).toMatchObject({ from: 'hr@example.com', text: expect.stringContaining('<ann>') })
  })

  it('without a message has its html, with its styles', async () => {
    await using server = await mailServer()
    const templates = { note: { html: { en: '<b>{{object.givenName}}</b>' }, styles: 'b { color: red }' } }
    await act(settings(server), 'sendTemplate', { templateName: 'note', to, object }, { templates })
    expect(server.mails[0]?.text).toContain('<style>b { color: red }</style>')
    expect(server.mails[0]?.text).toContain('<b>A &amp;')
  })

  it.each<[string, JsonObject, JsonObject, string]>([
    ['has no name', {}, {}, 'BAD_REQUEST'],
    ['is unknown', { templateName: 'other' }, {}, 'NOT_FOUND'],
    ['is switched off', { templateName: 'welcome' }, { enabled: false }, 'BAD_REQUEST'],
    ['has no text', { templateName: 'welcome' }, { message: {} }, 'CONFIGURATION'],
    ['fails', { templateName: 'welcome' }, { message: '{{none object}}' }, 'SCRIPT_FAILED'],
  ])('that %s sends nothing', async (_why, asked, change, code) => {
    const templates = { welcome: { ...welcome, ...change } }
    const sent = act(settings({ port: 9 }), 'sendTemplate', { to, ...asked }, { templates })
    await expect(sent).rejects.toMatchObject({ code })
  })

  it('that cannot be read is an error at its place', () => {
    expect(readTemplate('x', { message: { en: 'Hi {{#if}' } })).toMatchObject({
      ...{ ok: false, finding: { place: ['message', 'en'] } },
    })
  })
})

describe('settings', () => {
  it('read the properties of JavaMail that count, and name the others', () => {
    const smtpProperties = [
      ...['mail.smtp.ssl.protocols=TLSv1.2 TLSv1.3', 'mail.smtps.ssl.trust=other smtp.example.com'],
      ...['mail.smtp.starttls.required=true', 'mail.smtp.localhost=idm.example.com'],
      ...[
        'mail.mime.allowutf8=true',
        'mail.smtp.ssl.checkserveridentity=false',
        'mail.smtp.sendpartial=true',
      ],
    ]
    const { value, findings } = mailSettings({ host: 'smtp.example.com', smtpProperties })
    expect(value).toMatchObject({
      ...{ port: 25, security: 'starttls', name: 'idm.example.com' },
      tls: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', rejectUnauthorized: false, checksHost: false },
    })
    expect(findings).toMatchObject([{ severity: 'warning', place: ['smtpProperties', 6] }])
  })

  it('without all that a login needs are an error', () => {
    const { findings } = mailSettings({ auth: { enable: true, username: 'x', password: '' } })
    expect(findings).toMatchObject([{ place: ['auth'] }])
    expect(mailSettings({ auth: { enable: false, username: '', password: '' } }).findings).toEqual([])
  })
})
