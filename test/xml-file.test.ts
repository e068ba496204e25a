import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { csvConnector, TestProject } from './support/project.ts'
import { type Server, serve } from './support/server.ts'

/** From a CSV file to an XML file, without managed objects, and the XML file over HTTP. */
const icf = 'http://openidm.forgerock.com/xml/ns/public/resource/openicf/resource-schema-1.xsd'
const schema = `<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:icf="${icf}" targetNamespace="urn:people">
  <xsd:element name="__ACCOUNT__"><xsd:complexType><xsd:sequence>
    <xsd:element ref="icf:__UID__" minOccurs="0"/>
    <xsd:element ref="icf:__NAME__"/>
    <xsd:element ref="icf:__PASSWORD__" minOccurs="0"/>
    <xsd:element ref="icf:__DESCRIPTION__" minOccurs="0"/>
    <xsd:element name="firstname" type="xsd:string" minOccurs="0"/>
    <xsd:element name="email" type="xsd:string" minOccurs="0" maxOccurs="unbounded"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>`
const document = `<?xml version="1.0" encoding="UTF-8"?>
<icf:OpenICFContainer xmlns:icf="${icf}" xmlns:ri="urn:people">
  <!-- made by hand -->
  <ri:__ACCOUNT__>
    <icf:__UID__>old</icf:__UID__>
    <icf:__NAME__>ann</icf:__NAME__>
    <icf:__PASSWORD__>Passw0rd</icf:__PASSWORD__>
    <icf:__DESCRIPTION__>stays</icf:__DESCRIPTION__>
  </ri:__ACCOUNT__>
</icf:OpenICFContainer>
`
const text = { type: 'string', nativeType: 'string' }
const provisioner = {
  name: 'xmlfile',
  connectorRef: {
    bundleName: 'org.forgerock.openicf.connectors.xml-connector',
    bundleVersion: '[1.1.0.3,2)',
    connectorName: 'org.forgerock.openicf.connectors.xml.XMLConnector',
  },
  configurationProperties: { xsdFilePath: 'data/people.xsd', xmlFilePath: 'data/people.xml' },
  objectTypes: {
    account: {
      $schema: 'http://json-schema.org/draft-03/schema',
      id: '__ACCOUNT__',
      type: 'object',
      nativeType: '__ACCOUNT__',
      properties: {
        _id: { type: 'string', nativeName: '__UID__' },
        name: { ...text, required: true, nativeName: '__NAME__' },
        description: { ...text, nativeName: '__DESCRIPTION__' },
        firstname: { ...text, nativeName: 'firstname' },
        email: { type: 'array', items: text, nativeName: 'email' },
        password: {
          ...{ type: 'string', nativeName: '__PASSWORD__', nativeType: 'JAVA_TYPE_GUARDEDSTRING' },
          flags: ['NOT_READABLE', 'NOT_RETURNED_BY_DEFAULT'],
        },
      },
    },
  },
}

describe('an XML file as a system', () => {
  const project = new TestProject()
  let server: Server
  const accounts = 'system/xmlfile/account'

  beforeAll(async () => {
    project.write('data/people.xsd', schema)
    project.write('data/people.xml', document)
    project.write('data/hr.csv', 'login,name\nann,Ann\nbob,Bob\n')
    project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['login', 'name']))
    project.write('conf/provisioner.openicf-xml.json', provisioner)
    project.write('conf/sync.json', {
      mappings: [
        {
          ...{ name: 'hr_xml', source: 'system/hr/account', target: accounts },
          correlationQuery: {
            type: 'text/javascript',
            source: "({ _queryFilter: 'name eq \"' + source.login + '\"' })",
          },
          properties: [
            { source: 'login', target: 'name' },
            { source: 'name', target: 'firstname' },
          ],
          policies: [
            { situation: 'FOUND', action: 'UPDATE' },
            { situation: 'ABSENT', action: 'CREATE' },
            { situation: 'CONFIRMED', action: 'UPDATE' },
            { situation: 'SOURCE_MISSING', action: 'DELETE' },
          ],
        },
      ],
    })
    server = await serve(project)
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    project[Symbol.dispose]()
  })

  const file = () => readFileSync(project.path('data/people.xml'), 'utf8')
  const recon = async () => {
    const started = await server.call('POST', 'recon?_action=recon&mapping=hr_xml&waitForCompletion=true')
    return (await server.call('GET', `recon/${started.body._id}`)).body
  }
  const all = async () =>
    (await server.call('GET', `${accounts}?_queryFilter=true&_sortKeys=name`)).body.result

  it('is found, updated and filled by a mapping, and not written again without a change', async () => {
    expect(await recon()).toMatchObject({ state: 'SUCCESS', situationSummary: { FOUND: 1, ABSENT: 1 } })
    expect(await all()).toMatchObject([
      { _id: 'old', name: 'ann', firstname: 'Ann', description: 'stays' },
      { name: 'bob', firstname: 'Bob' },
    ])
    const before = file()
    expect(before).toContain('<!-- made by hand -->')
    expect(await recon()).toMatchObject({ situationSummary: { CONFIRMED: 2 } })
    expect(file()).toBe(before)
  })

  it('is read, written and asked for logins over HTTP', async () => {
    const body = { _id: 'c1', name: 'cid', email: ['a@example.com', 'b@example.com'], password: 'secret' }
    const created = await server.call('POST', `${accounts}?_action=create`, { body })
    expect([created.status, created.body]).toMatchObject([201, { _id: 'c1', email: body.email }])
    const filter = encodeURIComponent('email eq "b@example.com"')
    const found = (await server.call('GET', `${accounts}?_queryFilter=${filter}`)).body.result
    expect(found).toMatchObject([{ _id: 'c1', name: 'cid' }])
    expect(JSON.stringify(found)).not.toContain('secret')
    const login = await server.call('POST', `${accounts}?_action=authenticate&username=cid&password=secret`)
    expect(login.body).toMatchObject({ _id: 'c1' })
    expect((await server.call('DELETE', `${accounts}/c1`)).status).toBe(200)
    expect(file()).not.toContain('cid')
  })

  it('deletes nothing while its document is damaged, and says where', async () => {
    const whole = file()
    project.write('data/hr.csv', 'login,name\nann,Ann\n')
    project.write('data/people.xml', whole.slice(0, -30))
    const tested = await server.call('POST', 'system/xmlfile?_action=test')
    expect(JSON.stringify(tested.body)).toMatch(/people\.xml, line \d+, column \d+/)
    await recon()
    expect(file()).toBe(whole.slice(0, -30))
    project.write('data/people.xml', whole)
    expect(await all()).toHaveLength(2)
    await recon()
    expect(await all()).toHaveLength(1)
  })
})
