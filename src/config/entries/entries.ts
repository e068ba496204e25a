/**
 * The named entries of a project: mappings, connectors and types of managed objects. Each is read where it is declared;
 * one with errors still has its name, so that others which name it are not wrong because of it.
 */
import type { DocumentFinding } from '../../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { instanceOfId } from '../document-id.ts'
import { locateIn } from '../locate.ts'
import type { ConfigurationDocument, ConfigurationProblem, ConfiguredEntry } from '../project.ts'
import { kindOfId } from '../schemas/kinds.ts'
import { isValid, repeatedNames } from './entry.ts'
import { brokenLinkSets, linkProblems } from './links.ts'
import { type KnownObjectSets, objectSetProblems } from './object-sets.ts'
import { inOrder, orderProblems } from './order.ts'

/** Entries that may be used, all that were declared, and problems between entries. */
export interface Entries {
  readonly valid: readonly ConfiguredEntry[]
  readonly declared: readonly ConfiguredEntry[]
  readonly problems: readonly ConfigurationProblem[]
}

/** What all of them are made from. */
export interface ReadDocuments {
  readonly documents: readonly ConfigurationDocument[]
  readonly fileProblems: readonly ConfigurationProblem[]
}

/** The connectors, one per file (platform §4.1). */
export function connectorEntries(read: ReadDocuments): Entries {
  const declared = read.documents
    .filter(({ id }) => kindOfId(id) === 'provisioner')
    .flatMap((document) => ownFile(document, (document.content ?? document.raw)?.name))
  return checked(read, declared, repeatedNames('connector', declared))
}

/** The types of `managed.json` (platform §6.1). */
export function managedObjectEntries(read: ReadDocuments): Entries {
  const declared = read.documents
    .filter(({ id }) => id === 'managed')
    .flatMap((document) => contained(document, 'objects', {}))
  return checked(read, declared, repeatedNames('managed object', declared))
}

/** The mappings in processing order (engine §2.1). */
export function mappingEntries(read: ReadDocuments, known: KnownObjectSets): Entries {
  const inSync = read.documents.filter(({ id }) => id === 'sync').flatMap(containedMappings)
  const separate = read.documents
    .filter(({ id }) => kindOfId(id) === 'mapping')
    .flatMap((document) => ownFile(document, undefined))
  const declared = [...inSync, ...separate]
  const usable = checked(read, declared, [
    ...repeatedNames('mapping', declared),
    ...declared.flatMap((mapping) => objectSetProblems(mapping, known)),
    ...linkProblems(declared, known.broken),
    ...orderProblems(inSync, separate, known.broken),
  ])
  const { valid, problems } = checked(read, usable.valid, brokenLinkSets(usable.valid, declared))
  return {
    declared,
    problems: [...usable.problems, ...problems],
    valid: [
      ...inSync.filter((mapping) => valid.includes(mapping)),
      ...inOrder(separate.filter((mapping) => valid.includes(mapping))),
    ],
  }
}

/** Valid are those in which there is neither an error of their file nor one of these. */
function checked(
  { documents, fileProblems }: ReadDocuments,
  declared: readonly ConfiguredEntry[],
  findings: readonly DocumentFinding[],
): Entries {
  const problems = locateIn(documents, findings)
  const all = [...fileProblems, ...problems]
  return { declared, problems, valid: declared.filter((entry) => isValid(entry, all)) }
}

function containedMappings(document: ConfigurationDocument): readonly ConfiguredEntry[] {
  const { reconAssociation } = document.content ?? {}
  // Also accepted in the container; the mapping's own wins (engine §2.2, [D]).
  return contained(document, 'mappings', reconAssociation === undefined ? {} : { reconAssociation })
}

/** The entries in an array of a document. */
function contained(
  document: ConfigurationDocument,
  member: string,
  shared: JsonObject,
): readonly ConfiguredEntry[] {
  const entries = document.content?.[member]
  if (!Array.isArray(entries)) return []
  return entries.flatMap((content, index) =>
    isJsonObject(content) && typeof content.name === 'string'
      ? [{ name: content.name, document, pointer: [member, index], content: { ...shared, ...content } }]
      : [],
  )
}

/** The entry that is a document; without a name of its own it has the one in the id. */
function ownFile(document: ConfigurationDocument, own: Json | undefined): readonly ConfiguredEntry[] {
  const content = document.content ?? document.raw
  const name = typeof own === 'string' ? own : instanceOfId(document.id)
  return content === undefined || name === undefined
    ? []
    : [{ name, document, pointer: [], content: { ...content, name } }]
}
