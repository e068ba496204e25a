/**
 * Messages between parts of the program, and later between nodes. A message says where to look, never what changed: the
 * receiver reads the state again, so a message that is late, doubled or lost does no harm.
 */
export interface Events {
  /** Never fails and does not wait for the listeners. */
  publish(message: Message): void
  /** Until it is disposed of, `listener` gets the messages of these topics, one after the other. */
  subscribe<T extends Topic>(
    topics: readonly T[],
    listener: (message: Message & { readonly topic: T }) => void | Promise<void>,
  ): Disposable
}

export type Message =
  /** There are queued changes for the mapping. */
  | { readonly topic: 'queue'; readonly mapping: string }
  /** The configuration has changed. */
  | { readonly topic: 'configuration' }
  /** The run must end, on whichever node it is. */
  | { readonly topic: 'cancel'; readonly run: string }
  /** The run has made progress, or has ended. */
  | { readonly topic: 'progress'; readonly run: string }

export type Topic = Message['topic']
