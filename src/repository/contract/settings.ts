import { describe, expect, it } from 'vitest'
import type { Current } from './current.ts'

export function settingsContract(current: Current): void {
  describe('settings', () => {
    it.each([['text'], [null], [[1, { a: true }]]])('keep %j until the next value', async (value) => {
      const { settings } = current()
      expect(await settings.read('key')).toBeUndefined()
      await settings.write('key', 'before')
      await settings.write('key', value)
      expect(await settings.read('key')).toEqual(value)
    })
  })
}
