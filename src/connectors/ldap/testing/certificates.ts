import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate authority of a test's own, and a certificate of 127.0.0.1 that it signed, made by openssl in this folder. */
export interface Certificates {
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

export function makeCertificates(folder: string, subject = 'IP:127.0.0.1'): Certificates {
  const path = (name: string) => join(folder, name)
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '30']
  openssl([
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=Test authority',
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
  ])
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-addext', `subjectAltName=${subject}`]
  openssl([
    'req',
    '-x509',
    ...key,
    '-subj',
    '/CN=server',
    ...signed,
    '-keyout',
    path('server.key'),
    '-out',
    path('server.pem'),
  ])
  return { authority: path('ca.pem'), certificate: path('server.pem'), key: path('server.key') }
}

/** A certificate of a client with this subject, e.g. `/DC=com/DC=example/CN=admin`, that the authority of the folder signs. */
export function makeClientCertificate(
  folder: string,
  subject: string,
): { readonly certificate: string; readonly key: string } {
  const path = (name: string) => join(folder, name)
  const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '30', '-keyout', path('client.key')]
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-out', path('client.pem')]
  openssl(['req', '-x509', ...key, '-subj', subject, ...signed])
  return { certificate: path('client.pem'), key: path('client.key') }
}

/** Like `makeCertificates`, but the certificate is one of January 2020. */
export function makeExpiredCertificates(folder: string): Certificates {
  const files = makeCertificates(folder)
  const path = (name: string) => join(folder, name)
  writeFileSync(
    path('ca.cnf'),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${path('index')}\nserial=${path('serial')}\nnew_certs_dir=${folder}\ndefault_md=sha256\npolicy=any\ncopy_extensions=copy\n[any]\ncommonName=supplied\n`,
  )
  writeFileSync(path('index'), '')
  writeFileSync(path('serial'), '02\n')
  const request = ['-key', files.key, '-subj', '/CN=server', '-addext', 'subjectAltName=IP:127.0.0.1']
  openssl(['req', '-new', ...request, '-out', path('server.csr')])
  const times = ['-startdate', '20200101000000Z', '-enddate', '20200131000000Z']
  const signed = ['-cert', files.authority, '-keyfile', path('ca.key'), '-in', path('server.csr')]
  openssl([
    'ca',
    '-batch',
    '-notext',
    '-config',
    path('ca.cnf'),
    ...signed,
    ...times,
    '-out',
    files.certificate,
  ])
  return files
}

function openssl(parameters: readonly string[]): void {
  const { status, stderr, error } = spawnSync('openssl', parameters, { encoding: 'utf8' })
  if (error) throw new Error('This test needs openssl: install the package openssl (apt-get install openssl)')
  if (status !== 0) throw new Error(`openssl failed: ${stderr}`)
}
