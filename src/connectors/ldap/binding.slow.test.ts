import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { Secret } from '../kit/values.ts'
import type { LdapConnector } from './ldap-connector.ts'
import { makeCertificates, makeClientCertificate } from './testing/certificates.ts'
import { proxyTo } from './testing/proxy.ts'
import { base, people, type Slapd, startSlapd } from './testing/slapd.ts'

/**
 * Only known accounts see anything: that of the administrator, by password or by a certificate with its name, and the process of the
 * test on the socket of the machine.
 */
const local = `gidNumber=${process.getgid?.()}+uidNumber=${process.getuid?.()},cn=peercred,cn=external,cn=auth`
const person = (name: string) => `dn: uid=${name},${people}
objectClass: inetOrgPerson
uid: ${name}
cn: ${name}
sn: ${name}
userPassword: secret
`
const policy = `dn: cn=policy,${base}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdMustChange: TRUE
`

let slapd: Slapd
let files: ReturnType<typeof makeCertificates>
let client: ReturnType<typeof makeClientCertificate>

beforeAll(async () => {
  slapd = await startSlapd({
    entries: [person('ann'), person('bob'), policy].join('\n'),
    database: [`olcAccess: {0}to * by dn.exact="${local}" write by anonymous auth by * none`],
    overlays: { ppolicy: `objectClass: olcPPolicyConfig\nolcPPolicyDefault: cn=policy,${base}` },
    global: (folder) => {
      files = makeCertificates(folder)
      client = makeClientCertificate(folder, '/DC=com/DC=example/CN=admin')
      return [
        `olcTLSCertificateFile: ${files.certificate}`,
        `olcTLSCertificateKeyFile: ${files.key}`,
        `olcTLSCACertificateFile: ${files.authority}`,
        'olcTLSVerifyClient: allow',
      ]
    },
  })
})

afterAll(async () => {
  await slapd[Symbol.asyncDispose]()
})

const names = async (connector: LdapConnector) =>
  (await Array.fromAsync(connector.search({ objectClass: '__ACCOUNT__', filter: everything })))
    .flat()
    .map((entry) => 'uid' in entry && String(entry.uid))
    .toSorted()
const tls = () => ({ startTLS: true, trustedCertificates: files.authority })
const external = { authType: 'EXTERNAL', principal: null, credentials: null }

describe('a bind by EXTERNAL', () => {
  it('is one as whom the client certificate names', async () => {
    const { certificate, key } = client
    await using connector = slapd.connect({
      ...tls(),
      ...external,
      clientCertificate: certificate,
      clientKey: key,
    })
    expect(await names(connector)).toEqual(['ann', 'bob'])
  })

  it('is one as the process on a socket of this machine', async () => {
    await using connector = slapd.connect({ host: slapd.local, ...external })
    expect(await names(connector)).toEqual(['ann', 'bob'])
  })

  it('with a key that does not belong to the certificate is refused before anything is sent', async () => {
    const other = { clientCertificate: client.certificate, clientKey: files.key }
    expect(() => slapd.connect({ ...tls(), ...external, ...other })).toThrow(/clientKey .*does not go with/)
  })
})

describe('a connection that was cut while nobody used it', () => {
  it('is replaced by one that is secured and bound like it', async () => {
    await using proxy = await proxyTo(slapd.port)
    await using connector = slapd.connect({ ...tls(), port: proxy.port })
    expect(await names(connector)).toEqual(['ann', 'bob'])
    const before = proxy.count
    proxy.cut()
    await expect.poll(() => names(connector).catch(() => undefined)).toEqual(['ann', 'bob'])
    expect(proxy.count).toBe(before + 1)
  })

  it('carries no write: a write on another one is done once', async () => {
    await using proxy = await proxyTo(slapd.port)
    await using connector = slapd.connect({ port: proxy.port })
    await names(connector)
    proxy.cut()
    const dn = `uid=new,${people}`
    const write = { operation: 'create', attributes: { dn, sn: ['x'], cn: ['x'] } } as const
    await expect
      .poll(async () => {
        const [outcome] = await connector.writeMany('__ACCOUNT__', [write])
        return outcome?.ok === true || outcome?.error
      })
      .toBe(true)
    slapd.change(`dn: ${dn}\nchangetype: delete\n`)
  })
})

describe('a search that is left in the middle', () => {
  it('is abandoned, and its connection serves the next one', async () => {
    await using proxy = await proxyTo(slapd.port)
    await using connector = slapd.connect({ port: proxy.port })
    for (let round = 0; round < 5; round++)
      for await (const page of connector.search({
        objectClass: '__ACCOUNT__',
        filter: everything,
        pageSize: 1,
      })) {
        expect(page).toHaveLength(1)
        break
      }
    expect(await names(connector)).toEqual(['ann', 'bob'])
    expect(proxy.count).toBe(1)
  })
})

describe('a login with a password that somebody else has set', () => {
  it.each([
    [false, true],
    [true, false],
  ])(
    'where it must be changed first: respectResourcePasswordPolicyChangeAfterReset %s, accepted %s',
    async (respectResourcePasswordPolicyChangeAfterReset, isAccepted) => {
      slapd.change(
        `dn: uid=bob,${people}\nchangetype: modify\nreplace: userPassword\nuserPassword: temporary\n`,
      )
      await using connector = slapd.connect({ respectResourcePasswordPolicyChangeAfterReset })
      const login = connector.authenticate('__ACCOUNT__', 'bob', new Secret('temporary'))
      if (isAccepted) expect(await login).toMatch(/^[0-9a-f-]{36}$/)
      else await expect(login).rejects.toMatchObject({ kind: 'passwordExpired' })
      await expect(connector.authenticate('__ACCOUNT__', 'bob', new Secret('wrong'))).rejects.toMatchObject({
        kind: 'wrongCredentials',
      })
    },
  )
})

describe('what is searched', () => {
  it.each([
    ['onelevel', people, ['ann', 'bob']],
    ['onelevel', base, []],
    ['object', `uid=ann,${people}`, ['ann']],
    ['subtree', base, ['ann', 'bob']],
  ])('with userSearchScope %s below %s are %j', async (userSearchScope, context, found) => {
    await using connector = slapd.connect({ userSearchScope, baseContexts: [context] })
    expect(await names(connector)).toEqual(found)
  })

  it('with onelevel is below every base, also one that lies below another, and new entries must lie there', async () => {
    const bases = { userSearchScope: 'onelevel', baseContexts: [base, people] }
    await using connector = slapd.connect(bases)
    expect(await names(connector)).toEqual(['ann', 'bob'])
    const dn = `cn=x,ou=deep,${people}`
    const [created] = await connector.writeMany('__ACCOUNT__', [
      { operation: 'create', attributes: { dn, sn: ['x'] } },
    ])
    expect(created).toMatchObject({
      ok: false,
      error: { message: expect.stringMatching(/not lie directly below a base context/) },
    })
  })

  it('matches additionalSearchFilter besides', async () => {
    await using connector = slapd.connect({ additionalSearchFilter: '(!(uid=bob))' })
    expect(await names(connector)).toEqual(['ann'])
    expect(await connector.resolveUsername('__ACCOUNT__', 'ann')).toBeTruthy()
    await expect(connector.resolveUsername('__ACCOUNT__', 'bob')).rejects.toMatchObject({ kind: 'unknownId' })
  })
})
