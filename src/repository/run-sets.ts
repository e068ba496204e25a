/**
 * Ids that a run has come across: which it has seen, and which of these are still to be handled. Ids only, never objects, and in
 * pages: such a set grows with the data, and where a run goes from node to node it lives where all of them can reach it.
 */
export interface RunSets {
  /** The set of that name of a run; `normal` makes the same of two spellings of one id. */
  open(run: string, name: string, normal: (id: string) => string): Promise<RunSet>
}

export interface RunSet extends AsyncDisposable {
  /** How many ids it has. */
  size(): Promise<number>
  /** Those of the page that it did not have, and has now: each of them once, in their order. */
  add(ids: readonly string[]): Promise<readonly string[]>
  /** Those of these that it has, each with the spelling in which it was added. */
  known(ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** They remain no more; ids that it does not have are no mistake. */
  handle(ids: readonly string[]): Promise<void>
  remainingCount(): Promise<number>
  /** What has not been handled when its page comes, in the order of adding and in the spelling in which it was added. */
  remaining(pageSize: number): AsyncIterable<readonly string[]>
  /** Nothing is handled any more: what has been foreseen is to be done now. */
  startOver(): Promise<void>
}
