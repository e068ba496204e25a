/**
 * Where the configuration of a server is kept: the texts of its documents, by id (`managed`, `mapping/x`). Files of the project, or rows
 * that all nodes share. What a text means is not known here.
 */
export interface ConfigurationStore {
  read(id: string): Promise<ConfigurationText | undefined>
  /**
   * Puts a text in place of another, or takes it away (undefined), in one step: who reads sees all of the old or all of the new.
   * CONFLICT if the revision there is not the one given (undefined: there is none); then nothing has changed.
   */
  write(id: string, text: string | undefined, revision: string | undefined): Promise<void>
  /** Another one whenever something has been written, by whatever means: cheap, so that it can be asked often. */
  stamp(): Promise<string>
  /** Removes what writers that died left. */
  tidy(): Promise<void>
  /** Until it is disposed of, calls back after writes have ended, and at intervals. A callback that fails is called again. */
  watch(changed: () => Promise<unknown>, options: { readonly interval: number }): AsyncDisposable
}

export interface ConfigurationText {
  readonly text: string
  readonly revision: string
}
