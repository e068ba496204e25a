import type { ConfigurationFile, ConfigurationProblem, Project } from '../project.ts'

/** A configuration that is checked as a whole and could be put in force. */
export interface Candidate extends AsyncDisposable {
  readonly project: Project
  readonly problems: readonly ConfigurationProblem[]
  /** What is doubtful besides; looked for when somebody first asks. */
  doubts(): Promise<readonly ConfigurationProblem[]>
  /** The entries of the project (`mapping/x`, `system/hr`, `managed/user`), each with everything it depends on. */
  readonly entries: ReadonlyMap<string, string>
}

/** An entry in use: `mapping/x`, `system/hr`, `managed/user`. */
export interface Use {
  readonly entry: string
  /** What uses it, e.g. `a reconciliation of hr_user`. */
  readonly by: string
}

/** The configurations that follow one another. */
export interface States<State extends Candidate> {
  readonly current: () => State
  /** Reads and checks the project with these files, or with its own; changes nothing. */
  readonly prepare: (files: readonly ConfigurationFile[] | undefined) => Promise<State>
  /** Puts it in force; does not fail. */
  readonly activate: (state: State) => Promise<void>
  /** The entries in use, and what uses them. */
  readonly inUse: () => Promise<readonly Use[]>
}

/** Everything that `check` reports. */
export async function everyProblem({
  problems,
  doubts,
}: Pick<Candidate, 'problems' | 'doubts'>): Promise<readonly ConfigurationProblem[]> {
  return [...problems, ...(await doubts())]
}

/** By the ids of their objects. */
export function textsOf({ files }: Project): ReadonlyMap<string, string> {
  return new Map(files.map(({ id, bytes }) => [id, new TextDecoder().decode(bytes)]))
}

export function isSame(a: Candidate, b: Candidate): boolean {
  const signature = ({ project, entries }: Candidate) => JSON.stringify([[...textsOf(project)], [...entries]])
  return a === b || signature(a) === signature(b)
}
