import { describe, expect, it, vi } from 'vitest'
import type { Events, Message } from '../events.ts'

export interface EventsUnderTest {
  readonly name: string
  /** What listeners that fail come to; `said` has a line for each. */
  open(said: string[]): Events
}

/** The contract of every adapter of the events port. Without failures, no message may be lost. */
export function eventsContract({ name, open }: EventsUnderTest): void {
  describe(`events ${name}`, () => {
    const heard = async (messages: readonly Message[], expected: readonly Message[]) =>
      vi.waitFor(() => expect(messages).toEqual(expected))
    const wake: Message = { topic: 'queue', mapping: 'm' }
    const changed: Message = { topic: 'configuration' }

    it('are heard by all who want to hear of the topic, and by no others', async () => {
      const events = open([])
      const [one, two, three]: Message[][] = [[], [], []]
      events.subscribe(['queue', 'configuration'], (message) => void one?.push(message))
      events.subscribe(['queue'], (message) => void two?.push(message))
      events.subscribe(['cancel'], (message) => void three?.push(message))
      events.publish(wake)
      events.publish(changed)
      await heard(one ?? [], [wake, changed])
      expect([two, three]).toEqual([[wake], []])
    })

    it('are not heard before who tells them has gone on, nor once the listener has gone', async () => {
      const events = open([])
      const messages: Message[] = []
      const subscription = events.subscribe(['queue'], (message) => void messages.push(message))
      events.publish(wake)
      expect(messages).toEqual([])
      await heard(messages, [wake])
      subscription[Symbol.dispose]()
      events.publish(wake)
      await new Promise((resolve) => setImmediate(resolve))
      expect(messages).toEqual([wake])
    })

    it('come one after the other to a listener that takes its time', async () => {
      const events = open([])
      const order: string[] = []
      events.subscribe(['queue'], async ({ mapping }) => {
        order.push(`${mapping} begins`)
        await new Promise((resolve) => setTimeout(resolve, 5))
        order.push(`${mapping} ends`)
      })
      events.publish({ topic: 'queue', mapping: 'a' })
      events.publish({ topic: 'queue', mapping: 'b' })
      await vi.waitFor(() => expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']))
    })

    it('go on coming when a listener fails, which is told of', async () => {
      const said: string[] = []
      const events = open(said)
      const messages: Message[] = []
      events.subscribe(['queue'], () => {
        throw new Error('broken')
      })
      events.subscribe(['queue'], async (message) => {
        messages.push(message)
        if (messages.length === 1) throw new Error('broken, too')
      })
      events.publish(wake)
      events.publish(wake)
      await heard(messages, [wake, wake])
      await vi.waitFor(() => expect(said.filter((line) => line.includes('broken'))).toHaveLength(3))
    })
  })
}
