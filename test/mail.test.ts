import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type MailServer, mailServer } from '../src/external/testing/mail-server.ts'
import { script } from '../src/testing/script.ts'
import { TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** `external/email` (platform §2): as a stock project has it, from REST and from scripts. */
const secret = 'Mail-S3cret'
let project: TestProject
let server: Server
let mails: MailServer

beforeAll(async () => {
  mails = await mailServer({ account: { username: 'idm', password: secret } })
  project = new TestProject()
  project.write('conf/managed.json', {
    objects: [
      {
        name: 'user',
        actions: {
          resetPassword: {
            ...script("require('ui/resetPassword').sendMail(object, subject, message, rules, length)"),
            globals: {
              ...{
                subject: 'New',
                message: '{{#if object.givenName}}<p>{{object.givenName}}: {{password}}</p>{{/if}}',
              },
              ...{ rules: [{ rule: 'UPPERCASE', minimum: 1 }], length: 16 },
            },
          },
        },
        onCreate: script(
          "openidm.action('external/email', 'sendTemplate', { templateName: 'welcome', to: object.mail, object: object })",
        ),
      },
    ],
  })
  project.write('conf/emailTemplate-welcome.json', {
    ...{ enabled: true, from: '', defaultLocale: 'en', mimeType: 'text/html' },
    subject: { en: 'Your account has been created' },
    message: { en: '<html><body><p>Welcome, {{object.givenName}}.</p></body></html>' },
  })
  project.write('conf/external.email.json', {
    ...{ host: '127.0.0.1', port: String(mails.port), debug: false, from: 'idm@example.com' },
    auth: { enable: true, username: 'idm', password: secret },
    ...{ timeout: 300_000, writetimeout: 300_000, connectiontimeout: 300_000, threadPoolSize: 20 },
    ...{ starttls: { enable: false }, ssl: { enable: false } },
    smtpProperties: ['mail.smtp.ssl.protocols=TLSv1.2', 'mail.smtps.ssl.protocols=TLSv1.2'],
  })
  server = await serve(project)
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await mails[Symbol.asyncDispose]()
  project[Symbol.dispose]()
})

describe('a project with a mail server', () => {
  it('has its password encrypted in the file, and shows it to nobody', async () => {
    await expect.poll(() => project.read('conf/external.email.json')).not.toContain(secret)
    expect(project.read('conf/external.email.json')).toContain('$crypto')
    expect(JSON.stringify(await server.call('GET', 'config/external.email'))).not.toContain(secret)
  })

  it('sends mails over REST', async () => {
    const body = { to: 'ann@example.com', subject: 'Test', body: 'Test' }
    expect(await server.call('POST', 'external/email?_action=send', { body })).toMatchObject({
      ...{ status: 200, body: { status: 'OK', message: 'Email sent' } },
    })
    expect(mails.mails.at(-1)).toMatchObject({
      from: 'idm@example.com',
      to: ['ann@example.com'],
      user: 'idm',
    })
  })

  it('sends mails from scripts, by templates', async () => {
    const body = { mail: 'bo@example.com', givenName: 'Bo' }
    expect((await server.call('POST', 'managed/user', { body })).status).toBe(201)
    expect(mails.mails.at(-1)).toMatchObject({ to: ['bo@example.com'] })
    expect(mails.mails.at(-1)?.text).toContain('Welcome, Bo.')
  })

  it('resets a password, and mails it to whom it belongs', async () => {
    const body = { mail: 'cy@example.com', givenName: 'C & Y', password: 'Before1' }
    const { _id } = (await server.call('POST', 'managed/user', { body })).body
    const reset = await server.call('POST', `managed/user/${_id}?_action=resetPassword`)
    expect(reset.status).toBe(200)
    const { password } = (await server.call('GET', `managed/user/${_id}`)).body
    expect(password).toMatch(/^[A-Z]{16}$/)
    expect(mails.mails.at(-1)).toMatchObject({ to: ['cy@example.com'] })
    expect(mails.mails.at(-1)?.text.replaceAll('=\r\n', '')).toContain(`<p>C &amp; Y: ${password}</p>`)
  })

  it('follows a change of its settings, and keeps a new password encrypted', async () => {
    const { body } = await server.call('GET', 'config/external.email')
    const put = await server.call('PUT', 'config/external.email', {
      body: { ...body, auth: { ...body.auth, password: 'Wr0ng-S3cret' } },
    })
    expect(put.status).toBe(200)
    expect(project.read('conf/external.email.json')).not.toContain('Wr0ng-S3cret')
    const sent = await server.call('POST', 'external/email?_action=send', { body: { to: 'ann@example.com' } })
    expect(sent).toMatchObject({
      status: 500,
      body: { problem: 'CONNECTOR_FAILED', detail: { step: 'log in' } },
    })
    expect(JSON.stringify(sent.body)).not.toContain('S3cret')
    const { body: refused } = await server.call('PUT', 'config/external.email', {
      body: { ...body, auth: { enable: true, username: 'idm', password: '' } },
    })
    expect(refused).toMatchObject({ code: 400, problem: 'CONFIGURATION' })
  })
})

describe('syncline check', () => {
  it('finds what is wrong in mail settings and templates, and says what has no effect', async () => {
    using other = new TestProject()
    other.write('conf/managed.json', { objects: [] })
    other.write('conf/external.email.json', { type: 'msgraph', threadPoolSize: 5 })
    other.write('conf/emailTemplate-a.json', { message: { en: '{{#if x}}' } })
    const { out, err, code } = other.syncline(['check'])
    expect(code).toBe(2)
    expect(out + err).toMatch(/external\.email\.json:2:\d+ \/type: "msgraph" is not/)
    expect(out + err).toMatch(/this setting has no effect: mails are sent without threads/)
    expect(out + err).toMatch(
      /emailTemplate-a\.json:3:\d+ \/message\/en: this is no Handlebars template: .* unexpected 'EOF'/,
    )
  })
})
