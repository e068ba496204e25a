import type { ConfigurationFile, ConfigurationProblem, Project } from '../project.ts'

/** A state of the configuration that has been checked as a whole and could be in force. */
export interface Candidate extends AsyncDisposable {
  readonly project: Project
  readonly problems: readonly ConfigurationProblem[]
  /** What the project consists of (`mapping/x`, `system/hr`, `managed/user`), each with everything that makes it what it is. */
  readonly entries: ReadonlyMap<string, string>
}

/** Something that is being worked with: `mapping/x`, `system/hr`, `managed/user`. */
export interface Use {
  readonly entry: string
  /** Who works with it, e.g. `a reconciliation of hr_user`. */
  readonly by: string
}

/** What can be in force, one after the other. */
export interface States<State extends Candidate> {
  readonly current: () => State
  /** Reads and checks the project as it would be with these files, or as its files are; changes nothing. */
  readonly prepare: (files: readonly ConfigurationFile[] | undefined) => Promise<State>
  /** Puts it in force; does not fail. */
  readonly activate: (state: State) => Promise<void>
  /** What is being worked with, and by whom. */
  readonly inUse: () => Promise<readonly Use[]>
}

export function textOf({ bytes }: ConfigurationFile): string {
  return new TextDecoder().decode(bytes)
}

/** By the ids of their objects. */
export function textsOf({ files }: Project): ReadonlyMap<string, string> {
  return new Map(files.map((file) => [file.id, textOf(file)]))
}

export function isSame(a: Candidate, b: Candidate): boolean {
  return a === b || signatureOf(a) === signatureOf(b)
}

function signatureOf({ project, entries }: Candidate): string {
  return JSON.stringify([[...textsOf(project)], [...entries]])
}
