import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail server on a free port, which keeps what it takes. */
export interface MailServer extends AsyncDisposable {
  readonly port: number
  readonly mails: ReceivedMail[]
}

export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and body as they came. */
  readonly text: string
  readonly secure: boolean
  readonly user: string | undefined
}

export interface MailServerOptions {
  /** The account; absent: nobody logs in. */
  readonly account?: { readonly username: string; readonly password: string }
  /** The server's first words are encrypted, it offers STARTTLS, or neither. */
  readonly security?: 'tls' | 'starttls'
  /** Its answer to a recipient, if it refuses one. */
  readonly refusal?: (recipient: string) => string | undefined
  readonly refusedMessage?: string
  /** It refuses the message for now only. */
  readonly isBusy?: boolean
}

export async function mailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { account, security, refusal, refusedMessage, isBusy = false } = options
  const mails: ReceivedMail[] = []
  const disabled = [...(account ? [] : ['AUTH']), ...(security === undefined ? ['STARTTLS'] : [])]
  const handlers: SMTPServerOptions = {
    onAuth({ username, password }, _session, done) {
      const isRight = username === account?.username && password === account?.password
      if (isRight) done(null, { user: username })
      else done(new Error('Wrong name or password'))
    },
    onRcptTo({ address }, _session, done) {
      const message = refusal?.(address)
      done(message === undefined ? null : new Error(message))
    },
    onData(stream, { envelope, secure, user }, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        if (refusedMessage !== undefined)
          return done(Object.assign(new Error(refusedMessage), { responseCode: isBusy ? 451 : 554 }))
        mails.push({
          from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(chunks).toString('utf8'),
          secure,
          user: user === undefined ? undefined : String(user),
        })
        done(null)
      })
    },
  }
  const server = new SMTPServer({
    ...{ secure: security === 'tls', disabledCommands: disabled, authOptional: account === undefined },
    ...{ allowInsecureAuth: true, closeTimeout: 100 },
    ...handlers,
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return {
    port,
    mails,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
