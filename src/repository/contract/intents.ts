import { describe, expect, it } from 'vitest'
import type { Intent } from '../intents.ts'
import type { Current } from './current.ts'

const intent = (id: string, linkType = 'hr_user'): Intent => ({
  id,
  linkType,
  runId: 'run',
  worker: 'process 1',
  content: { targetId: id, nothing: null },
})

export function intentsContract(current: Current): void {
  describe('intents', () => {
    const intents = () => current().intents

    it('are listed by link type, oldest first, as far as asked for', async () => {
      await intents().add([intent('b'), intent('a'), intent('x', 'other')])
      await intents().add([intent('c')])
      expect(await intents().list('hr_user', 10)).toEqual([intent('b'), intent('a'), intent('c')])
      expect(await intents().list('hr_user', 2)).toEqual([intent('b'), intent('a')])
      expect(await intents().list('nobody', 10)).toEqual([])
    })

    it('are gone when they are removed; what is gone already is no mistake', async () => {
      await intents().add([intent('a'), intent('b')])
      await intents().remove(['a', 'nobody'])
      expect(await intents().list('hr_user', 10)).toEqual([intent('b')])
    })

    it('are kept or dropped with the transaction that adds or removes them', async () => {
      await intents().add([intent('a')])
      const broken = current().transaction(async (store) => {
        await store.intents.remove(['a'])
        await store.intents.add([intent('b')])
        throw new Error('broken off')
      })
      await expect(broken).rejects.toThrow('broken off')
      expect(await intents().list('hr_user', 10)).toEqual([intent('a')])
    })
  })
}
