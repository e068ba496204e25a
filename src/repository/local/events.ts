import type { Log } from '../../kit/log.ts'
import { Mutex } from '../../kit/mutex.ts'
import { asProblem } from '../../model/problem.ts'
import type { Events, Message, Topic } from '../events.ts'

type Subscription = (message: Message) => Promise<void>

/** Messages within this process. They are delivered after the current step of the publisher. */
export class LocalEvents implements Events {
  readonly #log: Log
  readonly #subscriptions = new Set<Subscription>()

  constructor(log: Log) {
    this.#log = log
  }

  publish(message: Message): void {
    for (const subscription of this.#subscriptions) queueMicrotask(() => this.#deliver(subscription, message))
  }

  subscribe<T extends Topic>(
    topics: readonly T[],
    listener: (message: Message & { readonly topic: T }) => void | Promise<void>,
  ): Disposable {
    const wanted: readonly Topic[] = topics
    const isWanted = (message: Message): message is Message & { readonly topic: T } =>
      wanted.includes(message.topic)
    const turn = new Mutex()
    const subscription: Subscription = async (message) => {
      if (isWanted(message)) await turn.run(async () => listener(message))
    }
    this.#subscriptions.add(subscription)
    return { [Symbol.dispose]: () => this.#subscriptions.delete(subscription) }
  }

  async #deliver(subscription: Subscription, message: Message): Promise<void> {
    if (!this.#subscriptions.has(subscription)) return
    try {
      await subscription(message)
    } catch (error) {
      this.#log('error', `what was to follow ${message.topic} failed: ${asProblem(error).message}`)
    }
  }
}
