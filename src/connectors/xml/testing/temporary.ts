import { readFile, writeFile } from 'node:fs/promises'
import { everything } from '../../../model/filter/filter.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { Listing } from '../../../model/listing.ts'
import { isUnreadable } from '../../../model/unreadable.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import { xmlSettings } from '../settings.ts'
import { XmlConnector } from '../xml-connector.ts'

/** A temporary folder with an XML file and its schema, for tests. */

const icf = 'http://openidm.forgerock.com/xml/ns/public/resource/openicf/resource-schema-1.xsd'
const ri = 'http://example.com/people'

/** Elements of a type, as a schema declares them. */
export function schema(elements: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="${ri}" xmlns:icf="${icf}">
  <xsd:element name="__ACCOUNT__"><xsd:complexType><xsd:sequence>
    ${elements}
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:element name="__GROUP__"><xsd:complexType><xsd:sequence>
    <xsd:element ref="icf:__NAME__"/>
    <xsd:element name="size" type="xsd:int" minOccurs="0"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>`
}

export const uid = '<xsd:element ref="icf:__UID__" minOccurs="0"/>'
export const usual = `<xsd:element ref="icf:__NAME__"/>
  <xsd:element ref="icf:__PASSWORD__" minOccurs="0"/>
  <xsd:element name="mail" type="xsd:string" minOccurs="0"/>
  <xsd:element name="age" type="xsd:int" minOccurs="0"/>
  <xsd:element name="active" type="xsd:boolean" minOccurs="0"/>
  <xsd:element name="photo" type="xsd:base64Binary" minOccurs="0"/>
  <xsd:element name="tags" type="xsd:string" minOccurs="0" maxOccurs="unbounded"/>`

/** A document with these children of its root element. */
export function document(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<icf:OpenICFContainer xmlns:icf="${icf}" xmlns:ri="${ri}">
${content}
</icf:OpenICFContainer>
`
}

export async function temporaryXml(content: string | Uint8Array | undefined, elements = uid + usual) {
  const temporary = temporaryFolder()
  const file = temporary.file('people.xml')
  if (content !== undefined) await writeFile(file, content)
  await writeFile(temporary.file('people.xsd'), schema(elements))
  return {
    folder: temporary.path,
    file,
    text: () => readFile(file, 'utf8'),
    put: (text: string | Uint8Array) => writeFile(file, text),
    connect: (configuration: JsonObject = {}) => {
      const usualSettings = { xmlFilePath: 'people.xml', xsdFilePath: 'people.xsd' }
      return new XmlConnector(xmlSettings({ ...usualSettings, ...configuration }, temporary.path))
    },
    [Symbol.asyncDispose]: async () => temporary[Symbol.dispose](),
  }
}

/** Ids of objects, or why one cannot be read; and last what the listing is. */
export async function listed(connector: XmlConnector, objectClass = '__ACCOUNT__') {
  const pages = connector.search({ objectClass, filter: everything })
  const lines: string[] = []
  let next = await pages.next()
  for (; !next.done; next = await pages.next())
    for (const one of next.value)
      lines.push(isUnreadable(one) ? `${one._id}: ${one.problem.message}` : one._id)
  const listing: Listing | undefined = next.value ?? undefined
  return { lines, listing }
}
