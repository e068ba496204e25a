import { isAbsolute, resolve } from 'node:path'
import type { JsonObject } from '../../model/json.ts'
import { misconfigured } from '../kit/errors.ts'

/** The configuration of a system in an XML file (platform §5.6): its JSON Schema, and the values as the connector works with them. */
export interface XmlSettings {
  /** Absolute, like the other paths. */
  readonly file: string
  /** Absent: the types of objects and their attributes are those that the file has, and nothing can be written. */
  readonly xsdFile: string | undefined
  /** Describes attributes that `xsdFile` only refers to. */
  readonly xsdIcfFile: string | undefined
  readonly createsFile: boolean
}

const path = (description: string) => ({ type: 'string', format: 'path', description })

export const configurationSchema = {
  type: 'object',
  required: ['xmlFilePath'],
  properties: {
    xmlFilePath: path(
      'The file. A relative path starts at the project folder; others are below `syncline.file.roots`.',
    ),
    xsdFilePath: path(
      'The XML Schema file that names the types of objects and their attributes. Without it, the file is only read.',
    ),
    xsdIcfFilePath: path(
      'The XML Schema file of the attributes with names such as `__PASSWORD__`. Absent: they are known.',
    ),
    createFileIfNotExists: {
      type: 'boolean',
      default: false,
      description: 'Creates the file, without objects, where there is none. Needs `xsdFilePath`.',
    },
  },
} as const

export function xmlSettings(configuration: JsonObject, projectFolder: string): XmlSettings {
  const pathNamed = (name: string): string | undefined => {
    const value = configuration[name] ?? undefined
    if (value === undefined || value === '') return undefined
    if (typeof value !== 'string') throw invalid(name, `is ${JSON.stringify(value)}, not a path`)
    return isAbsolute(value) ? value : resolve(projectFolder, value)
  }
  const file = pathNamed('xmlFilePath')
  if (file === undefined) throw invalid('xmlFilePath', 'is missing or empty; it names the file')
  const createsFile = configuration.createFileIfNotExists ?? false
  if (typeof createsFile !== 'boolean')
    throw invalid('createFileIfNotExists', `is ${JSON.stringify(createsFile)}; it must be true or false`)
  const xsdFile = pathNamed('xsdFilePath')
  if (createsFile && xsdFile === undefined)
    throw invalid('createFileIfNotExists', 'needs xsdFilePath, which names the types of objects')
  return { file, xsdFile, xsdIcfFile: pathNamed('xsdIcfFilePath'), createsFile }
}

function invalid(name: string, fact: string) {
  return misconfigured(['configurationProperties', name], fact)
}
