/**
 * What parts of the program, and in time other nodes, tell one another. A message says where to look, never what there is to see: who
 * hears it reads the state afresh, so a message that is late, doubled or lost does no harm.
 */
export interface Events {
  /** Never fails and waits for nobody: what comes of it is not the teller's concern. */
  publish(message: Message): void
  /** From now on until it is disposed of, `listener` hears the messages of these topics, one after the other. */
  subscribe<T extends Topic>(
    topics: readonly T[],
    listener: (message: Message & { readonly topic: T }) => void | Promise<void>,
  ): Disposable
}

export type Message =
  /** Changes wait for the mapping. */
  | { readonly topic: 'queue'; readonly mapping: string }
  /** Another configuration is in force. */
  | { readonly topic: 'configuration' }
  /** The run is to end, wherever it is. */
  | { readonly topic: 'cancel'; readonly run: string }
  /** The run has come further, or has ended. */
  | { readonly topic: 'progress'; readonly run: string }

export type Topic = Message['topic']
