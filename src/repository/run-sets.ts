/**
 * Ids that a run has seen, and which of them must still be handled. Only ids, never objects, and in pages, because the set
 * grows with the data. If a run moves between nodes, the set must be where all of them can reach it.
 */
export interface RunSets {
  /** The set of that name of a run; `normal` maps all spellings of an id to one. */
  open(run: string, name: string, normal: (id: string) => string): Promise<RunSet>
}

export interface RunSet extends AsyncDisposable {
  /** How many ids it has. */
  size(): Promise<number>
  /** Adds ids. Returns the new ones, each once, in their order. */
  add(ids: readonly string[]): Promise<readonly string[]>
  /** Which of these ids it has, each with the spelling in which it was added. */
  known(ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Marks ids as handled; unknown ids are not an error. */
  handle(ids: readonly string[]): Promise<void>
  remainingCount(): Promise<number>
  /** The ids that are not handled when their page is read, in the order and spelling in which they were added. */
  remaining(pageSize: number): AsyncIterable<readonly string[]>
  /** Marks all ids as not handled again: after planning, the run now does the work. */
  startOver(): Promise<void>
}
